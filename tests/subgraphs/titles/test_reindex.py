"""The search index beside its store: rebuilt while searches run, and killed in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.pagination import PageRequest
from subgraphs.kernel.readiness import StillPreparing
from subgraphs.titles.adapters.tantivy_index import FIELDS_VERSION, TantivyIndex
from subgraphs.titles.domain.browsing import TitleFilter
from subgraphs.titles.domain.title import Title
from subgraphs.titles.ports import IndexBuild, SearchIndex, TitleStore
from subgraphs.titles.services import indexing
from subgraphs.titles.services.calendar import AvailabilityCalendar
from subgraphs.titles.services.indexing import BUILD_FOLLOWER, SearchUpdater
from subgraphs.titles.services.search import SearchService
from subgraphs.titles.services.tastes import KnownTastes
from tests.subgraphs.titles.conftest import ADULT, NOW, KeptTastes, Parts
from tests.subgraphs.titles.engines import COPS, ENGINES, SCOPE, THE_KID, changed, found, opened_index


@pytest.fixture(params=ENGINES)
async def index(request: pytest.FixtureRequest) -> AsyncIterator[SearchIndex]:
    async with opened_index(request.param, request) as opened:
        yield opened


class WatchedBuild:
    """A build that calls back before each step, for a test to do something then."""

    def __init__(self, build: IndexBuild, before: object) -> None:
        self._build = build
        self._before = before

    async def update(self, titles: Sequence[Title]) -> None:
        await self._before("update")  # type: ignore[operator]
        await self._build.update(titles)

    async def publish(self) -> None:
        await self._before("publish")  # type: ignore[operator]
        await self._build.publish()

    async def discard(self) -> None:
        await self._build.discard()


def watch(index: SearchIndex, monkeypatch: pytest.MonkeyPatch, before: object) -> None:
    begin = index.begin_build

    async def begin_watched() -> IndexBuild:
        return WatchedBuild(await begin(), before)

    monkeypatch.setattr(index, "begin_build", begin_watched)


async def test_a_rebuild_gives_the_same_index(demo: Parts, index: SearchIndex) -> None:
    """With the same answers, and nothing of the rebuild left in the store."""
    before = await index.search("chaplin", SCOPE, TitleFilter(), frozenset(), 50)
    seen: list[int] = []
    assert await demo.updater.rebuild(seen.append) == 163
    assert seen == [163]
    after = await index.search("chaplin", SCOPE, TitleFilter(), frozenset(), 50)
    assert ({hit.title_id for hit in before.hits}, before.total_count) == (
        {hit.title_id for hit in after.hits},
        after.total_count,
    )
    assert await demo.store.state() == await index.state()
    assert BUILD_FOLLOWER not in await demo.store.followers()


async def test_searches_lose_nothing_during_a_rebuild(
    demo: Parts, index: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, between and after its steps everything is found, also what is written meanwhile, in its newest form."""
    monkeypatch.setattr(indexing, "MAX_TITLES_PER_INDEX_UPDATE", 40)
    steps: list[str] = []

    async def meanwhile(step: str) -> None:
        steps.append(step)
        number = len(steps)
        if number <= 4:
            # At the third step a title has been withdrawn.
            assert await demo.updater.progress() == (40 * (number - 1), 163 if number < 3 else 162)
        if step == "publish":
            # The follower stands still: what is written now, or by another process, is found behind the change.
            await demo.store.save([await changed(demo, COPS, display_name=f"Zebra {number}")])
            return
        if number > 4:
            return
        # A title that the copy has passed, or not; and one that is withdrawn under its hands.
        await demo.put(await changed(demo, COPS, display_name=f"Zebra {number}"))
        if number == 2:
            await demo.put(await changed(demo, THE_KID, is_withdrawn=True))
        assert COPS in await found(index, f"zebra {number}")
        assert (THE_KID in await found(index, "the kid")) == (number < 2)
        assert len(await found(index, "keaton")) > 5

    watch(index, monkeypatch, meanwhile)

    async def search_on() -> None:
        while True:
            assert len(await found(index, "keaton")) > 5
            await asyncio.sleep(0)

    searching = asyncio.create_task(search_on())
    await demo.updater.rebuild()
    assert not searching.done()
    searching.cancel()
    assert await demo.updater.progress() is None
    assert steps.count("publish") == 1
    assert len(steps) > 5
    # Told by the log behind the publishing, without any further step.
    newest = f"zebra {steps.index('publish') + 1}"
    assert (await index.search(newest, SCOPE, TitleFilter(), frozenset(), 1)).hits[0].title_id == COPS
    assert THE_KID not in await found(index, "the kid")
    assert await demo.store.state() == await index.state()


async def test_only_one_rebuild_at_a_time(demo: Parts, index: SearchIndex) -> None:
    """The second one is refused by name, and the first goes on."""
    build = await index.begin_build()
    with pytest.raises(ServiceError, match="being rebuilt") as refused:
        await demo.updater.rebuild()
    assert refused.value.kind is ErrorKind.FAILED_PRECONDITION
    await build.discard()
    assert await demo.updater.rebuild() == 163


async def test_a_failed_rebuild_leaves_the_old_index(
    demo: Parts, index: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing else: the next one begins afresh."""

    async def fail(step: str) -> None:
        if step == "publish":
            raise ServiceError(ErrorKind.UNAVAILABLE, "away")

    with monkeypatch.context() as patched:
        watch(index, patched, fail)
        with pytest.raises(ServiceError, match="away"):
            await demo.updater.rebuild()
    assert BUILD_FOLLOWER not in await demo.store.followers()
    assert COPS in await found(index, "cops")
    assert await demo.updater.rebuild() == 163


async def test_leftovers_of_a_killed_rebuild_go_at_the_next_start(
    store: TitleStore, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Its index and its follower, and the log is no longer kept for it."""
    await store.follow(BUILD_FOLLOWER)
    killed = TantivyIndex(tmp_path / "search")
    await killed.begin_build()
    await killed.write(killed._serving.close)
    generations = tmp_path / "search" / f"v{FIELDS_VERSION}"
    assert sorted(each.name for each in generations.iterdir()) == ["000001", "000002", "current"]
    (tmp_path / "search" / "v1").mkdir()
    index = TantivyIndex(tmp_path / "search")
    await SearchUpdater(store, index, AvailabilityCalendar(), store.titles).start()
    assert BUILD_FOLLOWER not in await store.followers()
    assert sorted(each.name for each in generations.iterdir()) == ["000001", "current"]
    assert [each.name for each in (tmp_path / "search").iterdir()] == [f"v{FIELDS_VERSION}"]
    await index.aclose()


async def test_a_large_catalogue_is_served_while_its_index_is_made(
    demo: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Starting ends at once; until the index is there searches and suggestions are refused with how far it is."""
    monkeypatch.setattr(indexing, "MAX_TITLES_PER_INDEX_UPDATE", 40)
    monkeypatch.setattr(indexing, "MOST_TITLES_BEFORE_START", 100)
    index, calendar = TantivyIndex(None), AvailabilityCalendar()
    updater = SearchUpdater(demo.store, index, calendar, demo.store.titles)
    search = SearchService(
        index, demo.catalogue, calendar, KnownTastes(KeptTastes()), require_searchable=updater.require_searchable
    )
    told: list[str] = []

    async def found_count() -> int:
        return (await search.search(ADULT, NOW, "keaton", TitleFilter(), PageRequest(5, None))).total_count

    async def meanwhile(_step: str) -> None:
        if len(told) == 2:
            # What starts beside it (the demo catalogue) neither waits for it nor begins a second one.
            await updater.settle()
            await demo.store.save([await changed(demo, COPS, display_name="Keaton's Cops")])
        for ask in (
            found_count(),
            search.suggest(ADULT, NOW, "kea", 5),
            search.facets(ADULT, NOW, "keaton", TitleFilter()),
        ):
            with pytest.raises(ServiceError, match="search is not ready yet") as refused:
                await ask
            assert refused.value.kind is ErrorKind.UNAVAILABLE
        with pytest.raises(StillPreparing) as preparing:
            await updater.check()
        assert str(preparing.value) in refused.value.message
        told.append(str(preparing.value))

    watch(index, monkeypatch, meanwhile)
    await updater.start()
    await meanwhile("start")
    async with updater.follower.running(), asyncio.timeout(20):
        await updater.follower.settled()
    assert [f"rebuilding the search index, {copied} of 163 titles" for copied in (0, 0, 40, 80, 120, 160)] == told[:6]
    await updater.check()
    assert await found_count() > 5
    assert COPS in await found(index, "keaton's cops")
    await index.aclose()


async def test_a_catalogue_that_is_in_the_log_still_is_followed_and_told(
    demo: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at the first start after titles were written without the service: nothing is copied, and progress is seen."""
    monkeypatch.setattr(indexing, "MAX_TITLES_PER_INDEX_UPDATE", 80)
    monkeypatch.setattr(indexing, "MOST_TITLES_BEFORE_START", 100)
    monkeypatch.setattr(indexing, "FOLLOWER", "of the other program")
    await demo.store.follow("of the other program")
    titles = await demo.store.titles(await demo.store.ids_after("", 1_000))
    await demo.store.save([replace(title, revision=title.revision + 1) for title in titles.values()])
    index = TantivyIndex(None)
    updater = SearchUpdater(demo.store, index, AvailabilityCalendar(), demo.store.titles)
    told: list[str] = []
    update = index.update

    async def update_watched(some: Sequence[Title]) -> None:
        with pytest.raises(StillPreparing) as preparing:
            await updater.check()
        told.append(str(preparing.value))
        await update(some)

    monkeypatch.setattr(index, "update", update_watched)
    await updater.start()
    async with updater.follower.running(), asyncio.timeout(20):
        await updater.follower.settled()
    assert [f"rebuilding the search index, {count} of 163 titles" for count in (0, 80, 160)] == told
    await updater.check()
    await index.aclose()


async def test_an_index_that_only_missed_something_is_searched_meanwhile(
    demo: Parts, index: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Starting doesn't wait for it either, where the catalogue is large."""
    monkeypatch.setattr(indexing, "MOST_TITLES_BEFORE_START", 100)
    await demo.store.save([await changed(demo, COPS, display_name="Zebra")])
    updater = SearchUpdater(demo.store, index, AvailabilityCalendar(), demo.store.titles)
    await updater.start()
    updater.require_searchable()
    await updater.check()
    assert await found(index, "zebra") == set()
    async with updater.follower.running(), asyncio.timeout(20):
        await updater.follower.settled()
    assert COPS in await found(index, "zebra")


async def test_a_small_catalogue_is_searchable_when_starting_ends(demo: Parts) -> None:
    """Though its index is a new one."""
    index = TantivyIndex(None)
    updater = SearchUpdater(demo.store, index, AvailabilityCalendar(), demo.store.titles)
    await updater.start()
    updater.require_searchable()
    assert await demo.store.state() == await index.state()
    await index.aclose()
