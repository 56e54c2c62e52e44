"""An account's entries leave the streams, to the last byte, and everything else in them stays as it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from common.dead_letters import DeadLetters, read_group_lags
from common.event_erasure import EventErasure
from common.events import ConsumerLag, Event, EventConsumer, EventPublisher, dead_letter_key, stream_key

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
TOPIC = "feedback"
STREAM = stream_key(TOPIC)


def listed(profile_id: str, number: int = 1) -> Event:
    data = {"profileId": profile_id, "titleId": f"mov_{number}", "inList": True}
    return Event(topic=TOPIC, kind="list.changed", data=data, occurred_at=AT)


def erased(account_id: str) -> Event:
    data = {"accountId": account_id, "profileIds": []}
    return Event(topic="accounts", kind="account.erased", data=data, occurred_at=AT)


async def publish(redis: Redis, *profile_ids: str) -> list[str]:
    publisher = EventPublisher(redis)
    return [await publisher.publish(listed(each, number)) for number, each in enumerate(profile_ids)]


async def test_entries_dead_letters_and_pending_ones_are_erased(redis: Redis) -> None:
    """Those of the account, wherever they are; not those of others."""
    ids = await publish(redis, "prof_a", "prof_b", "prof_a")
    await redis.xgroup_create(STREAM, "readers", id="0")
    await redis.xreadgroup("readers", "one", {STREAM: ">"})
    await redis.xadd(dead_letter_key(TOPIC), {"data": '{"profileId":"prof_a"}', "group": "readers"})
    erasure = EventErasure(redis)

    assert await erasure.count(["prof_a"]) == {f"stream:{STREAM}": 2, f"stream:{dead_letter_key(TOPIC)}": 1}
    assert await erasure.erase(["prof_a"]) == {f"stream:{STREAM}": 2, f"stream:{dead_letter_key(TOPIC)}": 1}
    assert set((await erasure.count(["prof_a"])).values()) == {0}
    [(kept, _)] = await redis.xrange(STREAM)
    assert kept.decode() == ids[1]
    pending: Any = await redis.xpending(STREAM, "readers")
    assert pending["pending"] == 1


async def test_the_news_of_an_erasure_is_spared_until_all_have_heard_it(redis: Redis) -> None:
    """Read is not enough: acknowledged by every group."""
    await EventPublisher(redis).publish(erased("acc_a"))
    key = stream_key("accounts")
    for group in ("first", "second"):
        await redis.xgroup_create(key, group, id="0")
    erasure = EventErasure(redis)
    for group in ("first", "second"):
        assert set((await erasure.erase(["acc_a"], spare_unheard=True)).values()) == {0}
        rows: Any = await redis.xreadgroup(group, "one", {key: ">"})
        assert set((await erasure.erase(["acc_a"], spare_unheard=True)).values()) == {0}
        await redis.xack(key, group, rows[0][1][0][0] if isinstance(rows, list) else rows[key.encode()][0][0][0])
    assert set((await erasure.erase(["acc_a"], spare_unheard=True)).values()) == {1}


async def test_scrubbing_leaves_no_byte_and_changes_nothing_else(redis: Redis) -> None:
    """Entries, ids, groups, their places, what is pending and how often it was delivered are as before."""
    await publish(redis, *(f"prof_{number % 7}" for number in range(50)))
    await redis.xgroup_create(STREAM, "readers", id="0")
    await redis.xgroup_create(STREAM, "idle", id="0")
    await redis.xreadgroup("readers", "one", {STREAM: ">"}, count=20)
    await redis.xreadgroup("readers", "two", {STREAM: ">"}, count=5)
    erasure = EventErasure(redis)
    await erasure.erase(["prof_3"])
    before = await state_of(redis)

    await erasure.scrub()

    assert await state_of(redis) == before
    assert len(before["entries"]) == 43
    await publish(redis, "prof_9")
    assert len(await redis.xrange(STREAM)) == 44


async def test_scrubbing_an_emptied_stream_keeps_its_groups(redis: Redis) -> None:
    """Also when nothing is left in it."""
    await publish(redis, "prof_a")
    await redis.xgroup_create(STREAM, "readers", id="0")
    erasure = EventErasure(redis)
    await erasure.erase(["prof_a"])
    before = await state_of(redis)
    await erasure.scrub()
    assert await state_of(redis) == before


async def state_of(redis: Redis) -> dict[str, Any]:
    stream: Any = await redis.xinfo_stream(STREAM)
    groups: Any = await redis.xinfo_groups(STREAM)
    pending = {
        row["name"]: [
            {name: value for name, value in each.items() if name != "time_since_delivered"}
            for each in await redis.xpending_range(STREAM, row["name"], "-", "+", 100)
        ]
        for row in groups
    }
    return {
        "entries": await redis.xrange(STREAM),
        "last": stream["last-generated-id"],
        "added": stream["entries-added"],
        "groups": {row["name"]: (row["last-delivered-id"], row["pending"], row["entries-read"]) for row in groups},
        "pending": pending,
    }


class Handler:
    """Collects events, and fails while it is broken."""

    def __init__(self) -> None:
        self.seen: list[Event] = []
        self.is_broken = True

    async def __call__(self, event: Event) -> None:
        self.seen.append(event)
        if self.is_broken:
            raise ValueError("broken")


async def deliver(consumer: EventConsumer, redis: Redis, *, until: Any) -> None:
    import asyncio

    async with consumer.running(), asyncio.timeout(10):
        while not await until():  # noqa: ASYNC110  # the other side is a server
            await asyncio.sleep(0.005)


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    from common import events

    monkeypatch.setattr(events, "CLAIM_IDLE_MS", 0)
    monkeypatch.setattr(events, "BLOCK_MS", 5)
    monkeypatch.setattr(events, "RECONNECT_S", 0.01)


@pytest.mark.usefixtures("fast")
async def test_a_dead_letter_comes_back_for_the_group_that_failed(redis: Redis) -> None:
    """Listed with its error, retried once the cause is mended, with the id it had, and heard by no other group."""
    broken, fine = Handler(), Handler()
    fine.is_broken = False
    first = EventConsumer(redis, group="broken", consumer="c", handlers={TOPIC: broken})
    second = EventConsumer(redis, group="fine", consumer="c", handlers={TOPIC: fine})
    await publish(redis, "prof_a")
    letters = DeadLetters(redis, TOPIC)

    async def buried() -> bool:
        return await letters.count() == 1 and (await first.lag(TOPIC)).pending == 0

    await deliver(first, redis, until=buried)
    [letter] = await letters.list(10)
    assert (letter.group, letter.kind, letter.error) == ("broken", "list.changed", "broken")

    broken.is_broken = False
    assert await letters.retry(letter.id)
    assert not await letters.retry(letter.id)

    async def taken() -> bool:
        return all([(await each.lag(TOPIC)) == ConsumerLag(0, 0) for each in (first, second)])

    await deliver(first, redis, until=lambda: _lag_is_zero(first))
    await deliver(second, redis, until=taken)
    assert [event.id for event in broken.seen] == [letter.event_id] * 4
    assert len(fine.seen) == 1
    assert await letters.count() == 0
    lags = {row.group: row.lag for row in await read_group_lags(redis)}
    assert lags == {"broken": ConsumerLag(0, 0), "fine": ConsumerLag(0, 0)}


async def _lag_is_zero(consumer: EventConsumer) -> bool:
    return await consumer.lag(TOPIC) == ConsumerLag(0, 0)


async def test_a_dead_letter_is_dropped(redis: Redis) -> None:
    """And is gone; an unknown one is said to be."""
    letter_id = await redis.xadd(dead_letter_key(TOPIC), {"kind": "x", "group": "g", "event_id": "1-1"})
    letters = DeadLetters(redis, TOPIC)
    assert await letters.drop(letter_id.decode())
    assert not await letters.drop(letter_id.decode())
    assert not await letters.retry("1-1")


@pytest.mark.usefixtures("fast")
async def test_an_event_of_another_shape_is_buried_at_once(redis: Redis) -> None:
    """No handler sees it, and no second delivery is tried."""
    handler = Handler()
    await redis.xadd(STREAM, {"kind": "list.changed", "at": AT.isoformat(), "data": '{"profileId": 7}'})
    consumer = EventConsumer(redis, group="g", consumer="c", handlers={TOPIC: handler})
    letters = DeadLetters(redis, TOPIC)

    async def buried() -> bool:
        return await letters.count() == 1 and (await consumer.lag(TOPIC)).pending == 0

    await deliver(consumer, redis, until=buried)
    assert handler.seen == []
    [letter] = await letters.list(10)
    assert "list.changed in topic feedback" in letter.error


@pytest.mark.usefixtures("fast")
async def test_trimmed_events_are_noticed(redis: Redis) -> None:
    """A group that was behind what was trimmed is told so, and goes on with what is there."""
    handler, gaps = Handler(), []
    handler.is_broken = False
    await redis.xgroup_create(STREAM, "g", id="0", mkstream=True)
    await publish(redis, *["prof_a"] * 10)
    await redis.xreadgroup("g", "c", {STREAM: ">"}, count=4, noack=True)
    await redis.xtrim(STREAM, maxlen=3, approximate=False)

    async def on_gap(topic: str) -> None:
        gaps.append(topic)

    consumer = EventConsumer(redis, group="g", consumer="c", handlers={TOPIC: handler}, on_gap=on_gap)

    async def all_seen() -> bool:
        return len(handler.seen) == 3

    await deliver(consumer, redis, until=all_seen)
    assert gaps == [TOPIC]


@pytest.mark.usefixtures("fast")
async def test_a_flushed_server_is_noticed(redis: Redis) -> None:
    """All groups are gone with it: what was missed is unknown, and asked for."""
    handler, gaps = Handler(), []
    handler.is_broken = False

    async def on_gap(topic: str) -> None:
        gaps.append(topic)

    consumer = EventConsumer(redis, group="g", consumer="c", handlers={TOPIC: handler}, on_gap=on_gap)
    await publish(redis, "prof_a")

    async def first_seen() -> bool:
        return len(handler.seen) == 1

    await deliver(consumer, redis, until=first_seen)
    gaps.clear()
    await redis.flushdb()

    async def noticed() -> bool:
        return gaps == [TOPIC]

    await deliver(consumer, redis, until=noticed)
