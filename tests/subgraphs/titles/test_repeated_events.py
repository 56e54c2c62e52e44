"""Events may come twice, late and out of order: what titles knows in the end is the same."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from common.errors import ErrorKind, ServiceError
from common.events import Event, EventPublisher, stream_key
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.adapters.search_events import ValkeySearchEvents
from subgraphs.titles.domain.title import Media, Title
from subgraphs.titles.services.media import MediaReports
from subgraphs.titles.services.republishing import Republishing
from subgraphs.titles.services.search_log import GATHER_S, SearchLog
from tests.subgraphs.titles.conftest import ADULT, CHILD, NOW, Parts

START = datetime(2026, 11, 1, tzinfo=UTC)
FILMS = [TitleId("mov_marquee-demo"), TitleId("mov_cops-1922")]
ORDERS = 40


def events(topic: str, *told: tuple[str, dict[str, Any]]) -> list[Event]:
    """A day after each other."""
    return [
        Event(topic, kind, data, START + timedelta(days=number), f"evt_{number}")
        for number, (kind, data) in enumerate(told)
    ]


def published(title_id: str, asset_id: str, duration_s: float) -> dict[str, Any]:
    paths = {"hls": f"assets/{asset_id}/clear/master.m3u8", "dash": f"assets/{asset_id}/clear/manifest.mpd"}
    return {
        "titleId": title_id,
        "assetId": asset_id,
        "variants": {"clear": paths},
        "durationSeconds": duration_s,
        "maxHeightPx": 720,
    }


def failed(title_id: str) -> dict[str, Any]:
    return {"titleId": title_id, "uploadId": "upl_1", "reason": "no picture"}


ASSETS = events(
    "assets",
    ("asset.failed", failed(FILMS[0])),
    ("asset.published", published(FILMS[0], "ast_first", 100.2)),
    ("asset.published", published(FILMS[1], "ast_other", 50.0)),
    ("asset.failed", failed(FILMS[1])),
    ("asset.published", published(FILMS[0], "ast_second", 120.2)),
    ("asset.failed", failed("mov_unknown")),
)
ACCOUNTS = events(
    "accounts",
    *[
        ("consent.changed", {"accountId": account_id, "purpose": purpose, "granted": granted})
        for account_id, purpose, granted in (
            ("acc_1", "PERSONALISATION", False),
            ("acc_2", "PERSONALISATION", True),
            ("acc_1", "MARKETING", False),
            ("acc_1", "PERSONALISATION", True),
            ("acc_2", "PERSONALISATION", False),
            ("acc_3", "ANALYTICS", False),
        )
    ],
)


def shuffled_and_doubled(told: list[Event], chance: random.Random) -> list[Event]:
    again = told * 2
    chance.shuffle(again)
    return again


async def test_in_any_order_and_twice_the_same_is_played(demo: Parts) -> None:
    """Of many orders with repetitions each ends with the films that were published last, and their lengths."""
    untouched = (await demo.store.titles(FILMS)).values()
    # Its source knows no length: that of the film counts.
    bare = [replace(title, media=Media(), duration_seconds=None) for title in untouched]
    reports, chance = MediaReports(demo.writer), random.Random(7)

    async def known_after(told: list[Event]) -> list[tuple[Any, ...]]:
        await demo.put(*bare)
        for event in told:
            await reports.handle(event)
        found = await demo.store.titles(FILMS)
        return [_seen(found[each]) for each in FILMS]

    right = await known_after(ASSETS)
    assert [(asset_id, duration) for _, asset_id, duration in right] == [("ast_second", 120), ("ast_other", 50)]
    for _ in range(ORDERS):
        assert await known_after(shuffled_and_doubled(ASSETS, chance)) == right


async def test_in_any_order_and_twice_the_same_searches_are_told(redis: Redis) -> None:
    """The last decision of an account counts, in whatever order the decisions are heard."""
    chance = random.Random(7)
    for _ in range(ORDERS):
        await redis.flushdb()
        searches = ValkeySearchEvents(redis, EventPublisher(redis))
        log = SearchLog(searches)
        for event in shuffled_and_doubled(ACCOUNTS, chance):
            await log.handle(event)
        refused = sorted(await searches.refusing({"acc_1", "acc_2", "acc_3"}))
        assert refused == ["acc_2"]


async def test_searches_are_told_together_without_those_who_refuse(redis: Redis) -> None:
    """And without those of kids, of nobody, and of no text; with the id that opened hits come back with."""
    searches = ValkeySearchEvents(redis, EventPublisher(redis))
    log = SearchLog(searches)
    for event in ACCOUNTS:
        await log.handle(event)
    by_account = {account_id: replace(ADULT, account_id=account_id) for account_id in ("acc_1", "acc_2", "acc_3")}
    async with log.running():
        for number, viewer in enumerate(by_account.values()):
            log.searched(viewer, f"{number:016x}", "HÄXAN!", 3, NOW)
        log.searched(CHILD, "f" * 16, "haxan", 3, NOW)
        log.searched(replace(ADULT, profile_id=None), "f" * 16, "haxan", 3, NOW)
        log.searched(ADULT, "f" * 16, " ", 0, NOW)
        async with asyncio.timeout(10):
            while await redis.xlen(stream_key("searches")) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    entries: Any = await redis.xrange(stream_key("searches"))
    told = [json.loads(fields[b"data"]) for _, fields in entries]
    assert [(each["accountId"], each["searchId"], each["text"]) for each in told] == [
        ("acc_1", "0000000000000000", "haxan"),
        ("acc_3", "0000000000000002", "haxan"),
    ]


async def test_no_text_ends_the_telling_of_searches(redis: Redis) -> None:
    """A text may be longer when it is folded, and one search that can't be told takes no later ones along."""
    log = SearchLog(ValkeySearchEvents(redis, EventPublisher(redis)))
    async with log.running():
        for number, text in enumerate(("\u00df" * 200, "\ufdfa" * 200, "haxan")):
            log.searched(ADULT, f"{number:016x}", text, 3, NOW)
        async with asyncio.timeout(10):
            while await redis.xlen(stream_key("searches")) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        log.searched(ADULT, "f" * 16, "haxan", -1, NOW)
        await asyncio.sleep(2 * GATHER_S)
        log.searched(ADULT, "e" * 16, "haxan", 3, NOW)
        async with asyncio.timeout(10):
            while await redis.xlen(stream_key("searches")) < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    entries: Any = await redis.xrange(stream_key("searches"))
    told = [json.loads(fields[b"data"])["text"] for _, fields in entries]
    assert told[0] == "s" * 200
    assert told[2:] == ["haxan", "haxan"]


async def test_an_erased_account_is_forgotten_both_times(redis: Redis) -> None:
    """Nothing of it stays, however often that is heard."""
    searches = ValkeySearchEvents(redis, EventPublisher(redis))
    log = SearchLog(searches)
    for event in ACCOUNTS:
        await log.handle(event)
    [erased] = events("accounts", ("account.erased", {"accountId": "acc_2", "profileIds": []}))
    for _ in range(2):
        await log.handle(erased)
        assert await redis.keys("*acc_2*") == []
    assert not await searches.refusing({"acc_2"})


async def test_a_request_that_comes_twice_is_answered_once(demo: Parts) -> None:
    """Late and repeated ones, too: what was told after them is what they asked for."""
    told: list[None] = []
    republishing = Republishing(demo.store, demo.clock, lambda: told.append(None), _nobody_else)
    asked_at = demo.clock.now() - timedelta(seconds=1)
    requests = [
        Event("requests", "republish.requested", {"topic": "titles", "group": group}, asked_at, f"evt_{group}")
        for group in ("playback", "profiles")
    ]
    for event in shuffled_and_doubled(requests, random.Random(7)):
        await republishing.handle(event)
    assert len(told) == 1


async def test_a_telling_that_failed_is_begun_again(demo: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request comes a second time, as the first was not confirmed, and is not taken for answered."""
    told: list[None] = []
    republishing = Republishing(demo.store, demo.clock, lambda: told.append(None), _nobody_else)
    asked_at = demo.clock.now() - timedelta(seconds=1)
    request = Event("requests", "republish.requested", {"topic": "titles", "group": "playback"}, asked_at, "evt_1")

    async def away() -> int:
        raise ServiceError(ErrorKind.UNAVAILABLE, "away")

    with monkeypatch.context() as patch:
        patch.setattr(demo.store, "announce_all", away)
        with pytest.raises(ServiceError):
            await republishing.handle(request)
    await republishing.handle(request)
    await republishing.handle(request)
    assert len(told) == 1


async def _nobody_else(topic: str) -> None:
    raise AssertionError(f"nobody missed anything of {topic}")


async def nobody_to_ask(topic: str) -> None:
    raise AssertionError(f"nothing was missed in {topic}")


def _seen(title: Title) -> tuple[Any, ...]:
    asset = title.media.asset
    return title.media.status, None if asset is None else asset.asset_id, title.duration_seconds
