"""What processes that are gone leave in a stream is taken away, and nothing of those that run or may come back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from common import events
from common.events import Event, EventConsumer, stream_key
from common.idle_members import remove_idle

TOPIC = "titles"
STREAM = stream_key(TOPIC)


async def read_as(redis: Redis, group: str, member: str, count: int = 1) -> list[Any]:
    """Take entries without finishing them, as a process that dies then; 0: none, but it was there."""
    await redis.xgroup_create(STREAM, group, id="0" if count else "$", mkstream=True)
    return await redis.xreadgroup(group, member, {STREAM: ">"}, count=max(1, count))


async def names(redis: Redis, group: str | None = None) -> set[str]:
    """Of all groups, or of a group's members."""
    rows: Any = await (redis.xinfo_groups(STREAM) if group is None else redis.xinfo_consumers(STREAM, group))
    return {row["name"].decode() for row in rows}


async def tell(redis: Redis) -> None:
    await redis.xadd(STREAM, {"kind": "title.withdrawn"})


@pytest.fixture
async def telling(redis: Redis) -> Redis:
    """A server that tells who asked when."""
    if await is_older(redis):
        pytest.skip("Redis before 7.2 does not tell since when nobody asked")
    return redis


async def is_older(redis: Redis) -> bool:
    about: Any = await redis.info("server")
    return str(about["redis_version"]).startswith(("6.", "7.0."))


async def test_idle_members_with_nothing_pending_are_taken_out(telling: Redis) -> None:
    """One that has something pending stays until another has taken that over."""
    await tell(telling)
    await read_as(telling, "titles", "dead-with-work-4002")
    for member in ("dead-4002", "here-4002"):
        await telling.xreadgroup("titles", member, {STREAM: ">"})
    await asyncio.sleep(0.1)
    await telling.xreadgroup("titles", "here-4002", {STREAM: ">"})

    assert await remove_idle(telling, STREAM, "titles", None, 50) == (1, 0)

    assert await names(telling, "titles") == {"dead-with-work-4002", "here-4002"}
    assert (await telling.xpending(STREAM, "titles"))["pending"] == 1


async def test_own_groups_of_processes_that_are_gone_are_taken_away(telling: Redis) -> None:
    """Also with work that nobody will do; never a group that processes share, nor one that is just being made."""
    await tell(telling)
    for group in ("titles-dead-4002", "recommendations", "titles", "titles-here-4002"):
        await read_as(telling, group, "one")
    await telling.xgroup_create(STREAM, "titles-new-4002", id="0")
    await asyncio.sleep(0.1)
    await telling.xreadgroup("titles-here-4002", "one", {STREAM: ">"})

    assert await remove_idle(telling, STREAM, "titles-here-4002", "titles-", 50) == (0, 1)

    assert await names(telling) == {"recommendations", "titles", "titles-here-4002", "titles-new-4002"}


async def test_a_consumer_takes_them_away_when_it_comes(telling: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of before in its own group, and with a group of its own those of other processes."""
    monkeypatch.setattr(events, "IDLE_MS", 50)
    await tell(telling)
    await read_as(telling, "titles-dead-4002", "news")
    await read_as(telling, "titles-here-4002", "before", count=0)
    await asyncio.sleep(0.1)
    consumer = EventConsumer(
        telling, group="titles-here-4002", consumer="news", handlers={TOPIC: ignore}, own_groups="titles-"
    )

    async with consumer.running(), asyncio.timeout(10):
        while await names(telling, "titles-here-4002") != {"news"}:  # noqa: ASYNC110  # the other side is a server
            await asyncio.sleep(0.005)

    assert await names(telling) == {"titles-here-4002"}


async def ignore(_event: Event) -> None:
    """Nothing is of interest."""


async def test_a_server_that_does_not_tell_who_asked_keeps_all(redis: Redis) -> None:
    """There a process that hears nothing looks as one that is gone."""
    if not await is_older(redis):
        pytest.skip("this server tells")
    await tell(redis)
    for group in ("titles-dead-4002", "titles-here-4002"):
        await read_as(redis, group, "news")
    await asyncio.sleep(0.1)

    assert await remove_idle(redis, STREAM, "titles-here-4002", "titles-", 50) == (0, 0)

    assert await names(redis) == {"titles-dead-4002", "titles-here-4002"}
