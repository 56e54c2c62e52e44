"""What the other services hear, what the media side says, and what happens when the stream is away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from common.events import Event, EventPublisher, stream_key
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import Window, facts_from_snapshot
from subgraphs.titles.demo import DEMO_FILM_ID, load_demo, seed_demo
from subgraphs.titles.domain.title import Season, SeasonId
from subgraphs.titles.services.catalogue import CACHE_LIFE
from subgraphs.titles.services.following import ChangeFollower, EventAnnouncer
from subgraphs.titles.services.media import MediaReports
from tests.subgraphs.titles.conftest import NOW, OpenService, Parts, Service

PUBLISHED = {
    "titleId": DEMO_FILM_ID,
    "assetId": "ast_1",
    "variants": {
        "clear": {"hls": "assets/ast_1/clear/master.m3u8", "dash": "assets/ast_1/clear/manifest.mpd"},
        "clearkey": {"hls": "assets/ast_1/clearkey/master.m3u8", "dash": "assets/ast_1/clearkey/manifest.mpd"},
    },
    "durationSeconds": 24.04,
    "maxHeightPx": 720,
    "renditions": [],
    "posterFrameObject": "assets/ast_1/poster.jpg",
    "audioLanguages": [],
    "subtitleLanguages": [],
}


class RememberingStream:
    """An event stream in memory that can be away."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.failures = 0

    async def publish(self, kind: str, data: Mapping[str, Any], at: datetime) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("away")
        self.events.append((kind, json.loads(json.dumps(data))))


@pytest.fixture
def stream() -> RememberingStream:
    return RememberingStream()


@pytest.fixture
def announcing(parts: Parts, stream: RememberingStream) -> ChangeFollower:
    announcer = EventAnnouncer(parts.store, parts.catalogue.titles, stream, parts.clock)
    return ChangeFollower("events", parts.store, parts.catalogue.titles, announcer.handle, batch_size=100)


async def test_every_title_is_announced_in_batches(
    demo: Parts, announcing: ChangeFollower, stream: RememberingStream
) -> None:
    """At most so many snapshots in an event, each title once, with the facts that the policy needs."""
    await announcing.catch_up()
    assert [len(data["titles"]) for _, data in stream.events] == [100, 63]
    snapshots = {each["id"]: each for _, data in stream.events for each in data["titles"]}
    for title in load_demo().titles:
        assert title.facts == facts_from_snapshot(snapshots[title.id])
    episode = snapshots["epi_judex-1916-s1e13"]
    assert (
        episode["seriesId"], episode["seasonNumber"], episode["episodeNumber"], episode["nextEpisodeId"],
    ) == ("ser_judex-1916", 1, 13, "epi_judex-1916-s2e1")  # fmt: skip
    assert snapshots["mov_nosferatu-1922"]["cast"] == [
        "Max Schreck",
        "Greta Schröder",
        "Gustav von Wangenheim",
        "Alexander Granach",
    ]


async def test_a_withdrawn_title_is_announced_as_such(
    demo: Parts, announcing: ChangeFollower, stream: RememberingStream
) -> None:
    """With a series go its episodes; the newest state alone is told."""
    await announcing.catch_up()
    stream.events.clear()
    series_id = TitleId("ser_fantomas-1913")
    await demo.editor.edit(series_id, None, "acc_9", "withdraw", lambda title: replace(title, is_withdrawn=True))
    await announcing.catch_up()
    ((kind, data),) = stream.events
    assert (kind, len(data["titleIds"])) == ("title.withdrawn", 6)


async def test_nothing_is_lost_while_the_stream_is_away(
    parts: Parts, announcing: ChangeFollower, stream: RememberingStream
) -> None:
    """A failed event is tried again, whole; what was confirmed is not repeated."""
    await seed_demo(parts.writer)
    stream.failures = 1
    with pytest.raises(ConnectionError):
        await announcing.catch_up()
    assert stream.events == []
    assert await announcing.catch_up() == 163
    assert sum(len(data["titles"]) for _, data in stream.events) == 163
    assert await announcing.catch_up() == 0


async def test_several_changes_of_one_title_are_one_announcement(
    demo: Parts, announcing: ChangeFollower, stream: RememberingStream
) -> None:
    """With the last state."""
    await announcing.catch_up()
    stream.events.clear()
    title = (await demo.store.titles([DEMO_FILM_ID]))[DEMO_FILM_ID]
    for number in range(3):
        await demo.put(replace(title, synopsis=f"take {number}"))
    await announcing.catch_up()
    ((_, data),) = stream.events
    assert [each["synopsis"] for each in data["titles"]] == ["take 2"]


async def test_a_published_asset_makes_a_title_playable(
    demo: Parts, announcing: ChangeFollower, stream: RememberingStream
) -> None:
    """Once, however often the event comes; its snapshot has the asset, its length is measured, seeding keeps both."""
    await announcing.catch_up()
    stream.events.clear()
    reports = MediaReports(demo.writer)
    for _ in range(2):
        await reports.handle(Event("assets", "asset.published", PUBLISHED, NOW))
    await announcing.catch_up()
    ((_, data),) = stream.events
    (snapshot,) = data["titles"]
    assert snapshot["asset"] == {
        "assetId": "ast_1",
        "hls": "assets/ast_1/clearkey/master.m3u8",
        "dash": "assets/ast_1/clearkey/manifest.mpd",
        "durationSeconds": 24.04,
        "maxHeightPx": 720,
        "encryption": "clearkey",
    }
    assert snapshot["durationSeconds"] == 24
    again = await seed_demo(demo.writer)
    assert (again.created, again.updated) == (0, 0)


async def test_a_failed_upload_leaves_what_was_playable(demo: Parts) -> None:
    """PROCESSING falls back to NONE; READY stays READY; an unknown title is no error."""
    reports = MediaReports(demo.writer)

    async def status() -> str:
        return (await demo.store.titles([DEMO_FILM_ID]))[DEMO_FILM_ID].media.status.value

    failed = Event("assets", "asset.failed", {"titleId": DEMO_FILM_ID, "uploadId": "u", "reason": "cut off"}, NOW)
    await reports.handle(Event("assets", "asset.processing", {"titleId": DEMO_FILM_ID}, NOW))
    assert await status() == "PROCESSING"
    await reports.handle(failed)
    assert await status() == "NONE"
    await reports.handle(Event("assets", "asset.published", PUBLISHED, NOW))
    await reports.handle(failed)
    assert await status() == "READY"
    await reports.handle(Event("assets", "asset.failed", {"titleId": "mov_unknown"}, NOW))
    await reports.handle(Event("assets", "asset.renamed", {}, NOW))


async def test_the_running_service_talks_and_listens(own_service: Service, redis: Redis) -> None:
    """The demo is announced on a real stream; an asset that is published there makes its title READY."""
    await EventPublisher(redis).publish(Event("assets", "asset.published", PUBLISHED, NOW))
    query = f'{{ title(id: "{DEMO_FILM_ID}") {{ mediaStatus durationSeconds }} }}'
    async with asyncio.timeout(20):
        while await redis.xlen(stream_key("titles")) < 2:  # noqa: ASYNC110  # another process is watched
            await asyncio.sleep(0.02)
        while (await own_service.data(query))["title"]["mediaStatus"] != "READY":  # noqa: ASYNC110  # another process is watched
            await asyncio.sleep(0.02)
    assert (await own_service.data(query))["title"]["durationSeconds"] == 24


async def test_serves_without_the_stream(open_service: OpenService) -> None:
    """Search and browse work, and health says what is away."""
    async with open_service(valkey_url="redis://127.0.0.1:1/0") as service:
        answer = await service.data('{ search(query: "nosferatu") { totalCount } }')
        assert answer["search"]["totalCount"] == 1
        async with asyncio.timeout(20):
            while (health := (await service.http.get("/health")).json())["status"] != "degraded":  # noqa: ASYNC110  # another process is watched
                await asyncio.sleep(0.02)
        assert (health["ready"], health["checks"]["store"]) == (True, "ok")
        assert health["checks"]["events"] != "ok"


async def test_the_cache_forgets_after_an_hour(demo: Parts) -> None:
    """What somebody wrote past this process is seen then at the latest."""
    title_id = TitleId("mov_cops-1922")
    title = (await demo.catalogue.titles([title_id]))[title_id]
    await demo.store.save([replace(title, display_name="Robbers")])
    assert (await demo.catalogue.titles([title_id]))[title_id].display_name == "Cops"
    demo.clock.advance(CACHE_LIFE + timedelta(seconds=1))
    assert (await demo.catalogue.titles([title_id]))[title_id].display_name == "Robbers"


async def test_a_window_that_ends_hides_its_title_at_that_instant(demo: Parts) -> None:
    """Without any write: browse and search follow the clock."""
    from subgraphs.kernel.pagination import PageRequest
    from subgraphs.titles.domain.browsing import BrowseRequest, TitleFilter, TitleSort
    from tests.subgraphs.titles.conftest import ADULT

    title = (await demo.store.titles([TitleId("mov_cops-1922")]))[TitleId("mov_cops-1922")]
    until = datetime(2027, 1, 1, tzinfo=UTC)
    await demo.put(replace(title, windows=(Window("*", None, until),), popularity=1.0))
    for now, is_there in ((until - timedelta(seconds=1), True), (until, False)):
        request = BrowseRequest(TitleFilter(), TitleSort.POPULARITY, PageRequest(1))
        page = (await demo.catalogue.browse(ADULT, now, [request]))[request]
        found = await demo.search.search(ADULT, now, "cops", TitleFilter(), PageRequest(1))
        assert is_there == (page.items[0].id == title.id)
        assert is_there == bool(found.found and found.found[0].title.id == title.id)


async def test_the_episode_before_hears_which_one_follows_now(
    demo: Parts, announcing: ChangeFollower, stream: RememberingStream
) -> None:
    """When a later season comes, when the next episode is withdrawn, and when a season gets another number."""
    series = TitleId("ser_judex-1916")
    slots = (await demo.store.episodes_of([series]))[series]
    last = slots[-1].title_id
    await announcing.catch_up()

    async def following_after(act: Awaitable[object]) -> dict[str, Any]:
        stream.events.clear()
        await act
        await announcing.catch_up()
        told = [each for kind, data in stream.events if kind == "title.changed" for each in data["titles"]]
        return {each["id"]: each["nextEpisodeId"] for each in told}

    whole = (await demo.catalogue.titles([last]))[last]
    new = replace(whole, id=TitleId("epi_new"), episode_number=(whole.episode_number or 0) + 1)
    assert (await following_after(demo.writer.take([new])))[last] == "epi_new"
    gone = demo.editor.edit(slots[1].title_id, None, "acc_9", "withdraw", lambda one: replace(one, is_withdrawn=True))
    assert await following_after(gone) == {slots[0].title_id: slots[2].title_id}
    first_season = (await demo.store.seasons_of([series]))[series][0]
    told = await following_after(demo.editor.put_season(replace(first_season, number=9), "acc_9"))
    assert told["epi_new"] == slots[0].title_id
    assert told[slots[12].title_id] is None


async def test_the_episode_before_a_season_that_moves_away_hears_of_it(
    demo: Parts, announcing: ChangeFollower, stream: RememberingStream
) -> None:
    """Season 2 of three becomes season 9: the first is followed by the third."""
    series = TitleId("ser_judex-1916")
    slots = (await demo.store.episodes_of([series]))[series]
    pattern = (await demo.catalogue.titles([slots[0].title_id]))[slots[0].title_id]
    third = Season(SeasonId("sea_third"), series, 3, "Season 3")
    await demo.writer.take([replace(pattern, id=TitleId("epi_third"), season_id=third.id, season_number=3)], [third])
    await announcing.catch_up()
    stream.events.clear()
    second = (await demo.store.seasons_of([series]))[series][1]

    await demo.editor.put_season(replace(second, number=9), "acc_9")
    await announcing.catch_up()

    told = {each["id"]: each["nextEpisodeId"] for _, data in stream.events for each in data["titles"]}
    assert told[slots[12].title_id] == "epi_third"
    assert told["epi_third"] == slots[13].title_id


async def test_no_event_is_larger_than_its_bound(
    demo: Parts, announcing: ChangeFollower, stream: RememberingStream
) -> None:
    """A batch of single episodes of many seasons takes their neighbours along."""
    series = TitleId("ser_judex-1916")
    known = (await demo.store.episodes_of([series]))[series]
    pattern = (await demo.catalogue.titles([known[0].title_id]))[known[0].title_id]
    many = [replace(pattern, id=TitleId(f"epi_{n:04}"), season_number=3, episode_number=n) for n in range(1, 301)]
    await demo.writer.take(many)
    await announcing.catch_up()
    stream.events.clear()
    changed = [replace(each, synopsis="other", revision=2) for each in many[1::2]]
    await demo.store.save(changed)
    await EventAnnouncer(demo.store, demo.store.titles, stream, demo.clock).handle({each.id: each for each in changed})
    assert [len(data["titles"]) for _, data in stream.events] == [200, 100]
