"""ImportLease on Valkey or Redis: a key that lives for a minute and a half unless it is renewed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

__all__ = ["ValkeyImportLease"]

KEY = "marquee:titles:import-lease"
LIFE_S = 90
"""Some renewals may fail before it is lost."""
# Read and act in one step, so that a lease that has passed to another owner stays theirs.
_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('EXPIRE', KEYS[1], ARGV[2]) else return 0 end"
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end"


class ValkeyImportLease:
    """`owner` is the same over restarts, so that a process that was killed need not wait for its own lease to end."""

    def __init__(self, redis: Redis, owner: str) -> None:
        self._redis = redis
        self._owner = owner

    async def acquire(self) -> bool:
        """See ImportLease."""
        with _translated_errors():
            if await self._redis.set(KEY, self._owner, nx=True, ex=LIFE_S):
                return True
        return await self.renew()

    async def renew(self) -> bool:
        """See ImportLease."""
        with _translated_errors():
            return bool(await self._redis.eval(_RENEW, 1, KEY, self._owner, LIFE_S))

    async def release(self) -> None:
        """See ImportLease."""
        with _translated_errors():
            await self._redis.eval(_RELEASE, 1, KEY, self._owner)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise ConnectionError(f"the server that keeps the import lease does not answer: {error}") from error
