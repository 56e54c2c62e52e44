"""EventStreams on Valkey or Redis."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.errors import ErrorKind, ServiceError
from common.event_erasure import EventErasure

__all__ = ["ValkeyEventStreams"]


class ValkeyEventStreams:
    """See the EventStreams port."""

    def __init__(self, redis: Redis) -> None:
        self._erasure = EventErasure(redis)

    async def erase(self, ids: Collection[str], *, spare_unheard: bool) -> Mapping[str, int]:
        """See EventStreams.erase."""
        try:
            return await self._erasure.erase(ids, spare_unheard=spare_unheard)
        except (RedisError, OSError) as error:
            raise _away() from error

    async def count(self, ids: Collection[str]) -> Mapping[str, int]:
        """See EventStreams.count."""
        try:
            return await self._erasure.count(ids)
        except (RedisError, OSError) as error:
            raise _away() from error


def _away() -> ServiceError:
    return ServiceError(ErrorKind.UNAVAILABLE, "the event streams can't be reached at the moment")
