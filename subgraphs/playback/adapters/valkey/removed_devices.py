"""RemovedDevices on Valkey: one set per account that ends by itself."""

from __future__ import annotations

from datetime import timedelta

from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import AccountId

__all__ = ["REMOVED_DEVICE_KEYS", "ValkeyRemovedDevices"]

REMOVED_DEVICE_KEYS = "marquee:removed-devices:"
LIFE = timedelta(days=1)
"""Far longer than an access token; none names the device after that, as its refresh token is void."""


class ValkeyRemovedDevices:
    """Every failure is a ServiceError UNAVAILABLE: nothing is started while it can't be told who was signed out."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, account_id: AccountId, device_id: str) -> None:
        """Remember a device, by the id in its tokens; twice is once."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.sadd(_key(account_id), device_id)
        pipeline.expire(_key(account_id), LIFE)
        try:
            await pipeline.execute()
        except (RedisError, OSError) as error:
            raise _away() from error

    async def has(self, account_id: AccountId, device_id: str) -> bool:
        """Whether it was removed lately."""
        try:
            return bool(await self._redis.sismember(_key(account_id), device_id))
        except (RedisError, OSError) as error:
            raise _away() from error


def _key(account_id: AccountId) -> str:
    return f"{REMOVED_DEVICE_KEYS}{account_id}"


def _away() -> ServiceError:
    return ServiceError(ErrorKind.UNAVAILABLE, "devices can't be checked at the moment; try again")
