"""Events may come twice, late and out of order: what is known in the end is the same."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import delete

from common.events import Event
from subgraphs.kernel.sql import writing
from subgraphs.recommendations.adapters.sqlalchemy.titles import titles

START = datetime(2026, 11, 1, tzinfo=UTC)
PROFILE, ACCOUNT = "prof_1", "acc_1"


def happened() -> list[Event]:
    """A profile's fortnight, in the order in which it happened."""
    told: list[tuple[str, str, dict[str, Any]]] = [
        ("accounts", "profile.created", {"country": "FI"}),
        ("feedback", "list.changed", {"titleId": "mov_1", "inList": True}),
        ("viewing", "title.watched", {"titleId": "mov_1", "positionSeconds": 60, "completed": False}),
        ("viewing", "title.watched", {"titleId": "mov_1", "positionSeconds": 99, "completed": True}),
        ("feedback", "title.rated", {"titleId": "mov_1", "stars": 2}),
        ("feedback", "title.rated", {"titleId": "mov_1", "stars": 5}),
        ("feedback", "list.changed", {"titleId": "mov_1", "inList": False}),
        ("viewing", "title.watched", {"titleId": "mov_2", "positionSeconds": 10, "completed": False}),
        ("accounts", "profile.changed", {"country": "SE"}),
        ("feedback", "title.rated", {"titleId": "mov_2", "stars": 3}),
        ("feedback", "title.rated", {"titleId": "mov_2", "stars": None}),
    ]
    events = []
    for number, (topic, kind, data) in enumerate(told):
        at = START + timedelta(days=number)
        common = {"profileId": PROFILE, "accountId": ACCOUNT, "durationSeconds": 100, "occurredAt": at.isoformat()}
        events.append(Event(topic=topic, kind=kind, data={**common, **data}, occurred_at=at, id=f"evt_{number}"))
    return events


async def known_after(subgraph: Any, redis: Redis, events: list[Event]) -> dict[bytes, bytes]:
    """The profile's taste as stored, without the counter of its changes."""
    await redis.flushdb()
    handlers = subgraph.follow.handlers()
    for event in events:
        await handlers[event.topic](event)
    taste: dict[bytes, bytes] = await redis.hgetall(f"marquee:taste:{PROFILE}")  # type: ignore[misc]
    taste.pop(b"v")
    return taste


async def test_in_any_order_and_twice_the_same_is_known(subgraph: Any, redis: Redis) -> None:
    """Of forty orders with repetitions each ends as the right one."""
    right = await known_after(subgraph, redis, happened())
    assert len(right) >= 5
    chance = random.Random(7)
    for _ in range(40):
        events = happened() * 2
        chance.shuffle(events)
        assert await known_after(subgraph, redis, events) == right


async def test_in_any_order_and_twice_the_same_interactions_are_told(subgraph: Any, redis: Redis) -> None:
    """The last decision of an account counts, in whatever order the decisions are heard."""
    chance = random.Random(7)
    decided = [
        Event(
            topic="accounts",
            kind="consent.changed",
            data={"accountId": account_id, "profileIds": [], "purpose": "PERSONALISATION", "granted": granted},
            occurred_at=START + timedelta(days=number),
            id=f"evt_{number}",
        )
        for number, (account_id, granted) in enumerate(
            [("acc_1", False), ("acc_2", True), ("acc_1", True), ("acc_2", False), ("acc_1", False), ("acc_1", True)]
        )
    ]
    for _ in range(20):
        await redis.flushdb()
        events = decided * 2
        chance.shuffle(events)
        for event in events:
            await subgraph.follow.handlers()["accounts"](event)
        refused = [await subgraph.follow._interactions._events.is_refused(each) for each in ("acc_1", "acc_2", "acc_3")]
        assert refused == [False, True, False]


def told_of_titles(make_snapshot: Any) -> list[Event]:
    """A title renamed and withdrawn and shown again, one withdrawn for good, and one of which that alone is heard."""
    news: list[tuple[str, dict[str, Any]]] = [
        ("title.changed", {"titles": [make_snapshot("mov_a"), make_snapshot("mov_b")]}),
        ("title.changed", {"titles": [make_snapshot("mov_a", displayName="Second")]}),
        ("title.withdrawn", {"titleIds": ["mov_a", "mov_b", "mov_c"]}),
        ("title.changed", {"titles": [make_snapshot("mov_a", displayName="Last")]}),
    ]
    return [
        Event(topic="titles", kind=kind, data=data, occurred_at=START + timedelta(days=number), id=f"evt_{number}")
        for number, (kind, data) in enumerate(news)
    ]


async def test_in_any_order_and_twice_the_same_titles_are_known(subgraph: Any, make_snapshot: Any) -> None:
    """What was said last of a title holds, in memory and in the store, also where a withdrawal is heard first."""
    chance = random.Random(7)
    follow, models = subgraph.follow, subgraph.models
    for _ in range(15):
        async with writing(models._titles._engine) as connection:
            await connection.execute(delete(titles))
        await models.load()
        events = told_of_titles(make_snapshot) * 2
        chance.shuffle(events)
        for event in events:
            await follow.on_titles(event)

        in_memory = {each.id: (each.display_name, each.facts.is_withdrawn) for each in models._records.values()}
        stored = {each.id: (each.display_name, each.facts.is_withdrawn) for each in await models._titles.load()}
        # Of what is withdrawn nothing is shown, and so nothing need be known.
        visible = {"mov_a": ("Last", False)}
        assert {key: value for key, value in in_memory.items() if not value[1]} == visible
        assert {key: value for key, value in stored.items() if not value[1]} == visible


async def test_an_erasure_is_heard_twice(subgraph: Any, redis: Redis) -> None:
    """And leaves nothing either time."""
    event = Event(
        topic="accounts",
        kind="account.erased",
        data={"accountId": ACCOUNT, "profileIds": [PROFILE, "prof_unknown"]},
        occurred_at=START + timedelta(days=60),
        id="evt_last",
    )
    await known_after(subgraph, redis, happened())
    for _ in range(2):
        await subgraph.follow.handlers()["accounts"](event)
        assert not await redis.exists(f"marquee:taste:{PROFILE}")
