"""Facets, orders, cursors and suggestions of a search, on every engine, against a scan of all titles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import ServiceError
from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.pagination import PageRequest
from subgraphs.kernel.policy import decide
from subgraphs.titles.domain.browsing import CatalogueScope, DurationBand, TitleFilter
from subgraphs.titles.domain.completion import (
    MAX_GENRES,
    MAX_PEOPLE,
    CreditedPeople,
    Suggestion,
    SuggestionKind,
    TypedText,
    best_suggestions,
    edits_between,
    leave_no_room,
)
from subgraphs.titles.domain.finding import FacetField, SearchFacets, SearchSort, facet_questions, name_rank
from subgraphs.titles.domain.relevance import (
    people_question,
    words_of,
)
from subgraphs.titles.domain.text import sort_name
from subgraphs.titles.domain.title import Credit, CreditRole, Origin, Title, TitleKind, genre_named, person_named
from subgraphs.titles.ports import SearchIndex
from subgraphs.titles.services.calendar import AvailabilityCalendar
from tests.subgraphs.titles.catalogue_strategies import catalogues, passes, search_filters, viewers
from tests.subgraphs.titles.conftest import ADULT, CHILD, NOW, Parts, Service
from tests.subgraphs.titles.engines import COPS, ENGINES, empty, opened_index

EVERYTHING = "stone"
"""A word of every synopsis of a random catalogue."""


@pytest.fixture(params=ENGINES)
async def index(request: pytest.FixtureRequest) -> AsyncIterator[SearchIndex]:
    async with opened_index(request.param, request) as opened:
        yield opened


async def facets_of(
    index: SearchIndex, viewer: Viewer, closed: frozenset[TitleId], chosen: TitleFilter
) -> SearchFacets:
    counts: dict[FacetField, dict[str | int, int]] = {}
    for narrowed, fields, of_every_kind in facet_questions(chosen):
        found = await index.count_values(
            EVERYTHING, CatalogueScope.of(viewer, NOW), narrowed, closed, fields, of_every_kind=of_every_kind
        )
        counts |= {field: dict(values) for field, values in found.items()}
    return SearchFacets.of(counts)


def counted(titles: Sequence[Title], viewer: Viewer, choices: dict[object, TitleFilter]) -> dict[object, int]:
    """By scanning: how many visible titles pass with each choice; choices without any are left out."""
    visible = [title for title in titles if decide(viewer, title.facts, NOW).may_see]
    counts = {value: sum(passes(title, chosen) for title in visible) for value, chosen in choices.items()}
    return {value: count for value, count in counts.items() if count}


def scanned(titles: Sequence[Title], viewer: Viewer, chosen: TitleFilter) -> list[dict[object, int]]:
    """The facets in the order of `SearchFacets`."""
    genres = {genre.id for title in titles for genre in title.genres}
    decades = {title.release_year // 10 * 10 for title in titles if title.release_year}
    ages = {
        title.minimum_age
        for title in titles
        if decide(viewer, title.facts, NOW).may_see and passes(title, replace(chosen, maximum_age=None))
    }

    def choose(values: Iterable[object], field: str) -> dict[object, int]:
        choices: dict[object, TitleFilter] = {}
        for value in values:
            change: dict[str, Any] = {field: value}
            choices[value] = replace(chosen, **change)
        return counted(titles, viewer, choices)

    return [
        choose(list(TitleKind), "kind"),
        choose(genres, "genre_id"),
        counted(
            titles,
            viewer,
            {first: replace(chosen, release_year_from=first, release_year_to=first + 9) for first in decades},
        ),
        choose(ages, "maximum_age"),
        choose({title.original_language for title in titles} - {None}, "original_language"),
        choose({title.origin_country for title in titles} - {None}, "origin_country"),
        choose(list(DurationBand), "duration"),
    ]


@given(catalogue=catalogues(), viewer=viewers, chosen=search_filters)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_facets_count_what_a_choice_would_find(
    index: SearchIndex, catalogue: list[Title], viewer: Viewer, chosen: TitleFilter
) -> None:
    """For every value of every facet, and nothing that this viewer may not see."""
    await empty(index)
    await index.update(catalogue)
    calendar = AvailabilityCalendar()
    calendar.update(catalogue)
    facets = await facets_of(index, viewer, calendar.closed_titles(viewer.country, NOW), chosen)
    found: list[dict[object, int]] = [
        dict(facets.kinds),
        dict(facets.genres),
        dict(facets.decades),
        dict(facets.ages),
        dict(facets.languages),
        dict(facets.countries),
        dict(facets.durations),
    ]
    assert scanned(catalogue, viewer, chosen) == found


KEYS: dict[SearchSort, Callable[[Title], tuple[object, ...]]] = {
    SearchSort.RELEASE_YEAR: lambda title: (-(title.release_year or 0), -title.popularity, title.id),
    SearchSort.NAME: lambda title: (sort_name(title.display_name), title.id),
    SearchSort.POPULARITY: lambda title: (-title.popularity, title.id),
}


@given(catalogue=catalogues(), sort=st.sampled_from(list(KEYS)))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_orders_are_total(index: SearchIndex, catalogue: list[Title], sort: SearchSort) -> None:
    """By year, name or popularity, then by id; the scores are 0."""
    await empty(index)
    await index.update(catalogue)
    calendar = AvailabilityCalendar()
    calendar.update(catalogue)
    visible = [t for t in catalogue if passes(t, TitleFilter()) and decide(ADULT, t.facts, NOW).may_see]
    closed = calendar.closed_titles(ADULT.country, NOW)
    found = await index.search(EVERYTHING, CatalogueScope.of(ADULT, NOW), TitleFilter(), closed, 50, sort=sort)
    assert [title.id for title in sorted(visible, key=KEYS[sort])] == [hit.title_id for hit in found.hits]
    assert all(hit.score == 0 for hit in found.hits)


@given(st.lists(st.text(st.sampled_from(" 019_abz\u6620"), max_size=14), max_size=6))
def test_name_ranks_order_as_names_do(names: list[str]) -> None:
    """As far as twelve letters go, and below 2^64."""
    for name in names:
        assert 0 <= name_rank(name) < 1 << 64
        for other in names:
            if name_rank(name) < name_rank(other):
                assert name[:12] < other[:12]


async def test_a_cursor_belongs_to_its_question(demo: Parts) -> None:
    """Another text, filter or order refuses it; a title that left the list does not make its page skip."""
    page = await demo.search.search(ADULT, NOW, "chaplin", TitleFilter(), PageRequest(3))
    request = PageRequest(3, page.found[2].key)
    for text, chosen, sort in (
        ("keaton", TitleFilter(), SearchSort.RELEVANCE),
        ("chaplin", TitleFilter(kids_only=True), SearchSort.RELEVANCE),
        ("chaplin", TitleFilter(), SearchSort.NAME),
    ):
        with pytest.raises(ServiceError, match="cursor of another list"):
            await demo.search.search(ADULT, NOW, text, chosen, request, sort=sort)
    after = await demo.search.search(ADULT, NOW, "chaplin", TitleFilter(), request)
    await demo.put(replace(page.found[2].title, revision=99, is_withdrawn=True))
    again = await demo.search.search(ADULT, NOW, "chaplin", TitleFilter(), request)
    assert [hit.title.id for hit in after.found[:3]] == [hit.title.id for hit in again.found[:3]]


async def test_what_is_understood_is_found(demo: Parts) -> None:
    """Decades, genres, kinds and origins decide without being words of any title."""
    page = await demo.search.search(ADULT, NOW, "1920s comedies", TitleFilter(), PageRequest(50))
    comedy = genre_named("Comedy")
    assert page.total_count == len(page.found) > 5
    for hit in page.found:
        assert comedy in hit.title.genres
        assert hit.title.release_year is not None
        assert 1920 <= hit.title.release_year <= 1929


async def test_the_exact_name_comes_first(demo: Parts) -> None:
    """Of every title that can be seen, and of names made of small words, digits and facts, popular or not."""
    film = (await demo.store.titles([TitleId("mov_cops-1922")]))[TitleId("mov_cops-1922")]
    names = ("It", "Us", "Her", "M", "9", "The Who", "1984", "Comedy", "French", "80s Action", "The Movie", "Dr. No")
    made = [
        replace(film, id=TitleId(f"mov_made-{number}"), display_name=name, popularity=0.0)
        for number, name in enumerate(names)
    ]
    await demo.put(*made)
    ids = await demo.store.ids_after("", 1_000)
    for title in (await demo.store.titles(ids)).values():
        if decide(ADULT, title.facts, NOW).may_see and passes(title, TitleFilter()):
            found = await demo.search.search(ADULT, NOW, title.display_name, TitleFilter(), PageRequest(1))
            first = found.found[0].title.display_name
            assert words_of(first) == words_of(title.display_name), (title.display_name, first)


async def test_people_and_genres_are_suggested(demo: Parts) -> None:
    """With a typo, too; in the mix there is always room for titles."""
    suggested = await demo.search.suggest(ADULT, NOW, "buster", 5)
    assert ("Buster Keaton", SuggestionKind.PERSON) in [(each.text, each.kind) for each in suggested]
    misspelled = await demo.search.suggest(ADULT, NOW, "bustr keton", 5)
    assert [(each.text, each.kind) for each in misspelled] == [("Buster Keaton", SuggestionKind.PERSON)]
    genres = await demo.search.suggest(ADULT, NOW, "hor", 5)
    assert ("Horror", SuggestionKind.GENRE) in [(each.text, each.kind) for each in genres]
    assert await demo.search.suggest(ADULT, NOW, "hor", 0) == []


async def test_a_child_is_suggested_nobody_of_forbidden_films(demo: Parts) -> None:
    """Every person and every genre of theirs is in a film that a child may see."""
    ids = await demo.store.ids_after("", 1_000)
    visible = [title for title in (await demo.store.titles(ids)).values() if decide(CHILD, title.facts, NOW).may_see]
    people = {credit.person for title in visible for credit in title.credits}
    genres = {genre for title in visible for genre in title.genres}
    words = {
        word[:4]
        for title in (await demo.store.titles(ids)).values()
        for c in title.credits
        for word in words_of(c.person.display_name)
    }
    suggested = [each for word in sorted(words)[::7] for each in await demo.search.suggest(CHILD, NOW, word, 10)]
    assert {each.person for each in suggested} <= people | {None}
    assert {each.genre for each in suggested} <= genres | {None}
    assert any(each.person is not None for each in suggested)


async def test_people_are_those_with_the_fewest_typos(demo: Parts) -> None:
    """Nobody with a typo where somebody is called as was typed, and nobody with two where somebody has one."""
    film = (await demo.store.titles([COPS]))[COPS]
    names = ("Kuroswa Abc", "Kurosawe Def", "Kurosauv Ghi")
    made = [
        replace(
            film,
            id=TitleId(f"mov_made-{number}"),
            display_name=f"Nothing {number}",
            credits=(Credit(person_named(name), CreditRole.CAST),),
            popularity=number / 10,
        )
        for number, name in enumerate(names)
    ]
    await demo.put(*made)
    for typed, expected in (
        ("kuroswa", {"Kuroswa Abc"}),
        ("kurosawa", {"Kuroswa Abc", "Kurosawe Def"}),
        ("kurosau", {"Kurosauv Ghi"}),
        ("kurosab", {"Kurosawe Def", "Kurosauv Ghi"}),
        ("kurisab", {"Kurosawe Def", "Kurosauv Ghi"}),
    ):
        suggested = await demo.search.suggest(ADULT, NOW, typed, 5)
        assert {each.text for each in suggested if each.person is not None} == expected, typed


def test_people_are_asked_for_with_no_more_edits_than_are_forgiven() -> None:
    """By the length of each word, and at most as many as are asked for."""
    for typed, edits, expected in (
        ("kea", 2, [0]), ("keat", 0, [0]), ("keat", 2, [0, 1]), ("keaton", 1, [0, 1]), ("buster k", 2, [0, 2, 0]),
    ):  # fmt: skip
        question = people_question(typed, edits)
        assert question is not None
        assert expected == [match.edits for part in question.parts for match in part.matches]
    assert people_question(" - ", 2) is None


def test_suggestions_are_mixed_and_each_name_comes_once() -> None:
    """Exact names first, few people and genres, more of them only where titles end."""
    films = [Suggestion(f"War {number}", title=_film(number), popularity=number / 10) for number in range(4)]
    people = [
        Suggestion(f"Warda {letter}", person=person_named(f"Warda {letter}"), popularity=0.99) for letter in "abcd"
    ]
    genre = Suggestion.of_genre(genre_named("War"))
    mixed = best_suggestions(TypedText("war"), [*films, *films, *people, genre], 5)
    assert [each.text for each in mixed] == ["War", "Warda a", "Warda b", "War 3", "War 2"]
    assert len([each for each in mixed if each.person]) == MAX_PEOPLE
    assert len([each for each in mixed if each.genre]) == MAX_GENRES
    assert [each.text for each in best_suggestions(TypedText("warda"), people, 5)] == [
        "Warda a",
        "Warda b",
        "Warda c",
        "Warda d",
    ]
    assert best_suggestions(TypedText("xyz"), [*films, *people, genre], 5) == []


@given(st.lists(st.sampled_from(["wara", "warb", "wardc", "wrad", "wxrd"]), max_size=6), st.integers(1, 4))
def test_what_leaves_no_room_is_followed_by_nothing_with_a_typo(names: list[str], first: int) -> None:
    """People with typos need not be looked for then."""
    typed, films = TypedText("ward"), [Suggestion(name, title=_film(0), popularity=0.1) for name in names]
    people = [Suggestion("warda", person=person_named("warda"), popularity=0.5)]
    with_typos = [Suggestion("wrda", person=person_named("wrda"), popularity=1.0)]
    if leave_no_room(typed, films, first):
        assert best_suggestions(typed, films, first) == best_suggestions(typed, [*films, *with_typos], first)
    assert not leave_no_room(typed, [], first)
    assert leave_no_room(typed, [*films, Suggestion("Ward", title=_film(1))], 1)
    assert best_suggestions(typed, people, 5) == people


@pytest.mark.parametrize(
    ("typed", "name", "typos"),
    [
        ("buster k", "Buster Keaton", 0),
        ("keaton", "Buster Keaton", 0),
        ("bustr kea", "Buster Keaton", 1),
        ("bustr keton", "Buster Keaton", 2),
        ("k", "Buster Keaton", 0),
        ("ket", "Buster Keaton", None),
        ("keaton b", "Buster Keaton", 0),
        ("buster chaplin", "Buster Keaton", None),
        ("", "Buster Keaton", None),
        ("chapiln", "Charlie Chaplin", 1),
        ("chr", "Charlie Chaplin", None),
    ],
)
def test_counts_typos(typed: str, name: str, typos: int | None) -> None:
    """The last word may be unfinished, short ones must be right."""
    text = TypedText(typed)
    assert typos == text.typo_count(words_of(name))
    assert (typos if typos == 0 else None) == text.typo_count(words_of(name), edits=0)


@given(
    st.text(st.sampled_from("abcde "), max_size=9),
    st.lists(st.lists(st.text(st.sampled_from("aBcdE' -é"), min_size=1, max_size=9), max_size=5), max_size=3),
    st.integers(0, 2),
    st.data(),
)
@settings(max_examples=200, deadline=None)
def test_credited_people_are_those_of_a_scan(
    typed: str, casts: list[list[str]], edits: int, data: st.DataObject
) -> None:
    """Everybody whose name the text completes, once, with the first title; a changed title's people are new."""
    # Names that are near what was typed, which few are by chance.
    for cast in casts:
        cast += [_with_an_edit(data, _with_an_edit(data, typed)), _with_an_edit(data, typed) + "b c"]
    text, people = TypedText(typed), CreditedPeople()
    expected: dict[str, tuple[str, TitleId]] = {}
    films = [_with_cast(number, cast) for number, cast in enumerate(casts)]
    people.completing(text, [_with_cast(number, ["Abc Cba"]) for number in range(len(films))], edits=edits)
    for film in films:
        cast: dict[str, str] = {}
        for credit in film.credits[:-1]:
            cast.setdefault(credit.person.id, credit.person.display_name)
        for person_id, name in cast.items():
            if text.typo_count(words_of(name), edits=edits) is not None:
                expected.setdefault(person_id, (name, film.id))
    found = people.completing(text, films, edits=edits)
    assert expected == {each.person.id: (each.text, _first_film(films, each)) for each in found if each.person}


def _with_an_edit(data: st.DataObject, text: str) -> str:
    """A letter more, less, other, or two that changed places, or nothing."""
    place, kind = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 4))
    before, behind = text[:place], text[place:]
    return (
        f"{before}c{behind}", f"{before}{behind[1:]}", f"{before}d{behind[1:]}", before + behind[1::-1] + behind[2:], text,
    )[kind]  # fmt: skip


def _with_cast(number: int, names: Sequence[str]) -> Title:
    cast = [Credit(person_named(name), CreditRole.CAST) for name in names if name.strip()]
    writer = Credit(person_named("Abc Writer"), CreditRole.WRITER)
    return replace(_film(number), credits=(*cast, writer), popularity=number / 10)


def _first_film(films: Sequence[Title], suggestion: Suggestion) -> TitleId:
    return next(film.id for film in films if suggestion == Suggestion.of_person(suggestion.person, film))  # type: ignore[arg-type]


def distance(first: str, second: str) -> int:
    """Optimal string alignment, as it is defined."""
    if not first or not second:
        return len(first) + len(second)
    best = min(
        distance(first[1:], second) + 1,
        distance(first, second[1:]) + 1,
        distance(first[1:], second[1:]) + (first[0] != second[0]),
    )
    if len(first) > 1 and len(second) > 1 and first[:2] == second[1::-1]:
        best = min(best, distance(first[2:], second[2:]) + 1)
    return best


@given(
    st.text(st.sampled_from("abc"), min_size=1, max_size=5),
    st.text(st.sampled_from("abc"), max_size=5),
    st.integers(0, 2),
)
@settings(max_examples=150, deadline=None)
def test_edits_are_those_of_the_definition(typed: str, word: str, most: int) -> None:
    """Up to the limit; of a beginning, to the nearest one."""
    assert min(distance(typed, word), most + 1) == edits_between(typed, word, most, is_beginning=False)
    nearest = min(distance(typed, word[:length]) for length in range(len(word) + 1))
    assert min(nearest, most + 1) == edits_between(typed, word, most, is_beginning=True)


FIND = """query($sort: SearchSort! = RELEVANCE, $filter: TitleFilter, $after: String) {
  search(query: "chaplin", sort: $sort, filter: $filter, first: 5, after: $after) {
    totalCount edges { node { id } score } pageInfo { endCursor hasNextPage }
    facets { kinds { kind titleCount } genres { genre { id } titleCount } decades { decade titleCount }
      ages { maximumAge titleCount } languages { code titleCount } countries { code titleCount }
      durations { duration titleCount } } } }"""


@pytest.mark.asyncio(loop_scope="module")
async def test_a_facet_taken_as_filter_finds_its_count(service: Service) -> None:
    """As the screen does it: show the counts, then narrow by one."""
    answer = (await service.data(FIND))["search"]
    facets = answer["facets"]
    for filters in (
        *[{"genreId": each["genre"]["id"]} for each in facets["genres"][:3]],
        *[{"decade": each["decade"]} for each in facets["decades"][:2]],
        *[{"duration": each["duration"]} for each in facets["durations"]],
        *[{"kind": each["kind"]} for each in facets["kinds"]],
        *[{"maximumAge": each["maximumAge"]} for each in facets["ages"]],
    ):
        [(name, value)] = filters.items()
        narrowed = (await service.data(FIND, filter=filters))["search"]
        expected = next(
            each["titleCount"]
            for group in facets.values()
            for each in group
            if value
            in (
                each.get("genre", {}).get("id"),
                *(each.get(key) for key in ("decade", "duration", "kind", "maximumAge")),
            )
        )
        assert expected == narrowed["totalCount"], name


@pytest.mark.asyncio(loop_scope="module")
async def test_what_search_and_lists_do_not_know_is_refused(service: Service) -> None:
    """Durations in lists, and a cursor of another order, with the next step."""
    refused = await service.ask("{ titles(filter: {duration: FROM_120_MINUTES}) { totalCount: __typename } }")
    assert "search with it" in refused["errors"][0]["message"]
    facets = await service.ask("{ titleFacets(filter: {duration: FROM_120_MINUTES}) { totalCount } }")
    assert "search with it" in facets["errors"][0]["message"]
    cursor = (await service.data(FIND))["search"]["pageInfo"]["endCursor"]
    other = await service.ask(FIND, sort="NAME", after=cursor)
    assert "same text, filter and sort" in other["errors"][0]["message"]


def _film(number: int) -> Title:
    return Title(
        id=TitleId(f"mov_{number}"),
        kind=TitleKind.MOVIE,
        display_name=f"War {number}",
        origin=Origin("test", str(number)),
        added_at=NOW,
    )
