"""EventStreams on Valkey or Redis."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

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
        with _translated_errors():
            return await self._erasure.erase(ids, spare_unheard=spare_unheard)

    async def count(self, ids: Collection[str]) -> Mapping[str, int]:
        """See EventStreams.count."""
        with _translated_errors():
            return await self._erasure.count(ids)

    async def scrub(self) -> None:
        """See EventStreams.scrub."""
        with _translated_errors():
            await self._erasure.scrub()


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise ServiceError(ErrorKind.UNAVAILABLE, "the event streams can't be reached at the moment") from error
