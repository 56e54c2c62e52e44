"""Rate limits per caller: token buckets, kept in Valkey so that all processes share them.

Problem: let a caller do `count` things at once and `count` per `per_s` seconds in the long run, whichever process asks,
and say when the next one fits.

Idea: a bucket holds `count` tokens and fills evenly; each try takes one, or is refused and takes none. What is kept
is not what the bucket holds but what is missing from it, in units of which a token has `per_s * 1000` and `count` come
back each millisecond: all numbers are whole, so that Lua's and Python's arithmetic agree to the unit. A full bucket is
no key at all: a key lives as long as its bucket needs to fill.

Invariants (held by the tests, the first against a model): two implementations answer alike; in any stretch of `t`
seconds at most `count + t * count / per_s` tries fit; no key outlives its bucket. A clock that steps back stands still
until it has caught up.

When Valkey is away the process counts on its own and says so in the log: log-ins must not become unlimited by an
outage, nor impossible.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

__all__ = ["InMemoryRateLimiter", "RateLimit", "RateLimiter", "ValkeyRateLimiter"]

log = structlog.get_logger(__name__)

KEY_PREFIX = "marquee:limits"
MAX_BUCKETS = 10_000
"""Buckets kept in one process; beyond that the one that was longest not asked for is forgotten."""

_TAKE = """
local missing, at_ms = unpack(redis.call('HMGET', KEYS[1], 'missing', 'at_ms'))
local count, token = tonumber(ARGV[1]), tonumber(ARGV[2])
local now_ms = tonumber(ARGV[3])
if not now_ms then
  local clock = redis.call('TIME')
  now_ms = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
end
missing, at_ms = tonumber(missing) or 0, tonumber(at_ms) or now_ms
if now_ms > at_ms then
  missing, at_ms = math.max(0, missing - (now_ms - at_ms) * count), now_ms
end
local lacking = missing + token - count * token
if lacking > 0 then
  return math.ceil(lacking / count) + (at_ms - now_ms)
end
missing = missing + token
redis.call('HSET', KEYS[1], 'missing', string.format('%.0f', missing), 'at_ms', string.format('%.0f', at_ms))
redis.call('PEXPIRE', KEYS[1], math.ceil(missing / count) + (at_ms - now_ms))
return 0
"""
"""Takes a token: 0, or the milliseconds until there is one. The server's own clock counts, so that processes agree."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`count` tries at once, and as many per `per_s` seconds on; `name` keeps limits apart."""

    name: str
    count: int
    per_s: int

    @property
    def token_units(self) -> int:
        """What one token is, in units of which `count` come back each millisecond."""
        return self.per_s * 1000


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What was missing at an instant, in units of the limit."""

    missing: int
    at_ms: int


class RateLimiter(Protocol):
    """Counts tries."""

    async def take(self, limit: RateLimit, caller: str) -> int | None:
        """Count one try; None when it fits, otherwise the whole seconds until one fits (at least 1)."""
        ...


class InMemoryRateLimiter:
    """Counts within this process alone; `clock_ms` only has to go forward."""

    def __init__(self, clock_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000) -> None:
        self._clock_ms = clock_ms
        self._buckets: OrderedDict[tuple[RateLimit, str], _Bucket] = OrderedDict()

    async def take(self, limit: RateLimit, caller: str) -> int | None:
        """See RateLimiter.take."""
        key, now_ms = (limit, caller), self._clock_ms()
        bucket, wait_ms = _take(limit, self._buckets.get(key), now_ms)
        self._buckets[key] = bucket
        self._buckets.move_to_end(key)
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return _whole_seconds(wait_ms)


class ValkeyRateLimiter:
    """Counts in Valkey or Redis; `redis` is closed by its owner. `clock_ms` replaces the server's clock in tests."""

    def __init__(self, redis: Redis, clock_ms: Callable[[], int] | None = None) -> None:
        self._script = redis.register_script(_TAKE)
        self._clock_ms = clock_ms
        self._local = InMemoryRateLimiter()

    async def take(self, limit: RateLimit, caller: str) -> int | None:
        """See RateLimiter.take."""
        # The limit is part of the key: another limit of the same name, after a change of settings, has other units.
        # Callers are addresses and accounts: nobody reads them from the keys.
        digest = hashlib.sha256(caller.encode()).hexdigest()[:32]
        key = f"{KEY_PREFIX}:{limit.name}:{limit.count}:{limit.per_s}:{digest}"
        now_ms = "" if self._clock_ms is None else self._clock_ms()
        try:
            return _whole_seconds(int(await self._script([key], [limit.count, limit.token_units, now_ms])))
        except (RedisError, OSError) as error:
            log.warning("rate_limit.local_only", limit=limit.name, error=str(error))
            return await self._local.take(limit, caller)


def _take(limit: RateLimit, bucket: _Bucket | None, now_ms: int) -> tuple[_Bucket, int]:
    """The bucket afterwards, and 0 or the milliseconds until a token is there; the same as _TAKE."""
    missing, at_ms = (0, now_ms) if bucket is None else (bucket.missing, bucket.at_ms)
    if now_ms > at_ms:
        missing, at_ms = max(0, missing - (now_ms - at_ms) * limit.count), now_ms
    lacking = missing + limit.token_units - limit.count * limit.token_units
    if lacking > 0:
        return _Bucket(missing, at_ms), math.ceil(lacking / limit.count) + at_ms - now_ms
    return _Bucket(missing + limit.token_units, at_ms), 0


def _whole_seconds(wait_ms: int) -> int | None:
    return None if wait_ms == 0 else max(1, math.ceil(wait_ms / 1000))
