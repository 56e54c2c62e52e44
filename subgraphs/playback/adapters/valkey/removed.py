"""RemovedIds on Valkey: one set per account that ends by itself."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import AccountId

__all__ = ["REMOVED_KEYS", "ValkeyRemovedIds"]

REMOVED_KEYS = "marquee:removed:"
LIFE = timedelta(days=1)
"""Far longer than an access token; none names the device or the profile after that, as its refresh token is void."""


class ValkeyRemovedIds:
    """Every failure is a ServiceError UNAVAILABLE: nothing is started while it can't be told who is gone."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, account_id: AccountId, removed_id: str) -> None:
        """See RemovedIds."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.sadd(_key(account_id), removed_id)
        pipeline.expire(_key(account_id), LIFE)
        try:
            await pipeline.execute()
        except (RedisError, OSError) as error:
            raise _away() from error

    async def among(self, account_id: AccountId, ids: Collection[str]) -> set[str]:
        """See RemovedIds."""
        asked = sorted(ids)
        try:
            found = await self._redis.smismember(_key(account_id), asked) if asked else []
        except (RedisError, OSError) as error:
            raise _away() from error
        return {each for each, is_removed in zip(asked, found, strict=True) if is_removed}


def _key(account_id: AccountId) -> str:
    return f"{REMOVED_KEYS}{account_id}"


def _away() -> ServiceError:
    return ServiceError(ErrorKind.UNAVAILABLE, "devices and profiles can't be checked at the moment; try again")
