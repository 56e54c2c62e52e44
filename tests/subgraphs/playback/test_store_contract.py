"""One contract for every store: SQLite, PostgreSQL and MongoDB keep the same promises."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from common.events import EventPublisher, stream_key
from common.settings import SharedSettings
from subgraphs.kernel import migrations
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.kernel.personal_data import Subject
from subgraphs.kernel.policy import EVERYWHERE, TitleFacts, Window
from subgraphs.kernel.sql import open_engine, reading, sqlite_url, writing
from subgraphs.playback.domain.bookmarks import (
    BookmarkKey,
    Mark,
    PositionReport,
    ReportOrder,
    WatchRecord,
    hear_report,
)
from subgraphs.playback.domain.downloads import AccountDownloads, Download
from subgraphs.playback.domain.titles import (
    Asset,
    AssetVariant,
    Encryption,
    Marker,
    MarkerKind,
    PlayableTitle,
    TitleKind,
)
from subgraphs.playback.ports import HistoryPosition
from subgraphs.playback.settings import PlaybackSettings
from subgraphs.playback.stores import MIGRATIONS, open_stores
from tests.subgraphs.playback.conftest import Place

START = datetime(2026, 3, 1, 20, 0, 0, 123_456, tzinfo=UTC)
ACCOUNT, PROFILE = AccountId("acc_1"), ProfileId("prof_1")
DEVICES = ["tv", "phone.of$ada", "$tablet"]


def report(title: str, position_s: float, at_s: float = 0, **changes: Any) -> PositionReport:
    values: dict[str, Any] = {
        "key": BookmarkKey(PROFILE, TitleId(title)),
        "account_id": ACCOUNT,
        "series_id": None,
        "device_id": "tv",
        "order": ReportOrder(1, int(at_s * 1000)),
        "position_s": position_s,
        "duration_s": 1000.0,
        "credits_start_s": None,
        "received_at": START + timedelta(seconds=at_s),
        **changes,
    }
    return PositionReport(**values)


def title(title_id: str, **changes: Any) -> PlayableTitle:
    values: dict[str, Any] = {
        "id": TitleId(title_id),
        "kind": TitleKind.MOVIE,
        "facts": TitleFacts(
            minimum_age=12,
            is_kids=False,
            windows=(Window(EVERYWHERE), Window("US", START, START + timedelta(days=1))),
            blocked_countries=frozenset({"DE", "FR"}),
        ),
        "display_name": f"Über {title_id}",
        "duration_s": 6000.5,
        "series_id": None,
        "season_number": None,
        "episode_number": None,
        "next_episode_id": None,
        "markers": (Marker(MarkerKind.CREDITS, 5800.0, 6000.0),),
        **changes,
    }
    return PlayableTitle(**values)


def asset(title_id: str, asset_id: str, at_s: int) -> Asset:
    return Asset(
        title_id=TitleId(title_id),
        asset_id=asset_id,
        variants=(AssetVariant(Encryption.CLEARKEY, "a.m3u8", "a.mpd"), AssetVariant(Encryption.CLEAR, "b.m3u8", "")),
        duration_s=6000.0,
        max_height_px=1080,
        audio_languages=("en", "de"),
        subtitle_languages=(),
        thumbnails=None,
        published_at=START + timedelta(seconds=at_s),
    )


async def test_a_bookmark_is_read_back_as_it_was_answered(place: Place) -> None:
    """Every field, by every way of reading, also after the store was closed and opened again."""
    async with place.open() as stores:
        written = await stores.bookmarks.record(report("epi_1", 950.25, 1, series_id=TitleId("ser_1")))
    async with place.open() as stores:
        assert written.watch_count == 1
        assert await stores.bookmarks.bookmark(PROFILE, TitleId("epi_1")) == written
        assert await stores.bookmarks.bookmarks(PROFILE, [TitleId("ser_1")]) == [written]
        assert await stores.bookmarks.history(PROFILE, limit=5) == [written]
        assert await stores.bookmarks.seen_episodes(PROFILE, [TitleId("ser_1")]) == {"epi_1"}
        assert await stores.bookmarks.bookmark(PROFILE, TitleId("mov_other")) is None
        assert await stores.bookmarks.history(ProfileId("prof_2"), limit=5) == []


async def test_history_goes_on_below_a_place(place: Place) -> None:
    """Most recent first; two at one instant are ordered by title, and none is skipped or repeated."""
    async with place.open() as stores:
        for title_id, at_s in [("a", 10), ("b", 20), ("c", 20), ("d", 30), ("e", 5)]:
            await stores.bookmarks.record(report(title_id, 100, at_s))
        read: list[str] = []
        before = None
        while page := await stores.bookmarks.history(PROFILE, limit=2, before=before):
            read += [bookmark.key.title_id for bookmark in page]
            before = HistoryPosition(page[-1].last_watched_at, page[-1].key.title_id)

    assert read == ["d", "c", "b", "a", "e"]


async def test_marks_come_and_go_and_watching_again_takes_them_away(place: Place) -> None:
    """Hidden titles are in no history and not seen; a series' id marks its episodes; what was seen stays counted."""
    series = TitleId("ser_1")
    async with place.open() as stores:
        store = stores.bookmarks
        for number in (1, 2):
            await store.record(report(f"epi_{number}", 950, number, series_id=series))
        await store.record(report("mov_1", 50, 3))

        hidden = await store.mark(PROFILE, [series], Mark.HIDDEN, START, is_set=True)
        history = await store.history(PROFILE, limit=9)
        seen = await store.seen_episodes(PROFILE, [series])
        dismissed = await store.mark(
            PROFILE, [TitleId("mov_1"), TitleId("mov_unknown")], Mark.DISMISSED, START, is_set=True
        )
        again = await store.record(report("epi_1", 10, 60, series_id=series, order=ReportOrder(2, 1)))
        await store.mark(PROFILE, [TitleId("epi_2")], Mark.HIDDEN, START, is_set=False)
        restored = await store.history(PROFILE, limit=9)

    assert (hidden, dismissed) == (["epi_1", "epi_2"], ["mov_1"])
    assert [bookmark.key.title_id for bookmark in history] == ["mov_1"]
    assert seen == set()
    assert (again.hidden_at, again.watch_count, again.completed_at is not None) == (None, 1, True)
    assert [bookmark.key.title_id for bookmark in restored] == ["epi_1", "mov_1", "epi_2"]
    assert restored[1].dismissed_at == START


async def test_two_processes_never_undo_each_other(place: Place) -> None:
    """Both write the same few bookmarks at once: each ends as if all its reports had been heard in some order."""
    chance = random.Random(7)
    reports = [
        report(
            f"mov_{chance.randrange(3)}",
            chance.uniform(0, 1000),
            number,
            device_id=chance.choice(DEVICES),
            order=ReportOrder(chance.randrange(1, 4), chance.randrange(50)),
        )
        for number in range(300)
    ]
    async with place.open() as one, place.open() as other:
        answers = await asyncio.gather(
            *[(one if number % 2 else other).bookmarks.record(each) for number, each in enumerate(reports)]
        )
        kept = {bookmark.key: bookmark for bookmark in await one.bookmarks.history(PROFILE, limit=9)}

    highest: dict[tuple[BookmarkKey, str], ReportOrder] = {}
    for each in reports:
        slot = (each.key, each.device_id)
        highest[slot] = max(highest.get(slot, each.order), each.order)
    for key, bookmark in kept.items():
        # The last accepted report of a bookmark is some device's newest: nothing newer of that device was lost.
        newest = {each.position_s for each in reports if each.key == key and each.order == highest[key, each.device_id]}
        assert bookmark.position_s in newest
    assert len(answers) == len(reports)


async def test_what_an_erasure_meets_comes_back_only_as_news(place: Place) -> None:
    """Who records looks for the profile when a bookmark is told to others: no other may be there after an erasure."""
    async with place.open() as stores:
        for turn in range(20):
            at_s = turn * 10.0
            await stores.bookmarks.record(report("mov_1", 10, at_s))
            written, _ = await asyncio.gather(
                stores.bookmarks.record(report("mov_1", 11, at_s + 1)), stores.bookmarks.erase_profile(PROFILE)
            )
            found = await stores.bookmarks.history(PROFILE, limit=9)
            assert found in ([], [written])
            assert not found or written.announced_at == START + timedelta(seconds=at_s + 1)
            await stores.bookmarks.erase_profile(PROFILE)


@pytest.mark.parametrize("at_once", [1, 40])
async def test_histories_of_several_devices_end_as_the_model_says(place: Place, at_once: int) -> None:
    """Late, repeated and reordered reports, one by one and sharing a write."""
    chance = random.Random(at_once)
    model: dict[BookmarkKey, WatchRecord] = {}
    async with place.open() as stores:
        for start in range(0, 400, at_once):
            batch = [
                report(
                    f"mov_{chance.randrange(4)}",
                    chance.uniform(-5, 1100),
                    start + number,
                    device_id=chance.choice(DEVICES),
                    order=ReportOrder(chance.randrange(1, 5), chance.randrange(90)),
                )
                for number in range(at_once)
            ]
            await asyncio.gather(*[stores.bookmarks.record(each) for each in batch])
            for each in batch:
                model[each.key] = hear_report(model.get(each.key), each).record
        kept = {bookmark.key: bookmark for bookmark in await stores.bookmarks.history(PROFILE, limit=9)}

    assert kept == {key: record.bookmark for key, record in model.items()}


async def test_events_are_published_after_their_change(place: Place, redis: Redis) -> None:
    """Also those that another process left behind; each has one id, and they come in order."""
    async with place.open() as stores:
        await stores.bookmarks.record(report("mov_1", 10, 1))
        await stores.bookmarks.record(report("mov_1", 20, 2))
        await stores.bookmarks.record(report("mov_1", 950, 3, is_final=True))
    async with place.open(EventPublisher(redis)) as stores:
        await stores.bookmarks.record(report("mov_2", 10, 4))
        await _until(redis, 3)
    async with place.open(EventPublisher(redis)):
        await asyncio.sleep(0.05)
    # At least once: a relay that was stopped between publishing and forgetting tells again, under the same id.
    entries: Any = await redis.xrange(stream_key("viewing"))
    told = {entry[1][b"id"]: entry[1][b"data"] for entry in entries}

    assert [b'"mov_1"' in data for data in told.values()] == [True, True, False]


async def test_marks_are_told_after_their_change(place: Place, redis: Redis) -> None:
    """A long series in events of 200; taking a mark away is told, too, and what has no bookmark is not."""
    series = TitleId("ser_1")
    async with place.open(EventPublisher(redis)) as stores:
        store = stores.bookmarks
        watched = [report(f"epi_{number:03}", 950, 1, series_id=series) for number in range(201)]
        await asyncio.gather(*[store.record(each) for each in watched])
        await store.mark(PROFILE, [series], Mark.HIDDEN, START + timedelta(seconds=60), is_set=True)
        await store.mark(PROFILE, [TitleId("mov_unknown")], Mark.HIDDEN, START, is_set=True)
        await store.mark(PROFILE, [TitleId("epi_007")], Mark.DISMISSED, START + timedelta(seconds=61), is_set=False)
        await _until(redis, len(watched) + 3)
    entries: Any = await redis.xrange(stream_key("viewing"))
    told = {entry[1][b"id"]: json.loads(entry[1][b"data"]) for entry in entries if b"titleIds" in entry[1][b"data"]}
    events = sorted(told.values(), key=lambda data: (data["occurredAt"], data["titleIds"]))

    assert [(data["mark"], data["isSet"], len(data["titleIds"])) for data in events] == [
        ("HIDDEN", True, 200),
        ("HIDDEN", True, 1),
        ("DISMISSED", False, 1),
    ]
    assert [title_id for data in events[:2] for title_id in data["titleIds"]] == [each.key.title_id for each in watched]
    assert {(data["profileId"], data["accountId"]) for data in events} == {(PROFILE, ACCOUNT)}


async def test_what_is_watched_after_a_mark_is_told_at_once(place: Place, redis: Redis) -> None:
    """Others forgot it with the mark; half a minute without them would leave it forgotten when that was all."""
    async with place.open(EventPublisher(redis)) as stores:
        for at_s, mark in ((1, Mark.HIDDEN), (3, Mark.DISMISSED)):
            await stores.bookmarks.record(report("mov_1", 100, at_s))
            await stores.bookmarks.mark(PROFILE, [TitleId("mov_1")], mark, START + timedelta(seconds=at_s), is_set=True)
        await stores.bookmarks.record(report("mov_1", 110, 5))
        await stores.bookmarks.record(report("mov_1", 120, 7))
        await _until(redis, 5)
    entries: Any = await redis.xrange(stream_key("viewing"))
    told = {entry[1][b"id"]: json.loads(entry[1][b"data"]).get("positionSeconds") for entry in entries}

    assert list(told.values()) == [100, None, 100, None, 110]


async def _until(redis: Redis, count: int) -> None:
    for _ in range(1_000):
        if await redis.xlen(stream_key("viewing")) >= count:
            return
        await asyncio.sleep(0.01)


async def test_facts_about_titles_are_read_back_and_replaced(place: Place) -> None:
    """Whole values; episodes in order of the series; a withdrawn title stays known as such."""
    episodes = [
        title(
            f"epi_{number}", kind=TitleKind.EPISODE, series_id=TitleId("ser_1"), season_number=1, episode_number=number
        )
        for number in (2, 10, 1)
    ]
    async with place.open() as stores:
        await stores.catalogue.put_titles([title("mov_1"), *episodes], START)
        await stores.catalogue.put_titles([title("mov_1", display_name="New")], START)
        await stores.catalogue.withdraw([TitleId("epi_2"), TitleId("mov_unknown")], START)
        found = await stores.catalogue.titles_by_id([TitleId("mov_1"), TitleId("mov_none")])
        ordered = await stores.catalogue.episodes_of([TitleId("ser_1")])

    assert found == {"mov_1": title("mov_1", display_name="New")}
    assert [episode.episode_number for episode in ordered] == [1, 2, 10]
    assert ordered[0] == episodes[2]
    assert [episode.facts.is_withdrawn for episode in ordered] == [False, True, False]


async def test_an_older_film_never_replaces_a_newer_one(place: Place) -> None:
    """Whatever the order of the events."""
    async with place.open() as stores:
        catalogue = stores.catalogue
        await catalogue.put_asset(asset("mov_1", "second", 20))
        await catalogue.put_asset(asset("mov_1", "first", 10))
        found = await catalogue.assets_by_title([TitleId("mov_1"), TitleId("mov_3")])

    assert found == {"mov_1": asset("mov_1", "second", 20)}


async def test_older_news_of_a_title_changes_nothing(place: Place) -> None:
    """Neither what it is nor whether it was withdrawn, also when nothing had been heard of it before."""
    ids = [TitleId("mov_1"), TitleId("mov_2"), TitleId("mov_3")]
    soon, late = START + timedelta(seconds=1), START + timedelta(seconds=2)
    async with place.open() as stores:
        catalogue = stores.catalogue
        await catalogue.withdraw(ids[:2], soon)
        await catalogue.put_titles([title(each) for each in ids], START)
        await catalogue.put_titles([title(ids[1], display_name="Back")], late)
        await catalogue.withdraw(ids[:2], START)
        await catalogue.put_titles([title(ids[2], display_name="New"), title(ids[1], display_name="Old")], soon)
        await catalogue.put_titles([title(ids[2])], START)
        found = await catalogue.titles_by_id(ids)

    assert found[ids[0]].facts.is_withdrawn
    assert found[ids[1]] == title(ids[1], display_name="Back")
    assert found[ids[2]] == title(ids[2], display_name="New")


async def test_downloads_change_at_the_version_that_was_read(place: Place) -> None:
    """Of two that read the same state one wins and the other is told."""
    download = Download("dl_1", PROFILE, TitleId("mov_1"), "ast_1", "tv", START, START + timedelta(days=7))
    async with place.open() as stores:
        empty = await stores.downloads.of_account(ACCOUNT)
        won = [await stores.downloads.put(replace(empty, downloads=(download,))) for _ in range(2)]
        first = await stores.downloads.of_account(ACCOUNT)
        changed = replace(first, downloads=(replace(download, completed_at=START),))
        won += [await stores.downloads.put(changed) for _ in range(2)]
        last = await stores.downloads.of_account(ACCOUNT)

    assert empty == AccountDownloads(ACCOUNT)
    assert won == [True, False, True, False]
    assert first.downloads == (download,)
    assert last.downloads == changed.downloads


async def test_personal_data_is_handed_out_and_forgotten(place: Place) -> None:
    """All of the account and nothing of another one; afterwards nothing is counted, events that waited included."""
    mine, others = Subject(ACCOUNT, (PROFILE,)), Subject(AccountId("acc_2"), (ProfileId("prof_2"),))
    key = BookmarkKey(ProfileId("prof_2"), TitleId("mov_1"))
    async with place.open() as stores:
        await stores.bookmarks.record(report("mov_1", 123.5, 1))
        await stores.bookmarks.record(report("mov_1", 77.25, 1, key=key, account_id=AccountId("acc_2")))
        download = Download("dl_1", PROFILE, TitleId("mov_1"), "ast_1", "tv-canary", START, START + timedelta(days=7))
        await stores.downloads.put(AccountDownloads(ACCOUNT, (download,)))
        exported = str(await stores.personal_data.export_personal(mine))
        await stores.personal_data.erase_personal(mine)
        left = await stores.personal_data.count_personal(mine)
        theirs = await stores.personal_data.count_personal(others)

    assert "123.5" in exported
    assert "tv-canary" in exported
    assert "77.25" not in exported
    assert set(left.values()) == {0}
    assert sum(theirs.values()) >= 1


async def test_the_sql_store_goes_up_and_down_without_losing_positions(tmp_path: Path) -> None:
    """A store of the first version keeps its cursors when it is upgraded, and when it goes back."""
    await _up_and_down(sqlite_url(tmp_path / "old.sqlite"))


async def test_postgresql_goes_up_and_down_without_losing_positions(postgres_url: str) -> None:
    """As SQLite does."""
    await _up_and_down(postgres_url)


async def _up_and_down(url: str) -> None:
    from sqlalchemy import text

    engine = open_engine(url)
    try:
        await migrations.upgrade(engine, MIGRATIONS, "0001")
        async with writing(engine) as connection:
            await connection.execute(
                text(
                    "INSERT INTO bookmarks (profile_id, title_id, account_id, position_s, duration_s, completed, "
                    "completed_at, last_watched_at) VALUES ('prof_1', 'mov_1', 'acc_1', 950, 1000, true, 5, 5)"
                )
            )
            for device, sequence in (("tv", 7), ("phone", 9)):
                await connection.execute(
                    text(f"INSERT INTO device_cursors VALUES ('prof_1', 'mov_1', '{device}', 3, {sequence})")
                )
        await migrations.upgrade(engine, MIGRATIONS)
        settings = PlaybackSettings(shared=SharedSettings(), store_url=SecretStr(url))
        async with open_stores(settings) as stores:
            late = await stores.bookmarks.record(report("mov_1", 10, 60, order=ReportOrder(3, 7)))
            newer = await stores.bookmarks.record(report("mov_1", 20, 61, order=ReportOrder(3, 8)))
        await migrations.downgrade(engine, MIGRATIONS, "0001")
        async with reading(engine) as connection:
            cursors = (await connection.execute(text("SELECT * FROM device_cursors ORDER BY device_id"))).all()
        await migrations.downgrade(engine, MIGRATIONS, "base")
    finally:
        await engine.dispose()

    assert (late.position_s, late.watch_count) == (950.0, 1)
    assert (newer.position_s, newer.watch_count, newer.completed_at is not None) == (20.0, 1, True)
    assert [tuple(row) for row in cursors] == [("prof_1", "mov_1", "phone", 3, 9), ("prof_1", "mov_1", "tv", 3, 8)]
