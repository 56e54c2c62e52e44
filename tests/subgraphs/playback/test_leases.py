"""Stream slots on a real Valkey and a real Redis: exact under concurrency, one per device, free again without heartbeats."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from subgraphs.kernel.ids import AccountId, SessionId
from subgraphs.playback.adapters.valkey.leases import ValkeyStreamLeases, lease_keys
from tests.support.valkey_server import VALKEY_OR_REDIS, valkey_or_redis

ACCOUNT = AccountId("acc_1")
LIFE = timedelta(seconds=75)


@pytest.fixture(scope="module", params=VALKEY_OR_REDIS)
def valkey_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with valkey_or_redis(request.param) as url:
        yield url


@pytest.fixture
async def leases(redis: Redis) -> AsyncIterator[ValkeyStreamLeases]:
    leases = ValkeyStreamLeases(redis, LIFE)
    async with leases.running():
        yield leases


async def expire(redis: Redis, device_id: str) -> None:
    """As if this device had not reported for longer than a lease lasts."""
    await redis.zadd(lease_keys(ACCOUNT)[0], {device_id: 1})


async def test_never_more_than_the_limit_whatever_starts_at_once(redis: Redis, leases: ValkeyStreamLeases) -> None:
    """Sixty devices press play together; exactly four play."""

    answers = await asyncio.gather(
        *[leases.acquire(ACCOUNT, f"device-{number}", SessionId(f"s{number}"), 4) for number in range(60)]
    )

    assert sum(answer.granted for answer in answers) == 4
    assert all(0 < answer.retry_after_s <= 75 for answer in answers if not answer.granted)


async def test_a_device_starting_many_times_at_once_has_one_slot(redis: Redis, leases: ValkeyStreamLeases) -> None:
    """All are granted, the last one holds it, and another device still fits beside it."""
    await asyncio.gather(*[leases.acquire(ACCOUNT, "tv", SessionId(f"s{number}"), 2) for number in range(20)])

    holders = [number for number in range(20) if await leases.renew(ACCOUNT, "tv", SessionId(f"s{number}"), 2)]

    assert len(holders) == 1
    assert (await leases.acquire(ACCOUNT, "phone", SessionId("p"), 2)).granted


async def test_without_heartbeats_a_slot_falls_free(redis: Redis, leases: ValkeyStreamLeases) -> None:
    """The player that comes back finds its slot taken and must stop; with a free slot it would go on."""
    await leases.acquire(ACCOUNT, "tv", SessionId("s1"), 1)
    await expire(redis, "tv")
    sleeper_alone = await leases.renew(ACCOUNT, "tv", SessionId("s1"), 1)
    await expire(redis, "tv")

    taken = await leases.acquire(ACCOUNT, "phone", SessionId("s2"), 1)

    assert sleeper_alone
    assert taken.granted
    assert not await leases.renew(ACCOUNT, "tv", SessionId("s1"), 1)


async def test_a_replaced_session_can_not_free_the_slot(redis: Redis, leases: ValkeyStreamLeases) -> None:
    """Stopping late does not end what the device plays now."""
    await leases.acquire(ACCOUNT, "tv", SessionId("old"), 1)
    await leases.acquire(ACCOUNT, "tv", SessionId("new"), 1)

    await leases.release(ACCOUNT, "tv", SessionId("old"))

    assert not (await leases.acquire(ACCOUNT, "phone", SessionId("p"), 1)).granted


async def test_leases_leave_nothing_behind(redis: Redis, leases: ValkeyStreamLeases) -> None:
    """The keys end with the last lease even when nobody stops."""
    await ValkeyStreamLeases(redis, LIFE).acquire(ACCOUNT, "tv", SessionId("s"), 1)

    assert [0 < await redis.pttl(key) <= 75_000 for key in lease_keys(ACCOUNT)] == [True, True]


STEPS = st.lists(
    st.tuples(st.sampled_from(["acquire", "renew", "release", "expire"]), st.integers(0, 4), st.integers(0, 2)),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, limit=st.integers(1, 4))
def test_like_a_table_of_devices(valkey_url: str, steps: list[tuple[str, int, int]], limit: int) -> None:
    """Any sequence of operations gives what a plain table with the limit gives."""

    async def run() -> None:
        redis = Redis.from_url(valkey_url)
        await redis.delete(*lease_keys(ACCOUNT))
        leases, table = ValkeyStreamLeases(redis, LIFE), dict[str, str]()
        async with leases.running():
            for action, device_number, session_number in steps:
                device, session = f"d{device_number}", f"d{device_number}s{session_number}"
                answer, expected = await step(redis, leases, table, action, device, session, limit)
                assert answer == expected
                assert len(table) <= limit
        await redis.aclose()

    asyncio.run(run())


async def step(
    redis: Redis, leases: ValkeyStreamLeases, table: dict[str, str], action: str, device: str, session: str, limit: int
) -> tuple[Any, Any]:
    if action == "acquire":
        expected = device in table or len(table) < limit
        if expected:
            table[device] = session
        return (await leases.acquire(ACCOUNT, device, SessionId(session), limit)).granted, expected
    if action == "renew":
        expected = table.get(device) == session or (device not in table and len(table) < limit)
        if expected:
            table[device] = session
        return await leases.renew(ACCOUNT, device, SessionId(session), limit), expected
    if action == "release":
        if table.get(device) == session:
            del table[device]
        await leases.release(ACCOUNT, device, SessionId(session))
        return None, None
    if table.pop(device, None) is not None:
        await expire(redis, device)
    return None, None
