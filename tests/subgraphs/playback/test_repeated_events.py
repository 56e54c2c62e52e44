"""Events may come twice, late and out of order: what playback knows in the end is the same."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from common.events import Event
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.playback.domain.titles import withdrawn_title
from subgraphs.playback.services.follow_events import FollowEvents
from subgraphs.playback.stores import Stores
from tests.subgraphs.playback.conftest import Place, Player, Subgraph, published, snapshot

START = datetime(2026, 11, 1, tzinfo=UTC)
TITLES = [TitleId(each) for each in ("mov_1", "mov_2", "mov_3", "mov_4")]
ORDERS = 15


def of_snapshot(title_id: str, asset_id: str) -> dict[str, Any]:
    paths = published(title_id)["variants"]["clearkey"]
    return {"assetId": asset_id, **paths, "durationSeconds": 6000.0, "maxHeightPx": 720, "encryption": "clearkey"}


def happened() -> list[Event]:
    """What was told of four titles, in the order in which it happened."""
    told: list[tuple[str, str, dict[str, Any]]] = [
        ("titles", "title.changed", {"titles": [snapshot("mov_1"), snapshot("mov_2"), snapshot("mov_3")]}),
        ("assets", "asset.published", published("mov_1")),
        ("titles", "title.changed", {"titles": [snapshot("mov_1", asset=of_snapshot("mov_1", "ast_mov_1"))]}),
        ("assets", "asset.failed", {"titleId": "mov_2", "uploadId": "upl_1", "reason": "no picture"}),
        ("titles", "title.changed", {"titles": [snapshot("mov_2", minimumAge=18)]}),
        ("titles", "title.withdrawn", {"titleIds": ["mov_2", "mov_3", "mov_unknown"]}),
        ("assets", "asset.published", {**published("mov_1"), "assetId": "ast_new"}),
        ("titles", "availability.changed", {"changes": []}),
        ("titles", "title.changed", {"titles": [snapshot("mov_3", displayName="It is back")]}),
        # Two films of which only the titles subgraph's snapshots were heard.
        ("titles", "title.changed", {"titles": [snapshot("mov_4", asset=of_snapshot("mov_4", "ast_first"))]}),
        ("titles", "title.changed", {"titles": [snapshot("mov_4", asset=of_snapshot("mov_4", "ast_second"))]}),
    ]
    return [
        Event(topic, kind, data, START + timedelta(days=number), f"evt_{number}")
        for number, (topic, kind, data) in enumerate(told)
    ]


def in_world(number: int, events: list[Event]) -> list[Event]:
    """The same of other titles, so that one store serves many orders."""
    told = json.dumps([event.data for event in events]).replace("mov_", f"mov_w{number}_")
    return [replace(event, data=data) for event, data in zip(events, json.loads(told), strict=True)]


async def known_after(stores: Stores, world: int, events: list[Event]) -> str:
    """Titles and films. Of a title that is withdrawn only that counts: nobody is shown the rest."""
    follow = FollowEvents(stores.catalogue, stores.bookmarks, None)  # type: ignore[arg-type]  # no account is told of
    for event in in_world(world, events):
        await follow.handlers()[event.topic](event)
    ids = [TitleId(each.replace("mov_", f"mov_w{world}_")) for each in TITLES]
    titles, films = await stores.catalogue.titles_by_id(ids), await stores.catalogue.assets_by_title(ids)
    shown = [withdrawn_title(each) if titles[each].facts.is_withdrawn else titles[each] for each in ids]
    return "\n".join(map(str, [*shown, *(films.get(each) for each in ids)])).replace(f"mov_w{world}_", "mov_")


async def test_in_any_order_and_twice_the_same_is_known(place: Place) -> None:
    """Of many orders with repetitions each ends as the right one."""
    chance = random.Random(7)
    async with place.open() as stores:
        right = await known_after(stores, 0, happened())
        assert right.count("is_withdrawn=True") == 1
        assert "It is back" in right
        assert ("ast_new" in right, "ast_second" in right, "ast_first" in right) == (True, True, False)
        for world in range(1, ORDERS + 1):
            events = happened() * 2
            chance.shuffle(events)
            assert await known_after(stores, world, events) == right


async def test_what_ends_a_viewer_may_be_heard_twice(subgraph: Subgraph, viewer: Any, play: Any) -> None:
    """A removed device, a deleted profile and an erased account leave nothing either time, in any order."""
    await subgraph.tell_titles(snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    account_id = AccountId(viewer.account_id)
    removed = {"accountId": account_id, "deviceId": "dev_1", "clientHash": "0" * 64}
    chance = random.Random(7)
    # A profile that was deleted plays nothing more.
    for profile_id in (ProfileId(f"prof_{number}") for number in range(4)):
        deleted = {"accountId": account_id, "profileId": profile_id}
        erased = {"accountId": account_id, "profileIds": [profile_id, "prof_unknown"]}
        told = [
            Event("accounts", kind, data, subgraph.clock.now(), f"evt_{number}")
            for number, (kind, data) in enumerate(
                [("device.removed", removed), ("profile.deleted", deleted), ("account.erased", erased)]
            )
        ]
        player: Player = await play("mov_1", as_viewer=replace(viewer, profile_id=profile_id))
        await player.report(100)
        events = told * 2
        chance.shuffle(events)
        for event in events:
            await subgraph.follow.on_accounts(event)
        assert await subgraph.services.record._bookmarks.bookmarks(profile_id, [TitleId("mov_1")]) == []
        assert (await player.report(101))["__typename"] == "SessionNotFound"
