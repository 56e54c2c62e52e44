"""The title store's contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import ServiceError
from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.pagination import PageRequest
from subgraphs.kernel.policy import decide
from subgraphs.kernel.sql import sqlite_url
from subgraphs.titles.adapters.sql import SqlTitleStore
from subgraphs.titles.adapters.sql.browse_query import MAX_LISTS_PER_QUERY
from subgraphs.titles.domain.browsing import BrowseRequest, CatalogueScope, TitleFilter, TitleSort
from subgraphs.titles.domain.order import sort_key
from subgraphs.titles.domain.title import (
    Asset,
    Marker,
    Media,
    MediaStatus,
    Season,
    SeasonId,
    Title,
    TitleKind,
    fingerprint,
    match_key,
)
from subgraphs.titles.ports import AuditEntry
from tests.subgraphs.titles.catalogue_strategies import catalogues, filters, passes, viewers
from tests.subgraphs.titles.conftest import NOW, Parts

SLOW_FIXTURE = [HealthCheck.function_scoped_fixture]


def the_order(titles: list[Title], sort: TitleSort) -> list[TitleId]:
    """Ids as a list in this order shows them."""
    by_id = sorted(titles, key=lambda title: title.id)
    return [t.id for t in sorted(by_id, key=lambda t: sort_key(t, sort)[1], reverse=sort is not TitleSort.NAME)]  # type: ignore[arg-type,return-value]


async def fresh(tmp_path_factory: pytest.TempPathFactory) -> SqlTitleStore:
    return await SqlTitleStore.open(sqlite_url(tmp_path_factory.mktemp("store") / "titles.sqlite"))


@given(catalogue=catalogues())
@settings(max_examples=25, deadline=None, suppress_health_check=SLOW_FIXTURE)
async def test_gives_back_what_was_saved(tmp_path_factory: pytest.TempPathFactory, catalogue: list[Title]) -> None:
    """A title read is the title saved, its digest that of what was saved."""
    store = await fresh(tmp_path_factory)
    try:
        await store.save(catalogue)
        assert {title.id: title for title in catalogue} == await store.titles([title.id for title in catalogue])
        assert {title.id: fingerprint(title) for title in catalogue} == await store.digests([t.id for t in catalogue])
    finally:
        await store.aclose()


@given(
    catalogue=catalogues(), viewer=viewers, chosen=filters, sort=st.sampled_from(TitleSort), page_size=st.integers(1, 4)
)
@settings(max_examples=50, deadline=None, suppress_health_check=SLOW_FIXTURE)
async def test_browse_finds_what_policy_and_filter_allow(
    tmp_path_factory: pytest.TempPathFactory,
    catalogue: list[Title],
    viewer: Viewer,
    chosen: TitleFilter,
    sort: TitleSort,
    page_size: int,
) -> None:
    """Pages put together are exactly the visible titles that pass, in order, each once."""
    store = await fresh(tmp_path_factory)
    try:
        await store.save(catalogue)
        expected = [t for t in catalogue if passes(t, chosen) and decide(viewer, t.facts, NOW).may_see]
        titles = {title.id: title for title in catalogue}
        found: list[TitleId] = []
        request = PageRequest(page_size)
        while True:
            [ids] = await store.browse(CatalogueScope.of(viewer, NOW), [BrowseRequest(chosen, sort, request)])
            found += ids[:page_size]
            if len(ids) <= page_size:
                break
            request = PageRequest(page_size, sort_key(titles[found[-1]], sort))
        assert the_order(expected, sort) == found
        genres = {genre.id for title in catalogue if decide(viewer, title.facts, NOW).may_see for genre in title.genres}
        assert genres == {genre.id for genre in await store.genres(CatalogueScope.of(viewer, NOW))}
    finally:
        await store.aclose()


async def test_replaces_children_together_with_their_title(demo: Parts) -> None:
    """Genres, credits and windows of before are gone after a title was saved again."""
    before = (await demo.store.titles([TitleId("mov_nosferatu-1922")]))[TitleId("mov_nosferatu-1922")]
    after = replace(before, genres=before.genres[:1], credits=(), certificates=(("DE", "FSK 16"),))
    await demo.store.save([after])
    assert {after.id: after} == await demo.store.titles([after.id])


async def test_keeps_media_and_markers(demo: Parts) -> None:
    """An asset with its markers comes back as it was."""
    before = (await demo.store.titles([TitleId("mov_the-kid-1921")]))[TitleId("mov_the-kid-1921")]
    asset = Asset("ast_1", "a/master.m3u8", "a/manifest.mpd", 24.5, 720, "clearkey", "posters/1.jpg")
    after = replace(before, media=Media(MediaStatus.READY, asset, (Marker("INTRO", 0.0, 3.5),)))
    await demo.store.save([after])
    assert after.media == (await demo.store.titles([after.id]))[after.id].media


async def test_knows_seasons_and_episodes_in_order(demo: Parts) -> None:
    """Seasons by number, episodes by season and number."""
    judex = TitleId("ser_judex-1916")
    assert [season.number for season in (await demo.store.seasons_of([judex]))[judex]] == [1, 2]
    slots = (await demo.store.episodes_of([judex]))[judex]
    assert [*((1, n) for n in range(1, 14)), *((2, n) for n in range(1, 13))] == [
        (slot.season_number, slot.number) for slot in slots
    ]
    season_id = SeasonId("sea_judex-1916-s2")
    assert (
        Season(season_id, judex, 2, "The New Mission of Judex")
        == (await demo.store.seasons_by_id([season_id]))[season_id]
    )


async def test_each_follower_sees_every_change_until_it_confirms(demo: Parts) -> None:
    """One follower's confirmation is not another's, and what all confirmed is dropped."""
    assert await demo.store.changes_for("search", 10) == []
    changes = await demo.store.changes_for("events", 1_000)
    assert len(changes) == 163
    await demo.store.confirm_changes("events", changes[99].sequence)
    assert changes[100] == (await demo.store.changes_for("events", 1))[0]
    await demo.store.confirm_changes("events", changes[-1].sequence)
    announced = await demo.store.announce_all()
    again = await demo.store.changes_for("events", 1_000)
    assert (announced, len(again)) == (163, 163)
    assert again[0].sequence > changes[-1].sequence


async def test_finds_the_same_work_from_another_source(demo: Parts) -> None:
    """By kind, folded name and year; a title of the asking source does not count."""
    key = match_key(TitleKind.MOVIE, "HAXAN", 1922)
    assert {key: "mov_haxan-1922"} == await demo.store.titles_matching([key], except_source="wikipedia")
    assert await demo.store.titles_matching([key], except_source="demo") == {}


async def test_writes_nothing_of_a_batch_that_fails(demo: Parts) -> None:
    """A batch with a title that the database refuses leaves no trace, in the change log neither."""
    title = next(iter((await demo.store.titles([TitleId("mov_cops-1922")])).values()))
    orphan = Season(SeasonId("sea_orphan"), TitleId("ser_nowhere"), 1, "Season 1")
    changes_before = len(await demo.store.changes_for("events", 1_000))
    with pytest.raises(Exception, match="FOREIGN KEY"):
        await demo.store.save([replace(title, display_name="Robbers")], [orphan])
    assert (await demo.store.titles([title.id]))[title.id].display_name == "Cops"
    assert changes_before == len(await demo.store.changes_for("events", 1_000))


async def test_keeps_audit_entries(demo: Parts) -> None:
    """Newest first, with who, what and when; a page goes on behind the last entry's instant and id."""
    title = next(iter((await demo.store.titles([TitleId("mov_cops-1922")])).values()))
    entries = [
        AuditEntry(f"aud_{n}", NOW + timedelta(days=n // 2), "acc_9", "update", subject_id, {"n": n}, {"n": n + 1})
        for n, subject_id in enumerate([title.id, "per_x", title.id, title.id])
    ]
    for entry in entries:
        await demo.store.save([title], audit=entry)
    assert entries[::-1] == await demo.store.audit_entries(None, PageRequest(10))
    assert [entries[3], entries[2]] == await demo.store.audit_entries(title.id, PageRequest(1))
    behind = PageRequest(1, (int(entries[2].at.timestamp()) * 1_000_000, entries[2].id))
    assert [entries[0]] == await demo.store.audit_entries(title.id, behind)
    assert [entries[1]] == await demo.store.audit_entries("per_x", PageRequest(1))


def test_refuses_a_cursor_of_another_order() -> None:
    """A cursor names its order; used in another it is refused, never misread."""
    page = PageRequest(2, ("NAME", "kid", "mov_the-kid-1921"))
    with pytest.raises(ServiceError, match="another order than POPULARITY"):
        BrowseRequest(TitleFilter(), TitleSort.POPULARITY, page)


async def test_lists_read_together_are_those_read_alone(demo: Parts) -> None:
    """In every order, of every genre, more of them than one statement takes."""
    scope = CatalogueScope.of(Viewer(country="US"), NOW)
    genres = await demo.store.genres(scope)
    requests = [
        BrowseRequest(TitleFilter(genre_id=genre.id), sort, PageRequest(size))
        for genre in genres
        for sort in TitleSort
        for size in (1, 5)
    ]
    assert len(requests) > MAX_LISTS_PER_QUERY
    together = await demo.store.browse(scope, requests)
    alone = [(await demo.store.browse(scope, [request]))[0] for request in requests]
    assert alone == together
    assert all(together)
