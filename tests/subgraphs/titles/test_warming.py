"""The catalogue in memory: read in the background, read again before it is old, of shared parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from common.clock import FakeClock
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.adapters.sql import SqlTitleStore
from subgraphs.titles.domain.sharing import PartSharing
from subgraphs.titles.domain.title import Season, Title, TitleKind
from subgraphs.titles.services.catalogue import CACHE_LIFE, Catalogue
from subgraphs.titles.services.warming import OLD, CatalogueWarmer
from tests.subgraphs.titles.conftest import ADULT, NOW, Parts


class CountingStore(SqlTitleStore):
    """Counts the titles that are read."""

    read_count = 0

    async def titles(self, ids: Sequence[TitleId]) -> dict[TitleId, Title]:
        self.read_count += len(ids)
        return await super().titles(ids)


async def test_a_walk_reads_what_is_missing_and_what_grows_old(demo: Parts) -> None:
    store = CountingStore(demo.store._engine)  # type: ignore[attr-defined]
    clock = FakeClock(NOW)
    catalogue = Catalogue(store, clock, cache_size=10_000)
    settled: list[int] = []
    warmer = CatalogueWarmer(store, catalogue, lambda: settled.append(store.read_count))
    ids = await store.ids_after("", 10_000)
    assert await warmer.walk() == len(ids) == store.read_count
    assert settled == [len(ids)]
    assert len(await catalogue.visible_titles(ADULT, NOW, ids)) > 100
    assert store.read_count == len(ids), "every title was in memory"

    clock.advance(OLD - timedelta(seconds=1))
    assert await warmer.walk() == 0
    assert settled == [len(ids)], "nothing came into memory that is to stay"
    clock.advance(timedelta(seconds=2))
    assert await warmer.walk() == len(ids)
    clock.advance(CACHE_LIFE - timedelta(seconds=1))
    await catalogue.titles(ids)
    assert store.read_count == 2 * len(ids), "what was read again is young again"


async def test_a_title_that_is_read_again_stays_the_same_object_until_it_changes(demo: Parts) -> None:
    """What is answered of a title is kept by the very object, of which one that is missing is the first."""
    clock = FakeClock(NOW)
    catalogue = Catalogue(demo.store, clock, cache_size=10_000)
    ids = await demo.store.ids_after("", 20)
    first = await catalogue.titles(ids)
    kept = await catalogue.titles(ids)
    assert all(kept[title_id] is first[title_id] for title_id in ids)
    await demo.store.save([replace(first[ids[0]], synopsis="Another.")])
    clock.advance(CACHE_LIFE + timedelta(seconds=1))
    again = await catalogue.titles(ids)
    assert [title_id for title_id in ids if again[title_id] is not first[title_id]] == [ids[0]]
    assert again[ids[0]].synopsis == "Another."


async def test_a_walk_forgets_nothing_where_the_catalogue_does_not_fit(demo: Parts) -> None:
    catalogue = Catalogue(demo.store, FakeClock(NOW), cache_size=50)
    assert await CatalogueWarmer(demo.store, catalogue).walk() <= 60
    assert not catalogue.has_room
    assert await CatalogueWarmer(demo.store, Catalogue(demo.store, FakeClock(NOW), cache_size=0)).walk() == 0


async def test_kept_titles_equal_those_of_the_store_and_share_their_parts(demo: Parts) -> None:
    ids = await demo.store.ids_after("", 10_000)
    first, second = await demo.store.titles(ids), await demo.store.titles(ids)
    sharing = PartSharing()
    for title_id in ids:
        kept, again = sharing.shared(first[title_id]), sharing.shared(second[title_id])
        assert kept == first[title_id]
        assert kept.genres is again.genres
        assert kept.windows is again.windows
        assert all(one.person is other.person for one, other in zip(kept.credits, again.credits, strict=True))


async def test_seasons_in_memory_may_be_forgotten_while_others_are_read(demo: Parts) -> None:
    """A write in that moment ends what is kept, and no request for it."""

    class Written(SqlTitleStore):
        async def seasons_of(self, series_ids: Sequence[TitleId]) -> dict[TitleId, tuple[Season, ...]]:
            catalogue.replace([])
            return await super().seasons_of(series_ids)

    store = Written(demo.store._engine)  # type: ignore[attr-defined]
    titles = await demo.store.titles(await demo.store.ids_after("", 10_000))
    first, second = [title.id for title in titles.values() if title.kind is TitleKind.SERIES][:2]
    catalogue = Catalogue(demo.store, FakeClock(NOW), cache_size=1_000)
    known = await catalogue.seasons_of([first])
    catalogue._store = store
    found = await catalogue.seasons_of([first, second])
    assert found == known | await demo.store.seasons_of([second])
