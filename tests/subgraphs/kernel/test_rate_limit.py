"""Rate limits, on a real Valkey, within the process, and when Valkey goes away."""

from __future__ import annotations

import asyncio

import pytest
import structlog
from redis.asyncio import Redis

from subgraphs.kernel.rate_limit import InMemoryRateLimiter, RateLimit, RateLimiter, ValkeyRateLimiter

LIMIT = RateLimit("log-in", count=3, per_s=3600)


@pytest.fixture(params=["memory", "valkey"])
def limiter(request: pytest.FixtureRequest, redis: Redis) -> RateLimiter:
    return InMemoryRateLimiter() if request.param == "memory" else ValkeyRateLimiter(redis)


async def test_counts_to_the_limit_and_says_when_to_come_back(limiter: RateLimiter) -> None:
    """The first `count` tries fit; the next one tells the seconds until one fits."""
    assert [await limiter.take(LIMIT, "10.0.0.1") for _ in range(3)] == [None, None, None]
    retry_after_s = await limiter.take(LIMIT, "10.0.0.1")
    assert retry_after_s is not None
    assert 3590 <= retry_after_s <= 3600


async def test_callers_and_limits_are_counted_apart(limiter: RateLimiter) -> None:
    """One caller's tries are nobody else's, and log-ins are no sign-ups."""
    for _ in range(4):
        await limiter.take(LIMIT, "10.0.0.1")
    assert await limiter.take(LIMIT, "10.0.0.2") is None
    assert await limiter.take(RateLimit("sign-up", 3, 3600), "10.0.0.1") is None


async def test_many_at_once_get_no_more_than_the_limit(limiter: RateLimiter) -> None:
    """Counting is atomic."""
    outcomes = await asyncio.gather(*(limiter.take(LIMIT, "10.0.0.1") for _ in range(20)))
    assert outcomes.count(None) == 3


async def test_processes_share_the_count(valkey_url: str, redis: Redis) -> None:
    """Two limiters on one server are one limit."""
    other = Redis.from_url(valkey_url)
    first, second = ValkeyRateLimiter(redis), ValkeyRateLimiter(other)
    outcomes = [await limiter.take(LIMIT, "10.0.0.1") for limiter in (first, second, first, second)]
    assert outcomes[:3] == [None, None, None]
    assert outcomes[3] is not None
    await other.aclose()


async def test_without_valkey_the_process_counts_alone_and_says_so() -> None:
    """An outage makes log-ins neither unlimited nor impossible."""
    away = Redis.from_url("unix:///nowhere/at/all")
    limiter = ValkeyRateLimiter(away)
    with structlog.testing.capture_logs() as logs:
        outcomes = [await limiter.take(LIMIT, "10.0.0.1") for _ in range(4)]
    assert outcomes[:3] == [None, None, None]
    assert outcomes[3] is not None
    assert {entry["event"] for entry in logs} == {"rate_limit.local_only"}
    await away.aclose()
