"""The search index's contract, and the service on it: what is found, in which order, and for whom, on every engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings

from common.errors import ServiceError
from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.pagination import Page, PageRequest
from subgraphs.kernel.policy import Window, decide
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.relevance import search_entry
from subgraphs.titles.domain.title import GenreId, Title, TitleKind
from subgraphs.titles.ports import CatalogueState, SearchIndex
from subgraphs.titles.services.calendar import AvailabilityCalendar
from subgraphs.titles.services.search import FoundPage
from tests.subgraphs.titles.catalogue_strategies import catalogues, passes, search_filters, viewers
from tests.subgraphs.titles.conftest import ADULT, CHILD, NOW, Parts
from tests.subgraphs.titles.engines import COPS, ENGINES, THE_KID, empty, opened_index

BEGINNING_TITLES = [COPS, THE_KID, TitleId("mov_the-general-1926"), TitleId("mov_nosferatu-1922")]


@pytest.fixture(params=ENGINES)
async def index(request: pytest.FixtureRequest) -> AsyncIterator[SearchIndex]:
    async with opened_index(request.param, request) as opened:
        yield opened


async def names(demo: Parts, text: str, viewer: Viewer = ADULT, chosen: TitleFilter | None = None) -> list[str]:
    page = await demo.search.search(viewer, NOW, text, chosen or TitleFilter(), PageRequest(10))
    return [hit.title.display_name for hit in page.found[:10]]


def titles_of(page: FoundPage) -> list[Title]:
    return [hit.title for hit in page.found]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Nosferatu", "Nosferatu"),
        ("Nosfratu", "Nosferatu"),
        ("metropilis", "Metropolis"),
        ("carnval of souls", "Carnival of Souls"),
        ("haxan", "Häxan"),
        ("HÄXAN", "Häxan"),
        ("fantomas", "Fantômas"),
        ("it", "It"),
        ("the gen", "The General"),
        ("sherlock", "Sherlock Jr."),
        ("les vamp", "Les Vampires"),
        ("night livng dead", "Night of the Living Dead"),
        ("louise broks lulu", "Pandora's Box"),
        ("buster keaton locomotive", "The General"),
        ("hitchcock lodger", "The Lodger"),
        ("  the   KID ", "The Kid"),
        ("kid", "The Kid"),
        ("haexan", "Häxan"),
        ("Носферату", "Nosferatu"),
        ("nosferatu 1922", "Nosferatu"),
        ("the general movie", "The General"),
        ("metro polis", "Metropolis"),
        ("sherlockjr", "Sherlock Jr."),
        ("doctor caligari", "The Cabinet of Dr. Caligari"),
        ("phantoms opera", "The Phantom of the Opera"),
    ],
)
async def test_finds_the_title_that_was_meant(demo: Parts, text: str, first: str) -> None:
    """Typos, prefixes, accents, people and words of the synopsis lead to the title, first of all."""
    assert first == (await names(demo, text))[0]


async def test_letters_that_changed_places_are_one_edit(demo: Parts) -> None:
    """So what was meant comes before what is two edits away, article or not, for all its popularity."""
    base = (await demo.store.titles([COPS]))[COPS]
    meant = {
        "godfahter": "The Godfather",
        "teh godfather": "The Godfather",
        "exorcits": "The Exorcist",
        "matirx": "The Matrix",
        "pulp fcition": "Pulp Fiction",
        "amadues": "Amadeus",
        "god etaer": "God Eater",
    }
    rivals = ("God Eaters", "Exorcism", "Mattix", "Pulp Fictions", "Amadeo", "Godfathers")
    films = [
        replace(base, id=TitleId(f"mov_{number}"), display_name=name, popularity=0.6 if name in rivals else 0.2)
        for number, name in enumerate(sorted({*meant.values(), *rivals}))
    ]
    await demo.put(*films)
    assert meant == {text: (await names(demo, text))[0] for text in meant}


async def test_popularity_orders_names_that_a_typo_leaves_open(demo: Parts) -> None:
    """Both are one edit from the text, and an article is no reason to come later."""
    base = (await demo.store.titles([COPS]))[COPS]
    for revision, loved in enumerate(("The Stalker", "Stalked"), start=base.revision):
        films = [
            replace(
                base,
                id=TitleId(f"mov_{number}"),
                display_name=name,
                popularity=0.9 if name == loved else 0.1,
                revision=revision,
            )
            for number, name in enumerate(("The Stalker", "Stalked"))
        ]
        await demo.put(*films)
        assert loved == (await names(demo, "stalkef"))[0]


async def test_people_lead_to_their_films(demo: Parts) -> None:
    """A misspelled name finds films of its bearer only."""
    found = await demo.search.search(ADULT, NOW, "bustr keton", TitleFilter(), PageRequest(50))
    people = [{credit.person.display_name for credit in title.credits} for title in titles_of(found)]
    assert people
    assert all("Buster Keaton" in names_ for names_ in people)


async def test_popularity_orders_near_ties(demo: Parts) -> None:
    """Of two films that match alike, the more popular one comes first."""
    films = {t.id: t for t in (await demo.store.titles([TitleId("mov_cops-1922")])).values()}
    base = next(iter(films.values()))
    loved = replace(base, id=TitleId("mov_b"), display_name="Zeppelin", popularity=0.9)
    obscure = replace(base, id=TitleId("mov_a"), display_name="Zeppelin", popularity=0.1)
    await demo.put(obscure, loved)
    found = await demo.search.search(ADULT, NOW, "zeppelin", TitleFilter(), PageRequest(5))
    assert [title.id for title in titles_of(found)][:2] == ["mov_b", "mov_a"]


async def test_filters_narrow(demo: Parts) -> None:
    """Kind, genre and years apply inside the query, so that the count is right too."""
    series = await demo.search.search(ADULT, NOW, "feuillade", TitleFilter(kind=TitleKind.SERIES), PageRequest(10))
    assert (len(series.found), series.total_count) == (3, 3)
    episodes = await demo.search.search(ADULT, NOW, "irma vep", TitleFilter(kind=TitleKind.EPISODE), PageRequest(50))
    assert episodes.total_count == 10
    horror = TitleFilter(genre_id=GenreId("gen_horror"), release_year_from=1920, release_year_to=1922)
    for title in titles_of(await demo.search.search(ADULT, NOW, "a", horror, PageRequest(50))):
        assert 1920 <= (title.release_year or 0) <= 1922


async def test_pages_neither_repeat_nor_skip(demo: Parts) -> None:
    """Pages of three are the list in one piece."""
    whole = await demo.search.search(ADULT, NOW, "chaplin", TitleFilter(), PageRequest(50))
    found: list[str] = []
    request = PageRequest(3)
    while True:
        answer = await demo.search.search(ADULT, NOW, "chaplin", TitleFilter(), request)
        page = Page.cut(answer.found, request, lambda hit: hit.key)
        found += [hit.title.id for hit in page.items]
        if not page.has_next_page:
            break
        request = PageRequest(3, page.items[-1].key)
    assert [title.id for title in titles_of(whole)] == found
    assert len(found) > 9


async def test_a_child_finds_only_what_a_child_may_see(demo: Parts) -> None:
    """In hits and in suggestions, whatever is typed."""
    for text in ("nosferatu", "horror", "the", "night", "chaplin", "keaton", "a", "metropolis"):
        answer = await demo.search.search(CHILD, NOW, text, TitleFilter(), PageRequest(50))
        assert all(title.is_kids for title in titles_of(answer))
        suggested = await demo.search.suggest(CHILD, NOW, text, 10)
        assert all(each.title.is_kids for each in suggested if each.title is not None)
    assert await names(demo, "nosferatu", CHILD) == []
    assert (await demo.search.search(CHILD, NOW, "nosferatu", TitleFilter(), PageRequest(5))).total_count == 0


async def test_what_has_expired_or_not_begun_is_not_found(demo: Parts) -> None:
    """Until its window opens, and from the moment that it closes."""
    assert "The Bat Whispers" not in await names(demo, "bat whispers")
    assert "Swing High, Swing Low" not in await names(demo, "swing high")
    past = NOW.replace(year=2025)
    found = await demo.search.search(ADULT, past, "bat whispers", TitleFilter(), PageRequest(5))
    assert found.found[0].title.display_name == "The Bat Whispers"


async def test_countries_differ(demo: Parts) -> None:
    """Charade is free in the United States only, The Stranger is blocked in Germany."""
    german = replace(ADULT, country="DE")
    assert (await names(demo, "charade"))[0] == "Charade"
    assert "Charade" not in await names(demo, "charade", german)
    assert (await names(demo, "the stranger"))[0] == "The Stranger"
    assert "The Stranger" not in await names(demo, "the stranger", german)


async def test_suggests_names_that_go_on(demo: Parts) -> None:
    """Titles that begin so first, typos forgiven, at most as many as asked for."""
    suggestions = [each.text for each in await demo.search.suggest(ADULT, NOW, "the g", 5)]
    assert suggestions[0] == "The General"
    assert len(suggestions) <= 5
    assert [each.text for each in await demo.search.suggest(ADULT, NOW, "nosfar", 1)] == ["Nosferatu"]
    assert await demo.search.suggest(ADULT, NOW, "   ", 5) == []


async def test_odd_texts_are_answered(demo: Parts) -> None:
    """No text breaks the query: marks, other scripts, one letter, a wall of words."""
    for text in ("", "   ", "!!!", "\"'*?:[](){}^~\\/", "a", "映画", "NOT AND OR", "x" * 200, "the " * 50, "\x00"):
        page = await demo.search.search(ADULT, NOW, text, TitleFilter(), PageRequest(5))
        assert page.total_count >= len(page.found) - 1
        assert isinstance(await demo.search.suggest(ADULT, NOW, text, 5), list)


async def test_refuses_a_text_that_is_too_long(demo: Parts) -> None:
    """With the length and the limit."""
    with pytest.raises(ServiceError, match="201 characters; send at most 200"):
        await demo.search.search(ADULT, NOW, "x" * 201, TitleFilter(), PageRequest(5))


async def test_sees_a_change_at_once(demo: Parts) -> None:
    """A renamed title is found under its new name and not under its old one; kept answers end with an update."""
    assert "Cops" in await names(demo, "cops")
    title = (await demo.store.titles([TitleId("mov_cops-1922")]))[TitleId("mov_cops-1922")]
    await demo.put(replace(title, display_name="Gendarmes", synopsis=""))
    assert (await names(demo, "gendarmes"))[0] == "Gendarmes"
    assert "Cops" not in await names(demo, "cops")


async def test_answers_are_kept_for_five_minutes_of_one_viewer_alone(demo: Parts) -> None:
    """The same question by somebody with other rights is another question."""
    assert "Nosferatu" in await names(demo, "nosferatu")
    assert await names(demo, "nosferatu", CHILD) == []
    assert "Nosferatu" in await names(demo, "nosferatu")


@given(catalogue=catalogues(), viewer=viewers, chosen=search_filters)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_search_finds_what_policy_and_filter_allow(
    index: SearchIndex, catalogue: list[Title], viewer: Viewer, chosen: TitleFilter
) -> None:
    """Of titles that all match, exactly the visible ones that pass the filter are found and counted."""
    await empty(index)
    await index.update(catalogue)
    calendar = AvailabilityCalendar()
    calendar.update(catalogue)
    scope = CatalogueScope.of(viewer, NOW)
    closed = calendar.closed_titles(viewer.country, NOW)
    expected = {t.id for t in catalogue if passes(t, chosen) and decide(viewer, t.facts, NOW).may_see}
    found = await index.search("stone", scope, chosen, closed, 100)
    assert (expected, len(expected)) == ({hit.title_id for hit in found.hits}, found.total_count)
    completed = await index.complete("m", scope, closed, 100)
    visible = {t.id for t in catalogue if passes(t, TitleFilter()) and decide(viewer, t.facts, NOW).may_see}
    assert {hit.title_id for hit in completed} <= visible
    assert CatalogueState(
        sum(not t.is_gone for t in catalogue), sum(t.revision for t in catalogue if not t.is_gone)
    ) == (await index.state())


async def test_a_few_letters_complete_every_word_that_begins_so(index: SearchIndex, demo: Parts) -> None:
    """Of names and of people, from the first letter on, whatever stands before them."""
    await empty(index)
    titles = list((await demo.store.titles(BEGINNING_TITLES)).values())
    await index.update(titles)
    scope = CatalogueScope.of(ADULT, NOW)
    entries = [search_entry(title) for title in titles]
    of_names = {entry.id: entry.name.split() for entry in entries}
    of_people = {entry.id: " ".join(entry.people).split() for entry in entries}
    for ask, of_title in ((index.complete, of_names), (partial(index.with_people, edits=0), of_people)):
        words = {word for words in of_title.values() for word in words}
        for beginning in {word[:length] for word in words for length in (1, 2, 3)}:
            expected = {id_ for id_, words in of_title.items() if any(word.startswith(beginning) for word in words)}
            found = await ask(beginning, scope, frozenset(), 100)
            assert {hit.title_id for hit in found} == expected, beginning


async def test_the_calendar_follows_the_clock_both_ways(demo: Parts) -> None:
    """A title is closed before its window and after it, for any order of questions."""
    title = (await demo.store.titles([TitleId("mov_cops-1922")]))[TitleId("mov_cops-1922")]
    opens, closes = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    calendar = AvailabilityCalendar()
    calendar.update([replace(title, windows=(Window("US", opens, closes),))])
    for hours, country, is_closed in (
        (0, "US", True), (1, "US", False), (1.5, "DE", True), (1.99, "US", False), (2, "US", True), (0.5, "US", True), (1, "US", False),
    ):  # fmt: skip
        closed = calendar.closed_titles(country, NOW + timedelta(hours=hours))
        assert is_closed == (title.id in closed), (hours, country)
    calendar.update([replace(title, windows=(Window("*"),))])
    assert frozenset() == calendar.closed_titles("US", NOW)
