"""The title store's contract, on every store that there is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.clock import FakeClock
from common.errors import ServiceError
from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.pagination import PageRequest
from subgraphs.kernel.policy import Window, decide
from subgraphs.titles.adapters.sql.browse_query import MAX_LISTS_PER_QUERY
from subgraphs.titles.domain.browsing import BrowseRequest, CatalogueScope, SortDirection, TitleFilter, TitleSort
from subgraphs.titles.domain.order import sort_key
from subgraphs.titles.domain.title import (
    Asset,
    Credit,
    CreditRole,
    Marker,
    Media,
    MediaStatus,
    Origin,
    Season,
    SeasonId,
    Title,
    TitleKind,
    VideoKind,
    VideoSlot,
    fingerprint,
    genre_named,
    match_key,
    person_named,
)
from subgraphs.titles.ports import AuditEntry, CatalogueState, TitleStore
from subgraphs.titles.services.catalogue import Catalogue
from subgraphs.titles.services.editing import CatalogueEditor, Stale
from subgraphs.titles.services.writing import CatalogueWriter
from tests.subgraphs.titles.catalogue_strategies import catalogues, list_filters, passes, viewers
from tests.subgraphs.titles.conftest import NOW, Parts
from tests.subgraphs.titles.stores import STORES, empty, opened_store

SLOW_FIXTURE = [HealthCheck.function_scoped_fixture]


def the_order(titles: list[Title], request: BrowseRequest) -> list[TitleId]:
    """Ids as a list in this order shows them."""
    by_id = sorted(titles, key=lambda title: title.id)
    by_value = sorted(by_id, key=lambda t: sort_key(t, request.sort)[1], reverse=not request.is_ascending)  # type: ignore[arg-type,return-value]
    return [title.id for title in by_value]


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TitleStore]:
    async with opened_store(request.param, request, tmp_path) as opened:
        yield opened


@given(catalogue=catalogues())
@settings(max_examples=25, deadline=None, suppress_health_check=SLOW_FIXTURE)
async def test_gives_back_what_was_saved(store: TitleStore, catalogue: list[Title]) -> None:
    """A title read is the title saved, its digest that of what was saved."""
    await empty(store)
    await store.save(catalogue)
    ids = [title.id for title in catalogue]
    assert {title.id: title for title in catalogue} == await store.titles(ids)
    assert {title.id: fingerprint(title) for title in catalogue} == await store.digests(ids)
    there = [title for title in catalogue if not title.is_gone]
    assert CatalogueState(len(there), sum(title.revision for title in there)) == await store.state()
    timed = {title.id for title in catalogue if any(window.opens_at or window.closes_at for window in title.windows)}
    assert timed == {title.id for title in await store.timed_titles()}


@given(
    catalogue=catalogues(),
    viewer=viewers,
    chosen=list_filters,
    sort=st.sampled_from(TitleSort),
    direction=st.sampled_from([None, *SortDirection]),
    page_size=st.integers(1, 4),
)
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW_FIXTURE)
async def test_browse_finds_what_policy_and_filter_allow(
    store: TitleStore,
    catalogue: list[Title],
    viewer: Viewer,
    chosen: TitleFilter,
    sort: TitleSort,
    direction: SortDirection | None,
    page_size: int,
) -> None:
    """Pages put together are exactly the visible titles that pass, in order, each once; the facets count them."""
    await empty(store)
    await store.save(catalogue)
    scope = CatalogueScope.of(viewer, NOW)
    expected = [t for t in catalogue if passes(t, chosen) and decide(viewer, t.facts, NOW).may_see]
    titles = {title.id: title for title in catalogue}
    found: list[TitleId] = []
    request = BrowseRequest(chosen, sort, PageRequest(page_size), direction)
    while True:
        [ids] = await store.browse(scope, [request])
        found += ids[:page_size]
        if len(ids) <= page_size:
            break
        behind = sort_key(titles[found[-1]], sort, direction)
        request = replace(request, page=PageRequest(page_size, behind))
    assert the_order(expected, request) == found
    facets = await store.facets(scope, chosen)
    assert (len(expected), len(expected)) == (facets.total_count, sum(count for _, count in facets.count_by_initial))
    decades = Counter(None if t.release_year is None else t.release_year // 10 * 10 for t in expected)
    assert dict(facets.count_by_decade) == decades
    visible = [title for title in catalogue if decide(viewer, title.facts, NOW).may_see]
    whole = [title for title in visible if title.kind in {TitleKind.MOVIE, TitleKind.SERIES}]
    assert {genre.id for title in whole for genre in title.genres} == {g.id for g in await store.genres(scope)}
    credited = {credit.person for title in visible for credit in title.credits}
    everybody = sorted({credit.person.id for title in catalogue for credit in title.credits})
    assert credited == set((await store.people(scope, everybody)).values())


def _film(n: int, display_name: str, revision: int = 1) -> Title:
    origin = Origin("test", str(n))
    return Title(
        id=TitleId(f"mov_{n}"),
        kind=TitleKind.MOVIE,
        display_name=display_name,
        origin=origin,
        added_at=NOW,
        revision=revision,
    )


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
    """One follower's confirmation is not another's; what all confirmed is not told again."""
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


async def test_a_follower_begins_at_the_end_of_the_log(demo: Parts) -> None:
    """What was written before it is not told to it; afterwards everything, until it leaves."""
    store, cops = demo.store, TitleId("mov_cops-1922")
    await store.follow("newcomer")
    assert (await store.changes_for("newcomer", 10), await store.changes_for("nobody", 10)) == ([], [])
    title = (await store.titles([cops]))[cops]
    await store.save([title])
    [change] = await store.changes_for("newcomer", 10)
    assert change.title_id == cops
    for follower in ("events", "search", "newcomer"):
        await store.confirm_changes(follower, change.sequence)
    await store.follow("late")
    await store.save([title])
    assert [each.title_id for each in await store.changes_for("late", 10)] == [cops]
    assert {"events", "search", "newcomer", "late"} == await store.followers()
    for follower in ("newcomer", "late", "nobody"):
        await store.unfollow(follower)
    assert {"events", "search"} == await store.followers()
    assert await store.changes_for("late", 10) == []


async def test_writers_at_once_hide_no_change(store: TitleStore) -> None:
    """A follower that reads and confirms while eight writers write hears of every title, each in its last state."""
    names = [f"Film {n}" for n in range(64)]
    told: dict[str, int] = {}

    async def write(writer: int) -> None:
        for revision in (1, 2):
            for n in range(writer, len(names), 8):
                await store.save([_film(n, names[n], revision)])

    async def follow() -> None:
        while changes := await store.changes_for("search", 5):
            assert [each.sequence for each in changes] == sorted(each.sequence for each in changes)
            found = await store.titles([each.title_id for each in changes])
            told.update((title.id, title.revision) for title in found.values())
            await store.confirm_changes("search", changes[-1].sequence)

    async with asyncio.TaskGroup() as writers:
        tasks = [writers.create_task(write(writer)) for writer in range(8)]
        while not all(task.done() for task in tasks):
            await follow()
            await asyncio.sleep(0)
    await follow()
    assert told == {f"mov_{n}": 2 for n in range(len(names))}


async def test_parts_of_what_is_hidden_are_not_counted(store: TitleStore) -> None:
    """Episodes and videos whose own facts let them be seen, of a series and a film that may not be."""

    def part(kind: TitleKind, n: int, **changes: Any) -> Title:
        return replace(_film(n, f"{kind} {n}"), id=TitleId(f"{kind.id_prefix}_{n}"), kind=kind, **changes)

    parents = [
        part(TitleKind.MOVIE, 1, windows=(Window("FR"),)),
        part(TitleKind.SERIES, 2),
        part(TitleKind.SERIES, 3, blocked_countries=frozenset({"US"})),
    ]
    videos = [
        part(TitleKind.VIDEO, n, video_of=parent.id, video_kind=VideoKind.TRAILER) for n, parent in enumerate(parents)
    ]
    place: dict[str, Any] = {"season_id": SeasonId("sea_1"), "season_number": 1, "episode_number": 1}
    episodes = [part(TitleKind.EPISODE, n, series_id=parent.id, **place) for n, parent in enumerate(parents) if n > 0]
    genre = genre_named("Rarity")
    await store.save([*parents, *videos, *(replace(episode, genres=(genre,)) for episode in episodes)])
    scope = CatalogueScope.of(Viewer(country="US"), NOW)

    counts = [(await store.facets(scope, TitleFilter(kind=kind))).total_count for kind in TitleKind]

    assert dict(zip(TitleKind, counts, strict=True)) == {
        TitleKind.MOVIE: 0,
        TitleKind.SERIES: 1,
        TitleKind.EPISODE: 1,
        TitleKind.VIDEO: 1,
    }
    assert genre not in await store.genres(scope)


async def test_two_processes_that_edit_a_title_never_overwrite_each_other(store: TitleStore) -> None:
    """Who saw an older revision is told, whichever process is asked; what overwrites nothing is done after the other."""
    await store.save([_film(1, "Before")])
    film = TitleId("mov_1")

    def process() -> CatalogueEditor:
        clock = FakeClock(NOW)
        catalogue = Catalogue(store, clock, cache_size=10)
        return CatalogueEditor(CatalogueWriter(store, catalogue, lambda: None), catalogue, store, clock)

    def named(name: str) -> Callable[[Title], Title]:
        return lambda title: replace(title, display_name=name)

    outcomes = await asyncio.gather(
        *[process().edit(film, 1, "acc_9", "update", named(f"Name {number}")) for number in range(3)]
    )
    won = [each for each in outcomes if isinstance(each, Title)]
    assert [type(each) for each in outcomes if not isinstance(each, Title)] == [Stale, Stale]
    assert (await store.titles([film]))[film] == won[0]

    def add_to_synopsis(letter: str) -> Callable[[Title], Title]:
        return lambda title: replace(title, synopsis=title.synopsis + letter)

    await asyncio.gather(*[process().edit(film, None, "acc_9", "add", add_to_synopsis(each)) for each in "abc"])
    stored = (await store.titles([film]))[film]
    assert (sorted(stored.synopsis), stored.revision) == (["a", "b", "c"], 5)
    assert len(await store.audit_entries(film, PageRequest(20))) == 4


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


async def test_walks_the_catalogue_by_id_and_by_source(demo: Parts) -> None:
    """In pieces, each id once and in order; a source's walk leaves out what it has delisted."""
    everything: list[TitleId] = []
    while some := await demo.store.ids_after(everything[-1] if everything else "", 50):
        everything += some
    assert (163, sorted(everything)) == (len(everything), everything)
    gone = (await demo.store.titles([everything[3]]))[everything[3]]
    await demo.store.save([replace(gone, is_delisted=True)])
    assert [*everything[1:3], everything[4]] == await demo.store.ids_of_source("demo", everything[0], 3)
    assert await demo.store.ids_of_source("elsewhere", "", 3) == []


async def test_knows_the_videos_of_a_title(store: TitleStore) -> None:
    """Newest first and then by id, those that are gone left out."""
    film = _film(1, "Film")

    def video(name: str, days: int, **changes: Any) -> Title:
        return replace(
            film,
            id=TitleId(f"vid_{name}"),
            kind=TitleKind.VIDEO,
            video_of=film.id,
            video_kind=VideoKind.TRAILER,
            added_at=NOW - timedelta(days=days),
            **changes,
        )

    season = SeasonId("sea_1")
    await store.save(
        [film, video("b", 1), video("a", 1), video("new", 0, season_id=season), video("gone", 0, is_withdrawn=True)]
    )
    [slots] = (await store.videos_of([film.id, TitleId("mov_2")])).values()
    assert slots == (
        VideoSlot(TitleId("vid_new"), VideoKind.TRAILER, season),
        VideoSlot(TitleId("vid_a"), VideoKind.TRAILER, None),
        VideoSlot(TitleId("vid_b"), VideoKind.TRAILER, None),
    )


async def test_keeps_edits_of_people_and_positions(store: TitleStore) -> None:
    """The last word counts; what nobody has kept is None."""
    ada, eda = person_named("Ada Lund"), person_named("Eda Lund")
    film = replace(_film(1, "Film"), credits=(Credit(ada, CreditRole.CAST), Credit(ada, CreditRole.WRITER)))
    await store.save([film], person_edits={eda.id: eda})
    await store.save([film], person_edits={eda.id: ada})
    assert await store.person_edits() == {eda.id: ada}
    assert await store.titles_of_person(ada.id, 5) == [film.id]
    assert await store.titles_of_person(eda.id, 5) == []
    assert await store.position("announced") is None
    for value in (3, 2**40):
        await store.set_position("announced", value)
        assert await store.position("announced") == value
