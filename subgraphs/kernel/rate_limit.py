"""Rate limits per caller, counted in Valkey so that all processes share them.

A limit is a count per window that moves with the clock: `n` tries in any stretch of `per_s` seconds, exact, and
with the second at which the next try fits. (A token bucket has the same long-run rate and a burst of the same size.)
When Valkey is away the process counts on its own and says so in the log: log-ins must not become unlimited by
an outage, nor impossible.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Protocol

import structlog
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import Redis
from redis.exceptions import RedisError

__all__ = ["InMemoryRateLimiter", "RateLimit", "RateLimiter", "ValkeyRateLimiter"]

log = structlog.get_logger(__name__)

KEY_PREFIX = "marquee:limits"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`count` tries in any `per_s` seconds; `name` keeps limits apart."""

    name: str
    count: int
    per_s: int

    @property
    def item(self) -> RateLimitItem:
        """The library's form."""
        return RateLimitItemPerSecond(self.count, self.per_s, namespace=self.name)


class RateLimiter(Protocol):
    """Counts tries."""

    async def take(self, limit: RateLimit, caller: str) -> int | None:
        """Count one try; None when it fits, otherwise the whole seconds until one fits again (at least 1)."""
        ...


class InMemoryRateLimiter:
    """Counts within this process alone."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def take(self, limit: RateLimit, caller: str) -> int | None:
        """See RateLimiter.take."""
        return await _take(self._limiter, limit, caller)


class ValkeyRateLimiter:
    """Counts in Valkey or Redis; `redis` is closed by its owner."""

    def __init__(self, redis: Redis) -> None:
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=KEY_PREFIX,
            connection_pool=redis.connection_pool,  # type: ignore[arg-type]  # the bridge hands it to Redis(...)
        )
        self._limiter = MovingWindowRateLimiter(storage)
        self._local = InMemoryRateLimiter()

    async def take(self, limit: RateLimit, caller: str) -> int | None:
        """See RateLimiter.take."""
        try:
            return await _take(self._limiter, limit, caller)
        except (RedisError, OSError) as error:
            log.warning("rate_limit.local_only", limit=limit.name, error=str(error))
            return await self._local.take(limit, caller)


async def _take(limiter: MovingWindowRateLimiter, limit: RateLimit, caller: str) -> int | None:
    item = limit.item
    if await limiter.hit(item, caller):
        return None
    stats = await limiter.get_window_stats(item, caller)
    return max(1, math.ceil(stats.reset_time - time.time()))
