"""Rate limits, on a real Valkey, within the process, and when Valkey goes away."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from fractions import Fraction

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from subgraphs.kernel import rate_limit
from subgraphs.kernel.rate_limit import InMemoryRateLimiter, RateLimit, RateLimiter, ValkeyRateLimiter

LIMIT = RateLimit("log-in", count=3, per_s=3600)
START_MS = 1_790_000_000_000


@dataclass
class Clock:
    at_ms: int = START_MS

    def __call__(self) -> int:
        return self.at_ms


class Model:
    """A token bucket as books draw it: what it holds, in exact fractions."""

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self.tokens = Fraction(limit.count)
        self.at_ms: int | None = None

    def take(self, now_ms: int) -> int | None:
        rate = Fraction(self.limit.count, self.limit.per_s * 1000)
        elapsed_ms = 0 if self.at_ms is None else max(0, now_ms - self.at_ms)
        self.at_ms = now_ms if self.at_ms is None else max(now_ms, self.at_ms)
        self.tokens = min(Fraction(self.limit.count), self.tokens + elapsed_ms * rate)
        if self.tokens >= 1:
            self.tokens -= 1
            return None
        wait_ms = math.ceil((1 - self.tokens) / rate) + self.at_ms - now_ms
        return math.ceil(Fraction(wait_ms, 1000))


@pytest.fixture(params=["memory", "valkey"])
def limiter(request: pytest.FixtureRequest, redis: Redis) -> RateLimiter:
    return InMemoryRateLimiter() if request.param == "memory" else ValkeyRateLimiter(redis)


async def test_counts_to_the_limit_and_says_when_to_come_back(limiter: RateLimiter) -> None:
    """The first `count` tries fit; the next one tells the seconds until one token is back."""
    assert [await limiter.take(LIMIT, "10.0.0.1") for _ in range(3)] == [None, None, None]
    retry_after_s = await limiter.take(LIMIT, "10.0.0.1")
    assert retry_after_s is not None
    assert 1190 <= retry_after_s <= 1200


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


limits = st.builds(
    RateLimit, st.just("generated"), count=st.integers(1, 1000), per_s=st.sampled_from([1, 7, 60, 900, 3600, 86_400])
)
steps_ms = st.lists(
    st.one_of(st.just(0), st.integers(-5_000, 5_000), st.integers(0, 4_000_000)), min_size=1, max_size=40
)


@given(limit=limits, steps=steps_ms)
@settings(max_examples=200)
async def test_the_process_counts_as_the_model_does(limit: RateLimit, steps: list[int]) -> None:
    """Same outcome and same wait at every instant, also when the clock steps back."""
    clock, model = Clock(), Model(limit)
    limiter = InMemoryRateLimiter(clock)
    for step in steps:
        clock.at_ms += step
        assert await limiter.take(limit, "somebody") == model.take(clock.at_ms)


# Ten seconds and more for one token: the server forgets a full bucket by its own clock, which does not wait for ours.
slow_limits = st.builds(
    RateLimit, st.just("generated"), count=st.integers(1, 360), per_s=st.sampled_from([3600, 86_400])
)


@given(limit=slow_limits, steps=steps_ms)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_valkey_counts_as_the_process_does(valkey_url: str, limit: RateLimit, steps: list[int]) -> None:
    """Lua's arithmetic and Python's agree; a key lives no longer than its bucket takes to fill."""
    redis = Redis.from_url(valkey_url)
    await redis.flushdb()
    # On the real clock's side of the time line, as keys expire by the server's own.
    clock, back_ms = Clock(), 0
    in_memory, in_valkey = InMemoryRateLimiter(clock), ValkeyRateLimiter(redis, clock)
    with structlog.testing.capture_logs() as logs:
        for step in steps:
            clock.at_ms += step
            back_ms += max(0, -step)
            assert await in_valkey.take(limit, "somebody") == await in_memory.take(limit, "somebody")
            for key in await redis.keys("*"):
                assert 0 < await redis.pttl(key) <= limit.per_s * 1000 + back_ms
    assert logs == [], "Valkey itself must have counted"
    await redis.aclose()


@given(
    count=st.integers(1, 20),
    per_s=st.integers(1, 120),
    gaps=st.lists(st.integers(0, 3_000), min_size=30, max_size=120),
)
@settings(max_examples=100)
async def test_no_stretch_of_time_holds_more_than_burst_and_rate_allow(count: int, per_s: int, gaps: list[int]) -> None:
    """At most count + t * count / per_s tries fit into any t."""
    clock, limit = Clock(), RateLimit("generated", count, per_s)
    limiter = InMemoryRateLimiter(clock)
    taken: list[int] = []
    for gap in gaps:
        clock.at_ms += gap
        if await limiter.take(limit, "somebody") is None:
            taken.append(clock.at_ms)
    for first, start_ms in enumerate(taken):
        for last in range(first, len(taken)):
            elapsed_ms = taken[last] - start_ms
            assert last - first + 1 <= count + Fraction(elapsed_ms * count, per_s * 1000)


async def test_who_waits_as_long_as_told_gets_in(redis: Redis) -> None:
    """The wait that is told is enough, and a second less is not, for a refill that is no whole second."""
    clock, limit = Clock(), RateLimit("odd", 7, 60)
    limiter = ValkeyRateLimiter(redis, clock)
    assert [await limiter.take(limit, "a") for _ in range(7)] == [None] * 7
    assert await limiter.take(limit, "a") == 9
    clock.at_ms += 8_000
    assert await limiter.take(limit, "a") == 1
    clock.at_ms += 1_000
    assert await limiter.take(limit, "a") is None


async def test_processes_share_the_count(valkey_url: str, redis: Redis) -> None:
    """Two limiters on one server are one limit."""
    other = Redis.from_url(valkey_url)
    first, second = ValkeyRateLimiter(redis), ValkeyRateLimiter(other)
    outcomes = [await limiter.take(LIMIT, "10.0.0.1") for limiter in (first, second, first, second)]
    assert outcomes[:3] == [None, None, None]
    assert outcomes[3] is not None
    await other.aclose()


async def test_a_process_keeps_a_bounded_number_of_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of addresses does not fill the memory; the oldest are forgotten."""
    monkeypatch.setattr(rate_limit, "MAX_BUCKETS", 10)
    limiter = InMemoryRateLimiter(Clock())
    once = RateLimit("once", 1, 60)
    for number in range(11):
        assert await limiter.take(once, str(number)) is None
    assert await limiter.take(once, "10") == 60
    assert await limiter.take(once, "0") is None


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


async def test_a_server_that_lost_the_script_gets_it_again(redis: Redis) -> None:
    """A restart or SCRIPT FLUSH costs nothing."""
    limiter = ValkeyRateLimiter(redis)
    assert await limiter.take(LIMIT, "10.0.0.1") is None
    await redis.script_flush()
    with structlog.testing.capture_logs() as logs:
        assert await limiter.take(LIMIT, "10.0.0.1") is None
    assert logs == []
