"""Hits in a profile's own order: the same titles, another order, the same on every page, and only where it is allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from common.errors import ServiceError
from common.events import Event, EventPublisher
from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.pagination import PageRequest
from subgraphs.titles.adapters.search_tastes import ValkeyProfileTastes
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.finding import SearchSort
from subgraphs.titles.domain.personal import (
    REORDERED,
    ProfileTaste,
    affinity,
    apply_order,
    personal_order,
    read_order,
    write_order,
)
from subgraphs.titles.domain.title import Credit, CreditRole, Origin, Title, TitleKind, genre_named, person_named
from subgraphs.titles.services.search import Hit
from subgraphs.titles.services.tastes import REMEMBERED, KnownTastes
from tests.subgraphs.titles.conftest import ADULT, CHILD, NOW, KeptTastes, Parts, Service

COMEDY, WESTERN = genre_named("Comedy"), genre_named("Western")
LAUGHS = ProfileTaste(genres={COMEDY.id: 1.0})
RIDES = ProfileTaste(genres={WESTERN.id: 1.0}, people={"Buster Keaton": 0.9})


def film(number: int, name: str, **parts: Any) -> Title:
    parts = {"genres": (COMEDY if number % 2 else WESTERN,), **parts}
    return Title(
        id=TitleId(f"mov_{number:03d}"),
        kind=TitleKind.MOVIE,
        display_name=name,
        origin=Origin("test", str(number)),
        added_at=NOW,
        **parts,
    )


RIVERS = [film(number, f"River {number:03d}", is_kids=number % 3 == 0) for number in range(70)]


async def pages(parts: Parts, viewer: Viewer, text: str, first: int, *, at_most: int = 99) -> list[Hit]:
    """All hits, page by page."""
    found: list[Hit] = []
    after = None
    for _ in range(at_most):
        page = await parts.search.search(viewer, NOW, text, TitleFilter(), PageRequest(first, after))
        found += page.found[:first]
        if len(page.found) <= first:
            break
        after = found[-1].key
    return found


def ids(hits: list[Hit]) -> list[str]:
    return [hit.title.id for hit in hits]


@pytest.mark.parametrize("first", [20, 35, 70])
@pytest.mark.parametrize("levels", [1, 2, 160])
@pytest.mark.parametrize("taste", [None, LAUGHS])
async def test_a_long_list_is_one_list_however_it_is_paged(
    parts: Parts, first: int, levels: int, taste: ProfileTaste | None
) -> None:
    """Its beginning is asked for alone: the pages are those of the whole list, where hits tie at the cut, too."""
    films = [film(number, f"Brook {number:03d}", popularity=number % levels / levels) for number in range(160)]
    await parts.index.update(films)
    parts.catalogue.replace(films)
    parts.tastes.kept.update({} if taste is None else {str(ADULT.profile_id): taste})
    scope = CatalogueScope.of(ADULT, NOW)
    whole = await parts.index.search("brook", scope, TitleFilter(), frozenset(), 500)

    found = ids(await pages(parts, ADULT, "brook", first))

    assert len(found) == len(set(found)) == whole.total_count == 160
    assert found[REORDERED:] == [hit.title_id for hit in whole.hits[REORDERED:]]
    assert taste is not None or found == [hit.title_id for hit in whole.hits]


async def test_two_profiles_find_the_same_titles_in_their_own_order(parts: Parts) -> None:
    await parts.put(*RIVERS)
    other = replace(ADULT, profile_id="prof_9")
    await parts.tastes.put("prof_1", LAUGHS, NOW)
    await parts.tastes.put("prof_9", RIDES, NOW)
    mine, theirs = await pages(parts, ADULT, "river", 20), await pages(parts, other, "river", 20)
    plain = await pages(parts, replace(ADULT, profile_id="prof_nobody"), "river", 20)
    assert sorted(ids(mine)) == sorted(ids(theirs)) == sorted(ids(plain)) == [title.id for title in RIVERS]
    assert ids(mine) != ids(theirs)
    assert [hit.title.genres for hit in mine[:25]] == [(COMEDY,)] * 25
    assert [hit.title.genres for hit in theirs[:25]] == [(WESTERN,)] * 25
    assert ids(mine)[REORDERED:] == ids(plain)[REORDERED:]
    # What is told of a hit is the same for everybody.
    assert {hit.title.id: hit.score for hit in mine} == {hit.title.id: hit.score for hit in plain}


@pytest.mark.parametrize("change", ["another taste", "none any more"])
async def test_later_pages_go_on_in_the_order_of_the_first(parts: Parts, change: str) -> None:
    await parts.put(*RIVERS)
    await parts.tastes.put("prof_1", LAUGHS, NOW)
    expected = ids(await pages(parts, ADULT, "river", 7))
    first = await parts.search.search(ADULT, NOW, "river", TitleFilter(), PageRequest(7))
    if change == "another taste":
        await parts.tastes.put("prof_1", RIDES, NOW)
    else:
        await parts.tastes.decide("prof_1", NOW, is_refused=True)
    found, after = list(first.found[:7]), first.found[6].key
    while True:
        page = await parts.search.search(ADULT, NOW, "river", TitleFilter(), PageRequest(7, after))
        found += page.found[:7]
        if len(page.found) <= 7:
            break
        after = found[-1].key
    assert ids(found) == expected


async def test_the_filters_hold_whoever_is_drawn_to_what(parts: Parts) -> None:
    """Kids, an age limit and a country narrow both halves; a taste brings nothing in."""
    closed = film(90, "River closed", blocked_countries=frozenset({"US"}))
    grown_up = film(91, "River grown up", minimum_age=16)
    await parts.put(*RIVERS, closed, grown_up)
    everything = ProfileTaste(titles={title.id: 1.0 for title in (*RIVERS, closed, grown_up)})
    for profile_id in ("prof_1", "prof_2"):
        await parts.tastes.put(profile_id, everything, NOW)
    assert sorted(ids(await pages(parts, CHILD, "river", 50))) == [title.id for title in RIVERS if title.is_kids]
    assert closed.id not in ids(await pages(parts, ADULT, "river", 50))


async def test_other_orders_and_nobodys_searches_are_nobodys(parts: Parts) -> None:
    await parts.put(*RIVERS)
    await parts.tastes.put("prof_1", LAUGHS, NOW)

    async def by_name(viewer: Viewer) -> list[str]:
        page = await parts.search.search(viewer, NOW, "river", TitleFilter(), PageRequest(50), sort=SearchSort.NAME)
        return [hit.title.id for hit in page.found]

    assert await by_name(ADULT) == await by_name(Viewer(country="US"))
    assert [hit.key[3] for hit in await pages(parts, Viewer(country="US"), "river", 50)] == [""] * 70


async def test_an_order_that_nobody_wrote_is_refused(parts: Parts) -> None:
    await parts.put(*RIVERS)
    page = await parts.search.search(ADULT, NOW, "river", TitleFilter(), PageRequest(5))
    kind, mark, search, _, place, title_id = page.found[4].key
    for forged in ("00", "1", "?", "0" * 500, "210" + "3" * 60):
        with pytest.raises(ServiceError, match="cursor of another list"):
            await parts.search.search(
                ADULT, NOW, "river", TitleFilter(), PageRequest(5, (kind, mark, search, forged, place, title_id))
            )


# --- the order itself ----------------------------------------------------------------------------------------------


def test_a_named_title_stays_before_all_others() -> None:
    titles = [film(0, "The Gold"), film(1, "Gold Rush"), film(3, "Fool's Gold")]
    assert personal_order("gold", titles, [60.0, 40.0, 39.0], LAUGHS)[0] == 0
    assert personal_order("gold rush", titles[1:], [9.0, 8.9], ProfileTaste(titles={"mov_003": 1.0})) == [0, 1]


def test_refused_titles_are_not_lifted() -> None:
    titles = [film(0, "Gold one"), film(1, "Gold two"), film(3, "Gold three")]
    refusing = ProfileTaste(genres={COMEDY.id: 1.0}, titles={"mov_001": 0.0})
    assert affinity(titles[1], refusing) == 0.0
    assert personal_order("gold", titles, [10.0, 9.9, 9.8], refusing) == [2, 0, 1]


def test_people_and_the_models_titles_draw() -> None:
    keaton = (Credit(person_named("Buster Keaton"), CreditRole.CAST),)
    plain, starred = film(2, "Gold", genres=()), film(4, "Gold", genres=(), credits=keaton)
    assert affinity(starred, RIDES) > affinity(plain, RIDES) == 0.0
    assert affinity(plain, ProfileTaste(titles={plain.id: 0.7})) == pytest.approx(0.7)


weights = st.dictionaries(st.sampled_from([COMEDY.id, WESTERN.id]), st.floats(0, 1))
ranked = st.lists(st.floats(0.1, 100), min_size=1, max_size=REORDERED).map(lambda scores: sorted(scores, reverse=True))


@given(scores=ranked, genres=weights, named=st.dictionaries(st.integers(0, 49), st.floats(0, 1)))
@settings(max_examples=60, deadline=None)
def test_an_order_has_every_hit_once_and_lifts_none_over_one_twice_as_good(
    scores: list[float], genres: dict[str, float], named: dict[int, float]
) -> None:
    titles = RIVERS[: len(scores)]
    taste = ProfileTaste(genres, titles={f"mov_{number:03d}": score for number, score in named.items()})
    order = personal_order("river", titles, scores, taste)
    assert sorted(order) == list(range(len(scores)))
    assert read_order(write_order(order)) in (order, [])
    for rank, place in enumerate(order):
        assert all(scores[place] * 2 >= scores[behind] * (1 - 1e-9) for behind in order[rank:])


@given(st.permutations(range(REORDERED)), st.integers(0, 80))
def test_an_order_holds_for_fewer_and_for_more_hits(order: list[int], count: int) -> None:
    assert sorted(apply_order(count, order)) == list(range(count))


async def test_a_taste_is_read_once_while_somebody_types() -> None:
    """For some seconds; what is heard in between counts at once."""
    kept = KeptTastes({"prof_1": LAUGHS})
    known = KnownTastes(kept)
    assert await known.of(ADULT, NOW) == LAUGHS
    kept.kept["prof_1"] = RIDES
    assert await known.of(ADULT, NOW + REMEMBERED - timedelta(seconds=1)) == LAUGHS
    assert await known.of(ADULT, NOW + REMEMBERED) == RIDES
    await known.on_accounts(consent(NOW, granted=False))
    assert await known.of(ADULT, NOW + REMEMBERED) is None
    await known.on_tastes(told(drama=0.5))
    assert (await known.of(ADULT, NOW + REMEMBERED) or LAUGHS).genres == {"drama": 0.5}


# --- where tastes are kept -----------------------------------------------------------------------------------------


@pytest.fixture
def tastes(redis: Redis) -> ValkeyProfileTastes:
    return ValkeyProfileTastes(redis)


def told(at: Any = NOW, **weights: float) -> Event:
    data = {
        "profileId": "prof_1",
        "genres": [{"id": genre, "weight": weight} for genre, weight in weights.items()],
        "people": [{"name": "Buster Keaton", "weight": 0.5}],
        "titles": [{"id": "mov_a", "score": 0.0}],
        "computedAt": at.isoformat(),
    }
    return Event(topic="tastes", kind="taste.changed", data=data, occurred_at=at)


def consent(at: Any, *, granted: bool) -> Event:
    data = {
        "accountId": "acc_1",
        "profileIds": ["prof_1"],
        "purpose": "PERSONALISATION",
        "granted": granted,
        "textVersion": 1,
    }
    return Event(topic="accounts", kind="consent.changed", data=data, occurred_at=at)


async def test_the_last_taste_is_kept_and_goes_with_the_permission(tastes: ValkeyProfileTastes, redis: Redis) -> None:
    known = KnownTastes(tastes)
    assert await known.of(ADULT, NOW) is None
    await known.on_tastes(told(drama=0.5))
    await known.on_tastes(told(NOW - timedelta(seconds=1), drama=0.1))
    expected = ProfileTaste({"drama": 0.5}, {"Buster Keaton": 0.5}, {"mov_a": 0.0})
    assert await known.of(ADULT, NOW) == expected
    assert await known.of(replace(ADULT, profile_id=None), NOW) is None
    assert 0 < await redis.ttl("marquee:search-taste:prof_1") <= 30 * 24 * 3600

    await known.on_accounts(consent(NOW + timedelta(seconds=5), granted=False))
    for seconds in (4, 6):
        await known.on_tastes(told(NOW + timedelta(seconds=seconds), drama=0.9))
        assert await known.of(ADULT, NOW) is None, "whoever computed it had not heard of the refusal"
    assert "drama" not in str(await redis.get("marquee:search-taste:prof_1"))
    await known.on_accounts(consent(NOW + timedelta(seconds=8), granted=True))
    await known.on_accounts(consent(NOW + timedelta(seconds=5), granted=False))
    await known.on_tastes(told(NOW + timedelta(seconds=9), drama=0.9))
    assert (await tastes.taste("prof_1") or expected).genres == {"drama": 0.9}

    data = {"accountId": "acc_1", "profileIds": ["prof_1"]}
    gone = Event(topic="accounts", kind="account.erased", data=data, occurred_at=NOW)
    await known.on_accounts(gone)
    assert await redis.keys("marquee:search-taste:*") == []


async def test_no_taste_is_kept_of_a_profile_that_was_deleted(tastes: ValkeyProfileTastes, redis: Redis) -> None:
    """Also not one that was told before and is heard after; the mark that holds it off is soon gone."""
    known = KnownTastes(tastes)
    await known.on_tastes(told(drama=0.5))
    data = {"accountId": "acc_1", "profileId": "prof_1"}
    await known.on_accounts(Event(topic="accounts", kind="profile.deleted", data=data, occurred_at=NOW))
    assert await known.of(ADULT, NOW) is None
    for seconds in (-1, 0, 1):
        await known.on_tastes(told(NOW + timedelta(seconds=seconds), drama=0.9))
        assert "drama" not in str(await redis.get("marquee:search-taste:prof_1"))
    assert 0 < await redis.ttl("marquee:search-taste:prof_1") <= 2 * 3600


async def test_a_store_that_is_away_or_slow_leaves_the_texts_order(parts: Parts) -> None:
    class Away(ValkeyProfileTastes):
        async def taste(self, profile_id: str) -> ProfileTaste | None:
            raise ConnectionError("away")

    class Slow(ValkeyProfileTastes):
        async def taste(self, profile_id: str) -> ProfileTaste | None:
            await asyncio.Event().wait()
            return None

    for tastes in (Away(Redis()), Slow(Redis())):
        assert await KnownTastes(tastes).of(ADULT, NOW) is None


SEARCH = "query($q: String!) { search(query: $q, first: 50) { edges { tracking node { id } } } }"


async def test_a_taste_that_was_told_orders_the_searches_of_its_profile(own_service: Service, redis: Redis) -> None:
    """Through the stream, as recommendations tells it; nobody else's order changes, and erasure ends it."""

    async def order(viewer: Viewer) -> list[str]:
        edges = (await own_service.data(SEARCH, viewer, q="comedy"))["search"]["edges"]
        assert [edge["tracking"].rpartition(".")[2] for edge in edges] == [str(n + 1) for n in range(len(edges))]
        return [edge["node"]["id"] for edge in edges]

    async def until(is_so: Callable[[list[str]], bool]) -> list[str]:
        async with asyncio.timeout(10):
            while not is_so(found := await order(ADULT)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            return found

    other = replace(ADULT, profile_id="prof_9")
    plain = await order(ADULT)
    assert len(plain) > 5
    liked = plain[3]
    taste = told(drama=0.0)
    data = {**taste.data, "people": [], "titles": [{"id": liked, "score": 1.0}]}
    await EventPublisher(redis).publish(replace(taste, data=data))
    mine = await until(lambda found: found != plain)
    assert mine.index(liked) < 3
    assert sorted(mine) == sorted(plain) == sorted(await order(other))
    assert await order(other) == plain
    await EventPublisher(redis).publish(consent(NOW + timedelta(seconds=1), granted=False))
    await until(lambda found: found == plain)
