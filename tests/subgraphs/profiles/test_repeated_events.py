"""Events may come twice, late and out of order: what profiles knows of titles in the end is the same."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from common.events import Event
from subgraphs.kernel.ids import TitleId
from subgraphs.profiles.adapters.sqlalchemy.title_facts import SqlTitleFactsStore
from subgraphs.profiles.services.title_news import TitleNews

START = datetime(2026, 11, 1, tzinfo=UTC)
TITLES = ("mov_1", "mov_2", "mov_3", "mov_never_told")
ORDERS = 25


def snapshot(title_id: str, **changes: Any) -> dict[str, Any]:
    everywhere = {"country": "*", "from": None, "until": None}
    told = {"id": title_id, "kind": "MOVIE", "minimumAge": 12, "isKids": False}
    return {**told, "windows": [everywhere], "blockedCountries": [], **changes}


def happened() -> list[Event]:
    """What was told of titles, in the order in which it happened."""
    told: list[tuple[str, dict[str, Any]]] = [
        ("title.changed", {"titles": [snapshot("mov_1"), snapshot("mov_2"), snapshot("mov_3")]}),
        ("title.changed", {"titles": [snapshot("mov_1", minimumAge=18)]}),
        ("title.withdrawn", {"titleIds": ["mov_2", "mov_3", "mov_never_told"]}),
        ("availability.changed", {"changes": []}),
        ("title.changed", {"titles": [snapshot("mov_3", isKids=True, minimumAge=0)]}),
        ("title.changed", {"titles": [snapshot("mov_1", blockedCountries=["DE"])]}),
    ]
    return [
        Event("titles", kind, data, START + timedelta(days=number), f"evt_{number}")
        for number, (kind, data) in enumerate(told)
    ]


async def known_after(store: SqlTitleFactsStore, world: int, events: list[Event]) -> list[Any]:
    """The facts; each world has titles of its own. Of one that is withdrawn only that counts: nobody sees the rest."""
    news = TitleNews(store)
    told = json.loads(json.dumps([event.data for event in events]).replace("mov_", f"mov_w{world}_"))
    for event, data in zip(events, told, strict=True):
        await news.handle(replace(event, data=data))
    ids = [TitleId(each.replace("mov_", f"mov_w{world}_")) for each in TITLES]
    found = {id_: known.facts for id_, known in (await store.titles_by_id(ids)).items()}
    return ["withdrawn" if found[each].is_withdrawn else found[each] for each in ids]


async def test_in_any_order_and_twice_the_same_is_known(any_engine: AsyncEngine) -> None:
    """Of many orders with repetitions each ends as the right one."""
    chance, store = random.Random(7), SqlTitleFactsStore(any_engine)
    right = await known_after(store, 0, happened())
    assert [right[1], right[3]] == ["withdrawn", "withdrawn"]
    assert (right[0].blocked_countries, right[0].minimum_age, right[2].is_kids) == (frozenset({"DE"}), 12, True)
    for world in range(1, ORDERS + 1):
        events = happened() * 2
        chance.shuffle(events)
        assert await known_after(store, world, events) == right
