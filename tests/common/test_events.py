"""Events over a real Valkey: at least once, in order, nothing lost when a consumer dies, poison buried."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from common import events
from common.errors import ErrorKind, ServiceError
from common.events import ConsumerLag, Event, EventConsumer, EventPublisher, dead_letter_key, stream_key

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
WAIT_S = 10.0


def event(number: int, *, id_: str = "", topic: str = "titles") -> Event:
    data = {"titleIds": [], "number": number}  # members beyond the catalogue's are for newer readers
    return Event(topic=topic, kind="title.withdrawn", data=data, occurred_at=AT, id=id_)


class Handler:
    """Collects events; fails on the numbers in `failing`."""

    def __init__(self, failing: frozenset[int] = frozenset()) -> None:
        self.seen: list[Event] = []
        self.failing = failing

    async def __call__(self, received: Event) -> None:
        self.seen.append(received)
        if received.data["number"] in self.failing:
            raise ValueError(f"can't digest {received.data['number']}")

    @property
    def numbers(self) -> list[int]:
        return [received.data["number"] for received in self.seen]


async def run_until(consumer: EventConsumer, condition: Callable[[], Awaitable[bool]]) -> None:
    async with consumer.running(), asyncio.timeout(WAIT_S):
        while not await condition():  # noqa: ASYNC110  # the other side is a server
            await asyncio.sleep(0.005)


async def dead_letters(redis: Redis) -> Any:
    return await redis.xrange(dead_letter_key("titles"))


def consumer_of(redis: Redis, handler: Handler, *, name: str = "one", topic: str = "titles") -> EventConsumer:
    return EventConsumer(redis, group="profiles", consumer=name, handlers={topic: handler})


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("decode", [False, True])
async def test_delivers_in_order_whatever_the_protocol_version(valkey_url: str, protocol: int, decode: bool) -> None:
    """Published events arrive once each, in order, with their fields."""
    redis = Redis.from_url(valkey_url, protocol=protocol, decode_responses=decode)
    await redis.flushdb()
    handler = Handler()
    publisher = EventPublisher(redis)
    for number in range(150):  # more than two batches
        await publisher.publish(event(number))

    consumer = consumer_of(redis, handler)

    async def all_acknowledged() -> bool:
        return len(handler.seen) >= 150 and await consumer.lag("titles") == ConsumerLag(undelivered=0, pending=0)

    await run_until(consumer, all_acknowledged)

    assert handler.numbers == list(range(150))
    first = handler.seen[0]
    assert (first.topic, first.kind, first.occurred_at) == ("titles", "title.withdrawn", AT)
    await redis.aclose()


async def test_keeps_the_publishers_event_id(redis: Redis) -> None:
    """A publisher's own id survives, so that a repeated publication can be told; without one it is the entry's."""
    handler = Handler()
    publisher = EventPublisher(redis)
    await publisher.publish(event(1, id_="evt_1"))
    entry_id = await publisher.publish(event(2))

    async def both() -> bool:
        return len(handler.seen) == 2

    await run_until(consumer_of(redis, handler), both)
    assert [seen.id for seen in handler.seen] == ["evt_1", entry_id]


async def test_every_group_gets_every_event(redis: Redis) -> None:
    """Two services read the same topic independently, from its beginning."""
    await EventPublisher(redis).publish(event(1))
    first, second = Handler(), Handler()

    async def first_seen() -> bool:
        return len(first.seen) == 1

    async def second_seen() -> bool:
        return len(second.seen) == 1

    await run_until(EventConsumer(redis, group="a", consumer="c", handlers={"titles": first}), first_seen)
    await run_until(EventConsumer(redis, group="b", consumer="c", handlers={"titles": second}), second_seen)
    assert (first.numbers, second.numbers) == ([1], [1])


async def test_what_a_dead_process_had_taken_comes_first_after_its_restart(redis: Redis) -> None:
    """Events that a consumer took and never acknowledged are delivered to the same name again, in order."""
    publisher = EventPublisher(redis)
    await redis.xgroup_create(stream_key("titles"), "profiles", id="0", mkstream=True)
    for number in (1, 2):
        await publisher.publish(event(number))
    await redis.xreadgroup("profiles", "one", {stream_key("titles"): ">"})  # taken, never acknowledged
    await publisher.publish(event(3))
    handler = Handler()

    async def all_seen() -> bool:
        return len(handler.seen) == 3

    await run_until(consumer_of(redis, handler), all_seen)
    assert handler.numbers == [1, 2, 3]


async def test_another_consumer_claims_what_a_dead_one_had_taken(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a silence, a consumer of the same group takes over."""
    monkeypatch.setattr(events, "CLAIM_IDLE_MS", 0)
    await redis.xgroup_create(stream_key("titles"), "profiles", id="0", mkstream=True)
    await EventPublisher(redis).publish(event(1))
    await redis.xreadgroup("profiles", "dead", {stream_key("titles"): ">"})
    handler = Handler()

    consumer = consumer_of(redis, handler, name="alive")

    async def acknowledged() -> bool:
        return handler.numbers == [1] and (await consumer.lag("titles")).pending == 0

    await run_until(consumer, acknowledged)


async def test_poison_is_buried_after_three_deliveries_and_blocks_nobody(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failing event is tried three times, then kept with its error among the dead letters; its neighbours pass."""
    monkeypatch.setattr(events, "CLAIM_IDLE_MS", 0)
    monkeypatch.setattr(events, "BLOCK_MS", 5)
    for number in (1, 2, 3):
        await EventPublisher(redis).publish(event(number))
    handler = Handler(failing=frozenset({2}))

    consumer = consumer_of(redis, handler)

    async def buried() -> bool:
        # The letter comes first and the acknowledgement after it, so that nothing is lost between the two.
        return await redis.xlen(dead_letter_key("titles")) == 1 and (await consumer.lag("titles")).pending == 0

    await run_until(consumer, buried)

    assert handler.numbers.count(2) == 3
    assert {1, 3} <= set(handler.numbers)
    letters: Any = await redis.xrange(dead_letter_key("titles"))
    [(_, letter)] = letters
    assert letter[b"error"] == b"can't digest 2"
    assert letter[b"group"] == b"profiles"


async def test_an_outage_of_the_handlers_store_buries_nothing(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is delivered until the store is back, far more than three times; an outage without end is buried, too."""
    monkeypatch.setattr(events, "CLAIM_IDLE_MS", 0)
    monkeypatch.setattr(events, "BLOCK_MS", 5)
    monkeypatch.setattr(events, "MAX_DELIVERIES_IN_OUTAGE", 12)
    tries: dict[int, int] = {1: 0, 2: 0}

    async def handle(received: Event) -> None:
        tries[received.data["number"]] += 1
        if received.data["number"] == 2 or tries[1] < 10:
            raise ServiceError(ErrorKind.UNAVAILABLE, "the store can't be reached or is busy; try again")

    for number in tries:
        await EventPublisher(redis).publish(event(number))
    consumer = EventConsumer(redis, group="profiles", consumer="one", handlers={"titles": handle})

    async def nothing_waits() -> bool:
        return tries[2] > 0 and await consumer.lag("titles") == ConsumerLag(undelivered=0, pending=0)

    await run_until(consumer, nothing_waits)
    assert tries == {1: 10, 2: 12}
    assert [letter[b"error"] for _, letter in await dead_letters(redis)] == [
        b"the store can't be reached or is busy; try again"
    ]


async def test_a_malformed_entry_is_buried_like_poison(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that is no event of ours fails its deliveries instead of stopping the consumer."""
    monkeypatch.setattr(events, "CLAIM_IDLE_MS", 0)
    monkeypatch.setattr(events, "BLOCK_MS", 5)
    await redis.xadd(stream_key("titles"), {"what": "is this"})
    await EventPublisher(redis).publish(event(1))
    handler = Handler()

    async def buried() -> bool:
        return await redis.xlen(dead_letter_key("titles")) == 1 and handler.numbers == [1]

    await run_until(consumer_of(redis, handler), buried)


async def test_a_pending_event_that_was_trimmed_is_given_up(redis: Redis) -> None:
    """What the stream no longer holds can't be delivered; it is acknowledged, and the rest goes on."""
    await redis.xgroup_create(stream_key("titles"), "profiles", id="0", mkstream=True)
    await EventPublisher(redis).publish(event(1))
    await redis.xreadgroup("profiles", "one", {stream_key("titles"): ">"})
    await redis.xtrim(stream_key("titles"), maxlen=0, approximate=False)
    await EventPublisher(redis).publish(event(2))
    handler = Handler()

    consumer = consumer_of(redis, handler)

    async def acknowledged() -> bool:
        return handler.numbers == [2] and (await consumer.lag("titles")).pending == 0

    await run_until(consumer, acknowledged)


async def test_a_group_that_vanished_is_made_anew(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the server lost everything (a flush), the consumer goes on with what is published then."""
    monkeypatch.setattr(events, "BLOCK_MS", 5)
    monkeypatch.setattr(events, "RECONNECT_S", 0.01)
    handler = Handler()
    await EventPublisher(redis).publish(event(1))
    async with consumer_of(redis, handler).running(), asyncio.timeout(WAIT_S):
        while handler.numbers != [1]:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        await redis.flushdb()
        await EventPublisher(redis).publish(event(2))
        while handler.numbers != [1, 2]:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_lag_of_a_group_that_is_unknown(redis: Redis) -> None:
    """A group that never read has nothing pending and an unknown distance."""
    await EventPublisher(redis).publish(event(1))
    lag = await EventConsumer(redis, group="nobody", consumer="c", handlers={}).lag("titles")
    assert lag == ConsumerLag(undelivered=None, pending=0)
