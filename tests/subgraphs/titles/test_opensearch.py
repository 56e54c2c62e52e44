"""What is special about search on OpenSearch: several processes on one index, and a line that breaks."""

from __future__ import annotations

import asyncio
import urllib.parse
from dataclasses import replace
from datetime import timedelta

import pytest

from common.clock import FakeClock
from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.pagination import PageRequest
from subgraphs.titles.adapters.opensearch import OpenSearchIndex
from subgraphs.titles.domain.browsing import BrowseRequest, TitleFilter, TitleSort
from subgraphs.titles.ports import TitleStore
from subgraphs.titles.services.calendar import AvailabilityCalendar
from subgraphs.titles.services.indexing import BUILD_FOLLOWER, SearchUpdater
from tests.subgraphs.titles.conftest import NOW, Parts
from tests.subgraphs.titles.engines import COPS, SCOPE, THE_KID, changed, found
from tests.support.unsteady_line import UnsteadyLine

PAUSE = timedelta(seconds=50)


async def test_a_rebuild_that_died_in_another_process_is_cleared_after_a_minute(
    store: TitleStore, opensearch_url: str, opensearch_prefix: str
) -> None:
    """A living one is left alone: it gives a sign with everything that it writes."""
    clock = FakeClock(NOW)
    dying, ours = (OpenSearchIndex(opensearch_url, f"{opensearch_prefix}t", clock) for _ in range(2))
    try:
        await asyncio.gather(dying.prepare(), ours.prepare())
        build = await dying.begin_build()
        await store.follow(BUILD_FOLLOWER)
        for _ in range(3):
            clock.advance(PAUSE)
            await build.update([])
            with pytest.raises(ServiceError, match=r"t-v2-000002; wait for its end"):
                await ours.begin_build()
        clock.advance(PAUSE * 2)
        updater = SearchUpdater(store, ours, AvailabilityCalendar(), store.titles)
        await updater.start()
        assert BUILD_FOLLOWER not in await store.followers()
        assert list(await ours.client.indices.get(index=f"{opensearch_prefix}t-*")) == [
            f"{opensearch_prefix}t-v2-000001"
        ]
    finally:
        await dying.aclose()
        await ours.aclose()


async def test_an_older_revision_never_replaces_a_newer_one(
    demo: Parts, opensearch_url: str, opensearch_prefix: str
) -> None:
    """Two processes may write one title in any order; a title that was removed stays so."""
    index = OpenSearchIndex(opensearch_url, f"{opensearch_prefix}order", FakeClock(NOW))
    try:
        await index.prepare()
        old = replace((await demo.store.titles([COPS]))[COPS], synopsis="")
        new = replace(old, revision=3, display_name="Zebra")
        await index.update([new])
        await index.update([old])
        assert (await found(index, "zebra"), await found(index, "cops")) == ({COPS}, set())
        await index.update([replace(new, revision=4, is_withdrawn=True)])
        await index.update([new])
        assert await found(index, "zebra") == set()
    finally:
        await index.aclose()


async def test_a_search_engine_that_goes_away_costs_only_search(
    demo: Parts, opensearch_url: str, opensearch_prefix: str
) -> None:
    """Search says that it is away, browse goes on; what is written meanwhile is found afterwards, and nothing is lost."""
    host, port = urllib.parse.urlsplit(opensearch_url).hostname or "", urllib.parse.urlsplit(opensearch_url).port or 80
    async with UnsteadyLine(host, port) as line:
        index = OpenSearchIndex(f"http://127.0.0.1:{line.port}", f"{opensearch_prefix}away", FakeClock(NOW))
        updater = SearchUpdater(demo.store, index, AvailabilityCalendar(), demo.store.titles)
        await line.cut()
        # Starting without it: nobody waits, nothing fails.
        await updater.start()
        with pytest.raises(ServiceError) as away:
            await index.search("cops", SCOPE, TitleFilter(), frozenset(), 5)
        assert away.value.kind is ErrorKind.UNAVAILABLE
        with pytest.raises(ServiceError):
            await updater.check()
        request = BrowseRequest(TitleFilter(), TitleSort.POPULARITY, PageRequest(3))
        assert len((await demo.store.browse(SCOPE, [request]))[0]) == 4
        await line.mend()
        await updater.start()
        assert await demo.store.state() == await index.state()
        await line.cut()
        for number in range(30):
            await demo.store.save([await changed(demo, COPS, display_name=f"Zebra {number}")])
        await demo.store.save([await changed(demo, THE_KID, is_withdrawn=True)])
        await updater.settle()
        await line.mend()
        await updater.settle()
        await updater.check()
        assert await demo.store.state() == await index.state()
        assert (await found(index, "zebra 29"), THE_KID in await found(index, "the kid")) == ({COPS}, False)
        await index.aclose()
