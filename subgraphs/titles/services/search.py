"""Search, its facets, and suggestions: text in, what this viewer may see out, best first.

A list of hits is kept for five minutes per question, so that its pages are pages of one list; an update of the index
ends it at once. Of a long one the beginning is asked for first, which is all that most searches come to. The visibility
rules are part of the index's query, of what is counted, too; titles that come back are checked once more against the
policy. People and genres are suggested through visible titles only.

The list is nobody's own: for a profile with a known taste its first hits are put into another order when the first page
is made, and cursors carry that order, so that later pages go on in it whatever the taste is by then.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from common.errors import ErrorKind, ServiceError
from common.event_catalogue import SEARCH_TRACKING
from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.pagination import CursorKey, PageRequest
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.completion import (
    CreditedPeople,
    Suggestion,
    TypedText,
    best_suggestions,
    leave_no_room,
)
from subgraphs.titles.domain.finding import FacetField, SearchFacets, SearchSort, facet_questions
from subgraphs.titles.domain.personal import (
    REORDERED,
    ProfileTaste,
    apply_order,
    personal_order,
    read_order,
    write_order,
)
from subgraphs.titles.domain.title import Title
from subgraphs.titles.ports import FoundTitle, SearchHits, SearchIndex
from subgraphs.titles.services.calendar import AvailabilityCalendar
from subgraphs.titles.services.catalogue import Catalogue
from subgraphs.titles.services.kept_answers import KeptAnswers
from subgraphs.titles.services.tastes import KnownTastes

__all__ = ["CURSOR_KEY_LENGTH", "FIRST_HITS", "MAX_HITS", "MAX_QUERY_LENGTH", "FoundPage", "Hit", "SearchService"]

MAX_QUERY_LENGTH = 200
"""Characters."""
MAX_HITS = 500
"""How deep a list of hits can be paged; nobody reads further, and the total is counted all the same."""
FIRST_HITS = 100
"""Asked for at first, enough for four pages and for what a taste may reorder; who pages deeper has all asked for."""
MAX_ANSWERS_KEPT = 1_000
MAX_COMPLETIONS_KEPT = 2_000
"""Everybody's typing begins with the same letters."""
MAX_FACETS_KEPT = 500
MAX_GENRE_LISTS_KEPT = 200
TITLES_WITH_PEOPLE = (20, 20, 10)
"""In how many of the most popular titles people are looked for, by the edits of a word: two are the most work."""
CURSOR_KIND = "hit"
_SEARCH_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
CURSOR_KEY_LENGTH = 6
"""Kind, question, search, order of the first hits, place, id."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A found title; `key` is its cursor's. `tracking` says of which search it is and where it stood, from 1 on."""

    title: Title
    score: float
    key: CursorKey
    tracking: str


@dataclass(frozen=True, slots=True)
class FoundPage:
    """One page of hits; `found` has one more than asked for when more follow. All pages of a search have its id."""

    search_id: str
    found: tuple[Hit, ...]
    total_count: int


@dataclass(frozen=True, slots=True)
class _Scope:
    """Everything of a viewer that an answer of the index depends on."""

    country: str | None
    maximum_age: int
    kids_only: bool
    closed: frozenset[TitleId]


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    chosen: TitleFilter
    sort: SearchSort
    scope: _Scope


def _nothing_required() -> None:
    return


class SearchService:
    """Asks the index inside the viewer's scope."""

    def __init__(
        self,
        index: SearchIndex,
        catalogue: Catalogue,
        calendar: AvailabilityCalendar,
        tastes: KnownTastes,
        *,
        require_searchable: Callable[[], None] = _nothing_required,
    ) -> None:
        """`require_searchable` raises ServiceError(UNAVAILABLE) while the index can't answer yet."""
        self._index = index
        self._catalogue = catalogue
        self._calendar = calendar
        self._tastes = tastes
        self._require_searchable = require_searchable
        self._hits = KeptAnswers[tuple[_Question, int], SearchHits](index, most=MAX_ANSWERS_KEPT)
        self._facets = KeptAnswers[_Question, SearchFacets](index, most=MAX_FACETS_KEPT)
        self._named = KeptAnswers[tuple[tuple[str, ...], int, _Scope], list[FoundTitle]](
            index, most=MAX_COMPLETIONS_KEPT
        )
        self._with_people = KeptAnswers[tuple[tuple[str, ...], int, _Scope], list[FoundTitle]](
            index, most=MAX_COMPLETIONS_KEPT
        )
        self._people = CreditedPeople()
        self._genres = KeptAnswers[_Scope, list[Suggestion]](index, most=MAX_GENRE_LISTS_KEPT)

    async def search(
        self,
        viewer: Viewer,
        now: datetime,
        text: str,
        chosen: TitleFilter,
        request: PageRequest,
        *,
        sort: SearchSort = SearchSort.RELEVANCE,
    ) -> FoundPage:
        """Hits after the cursor, which must be one of the same text, filter and order. Empty text finds nothing."""
        question = self._question(viewer, now, text, chosen, sort)
        mark = _mark(question)
        after = None if request.after is None else _place(request.after, mark)
        search_id = f"{random.getrandbits(64):016x}" if after is None else after.search_id
        if not question.text:
            return FoundPage(search_id, (), 0)
        self._require_searchable()

        # Others than the first page go on in the order that their cursor carries.
        is_personal = after is None and sort is SearchSort.RELEVANCE and request.first > 0
        answer, taste = await asyncio.gather(
            self._found(viewer, now, question, after, request.first),
            self._tastes.of(viewer if is_personal else Viewer(), now),
        )
        order = [] if after is None else after.order
        if taste is not None:
            order = await self._personal_order(viewer, now, question.text, answer.hits[:REORDERED], taste)
        hits = [answer.hits[place] for place in apply_order(len(answer.hits), order)] if order else answer.hits
        start = _start(hits, after)
        wanted = list(enumerate(hits))[start : start + request.first + 1]
        titles = await self._catalogue.visible_titles(viewer, now, [hit.title_id for _, hit in wanted])
        written = write_order(order)
        found = tuple(
            Hit(
                titles[hit.title_id],
                hit.score,
                (CURSOR_KIND, mark, search_id, written, place, hit.title_id),
                f"{SEARCH_TRACKING}{search_id}.{place + 1}",
            )
            for place, hit in wanted
            if hit.title_id in titles
        )
        return FoundPage(search_id, found, answer.total_count)

    async def _found(
        self, viewer: Viewer, now: datetime, question: _Question, after: _Place | None, first: int
    ) -> SearchHits:
        """The beginning of the list of hits that the page is a page of, or all of it."""
        scope = CatalogueScope.of(viewer, now)

        async def ask(limit: int) -> SearchHits:
            return await self._hits.answer(
                (question, limit),
                now,
                lambda: self._index.search(
                    question.text, scope, question.chosen, question.scope.closed, limit, sort=question.sort
                ),
            )

        if question.sort is SearchSort.RELEVANCE:
            beginning = _without_last_ties(await ask(FIRST_HITS))
            if _holds_page(beginning, after, first):
                return beginning
        return await ask(MAX_HITS)

    async def _personal_order(
        self, viewer: Viewer, now: datetime, text: str, hits: Sequence[FoundTitle], taste: ProfileTaste
    ) -> list[int]:
        """Places of these hits; those that went missing meanwhile stay behind."""
        titles = await self._catalogue.visible_titles(viewer, now, [hit.title_id for hit in hits])
        there = [place for place, hit in enumerate(hits) if hit.title_id in titles]
        order = personal_order(
            text, [titles[hits[place].title_id] for place in there], [hits[place].score for place in there], taste
        )
        return [*(there[place] for place in order), *sorted(set(range(len(hits))) - set(there))]

    async def facets(self, viewer: Viewer, now: datetime, text: str, chosen: TitleFilter) -> SearchFacets:
        """How many titles each further choice would find."""
        question = self._question(viewer, now, text, chosen, SearchSort.RELEVANCE)
        scope = CatalogueScope.of(viewer, now)

        async def ask() -> SearchFacets:
            counts: dict[FacetField, dict[str | int, int]] = {}
            for narrowed, fields, of_every_kind in facet_questions(chosen):
                found = await self._index.count_values(
                    question.text, scope, narrowed, question.scope.closed, fields, of_every_kind=of_every_kind
                )
                counts |= {field: dict(values) for field, values in found.items()}
            return SearchFacets.of(counts)

        if not question.text:
            return SearchFacets.of({})
        self._require_searchable()
        return await self._facets.answer(question, now, ask)

    async def suggest(self, viewer: Viewer, now: datetime, text: str, first: int) -> list[Suggestion]:
        """Names of titles, people and genres that go on as `text` begins."""
        cleaned = _checked(text)
        if not cleaned or first < 1:
            return []
        self._require_searchable()
        typed = TypedText(cleaned)
        of_titles = await self._completed_titles(viewer, now, cleaned, typed, first)
        of_people = await self._completed_people(viewer, now, cleaned, typed, edits=0)
        # Most often somebody is called so, or enough titles are: then nobody need be compared letter by letter.
        if not of_people and not leave_no_room(typed, of_titles, first):
            for edits in range(1, typed.most_edits + 1):
                of_people = of_people or await self._completed_people(viewer, now, cleaned, typed, edits=edits)
        of_genres = await self._visible_genres(viewer, now)
        return best_suggestions(typed, (*of_titles, *of_people, *of_genres), first)

    async def _completed_titles(
        self, viewer: Viewer, now: datetime, text: str, typed: TypedText, first: int
    ) -> list[Suggestion]:
        asked = self._scope(viewer, now)
        # Twice as many: several titles of one name become one suggestion.
        hits = await self._named.answer(
            (typed.words, first, asked),
            now,
            lambda: self._index.complete(text, CatalogueScope.of(viewer, now), asked.closed, first * 2),
        )
        titles = await self._catalogue.visible_titles(viewer, now, [hit.title_id for hit in hits])
        return [Suggestion.of_title(titles[hit.title_id]) for hit in hits if hit.title_id in titles]

    async def _completed_people(
        self, viewer: Viewer, now: datetime, text: str, typed: TypedText, *, edits: int
    ) -> list[Suggestion]:
        """With at most so many edits a word."""
        asked = self._scope(viewer, now)
        hits = await self._with_people.answer(
            (typed.words, edits, asked),
            now,
            lambda: self._index.with_people(
                text, CatalogueScope.of(viewer, now), asked.closed, TITLES_WITH_PEOPLE[edits], edits=edits
            ),
        )
        titles = await self._catalogue.visible_titles(viewer, now, [hit.title_id for hit in hits])
        of_hits = [titles[hit.title_id] for hit in hits if hit.title_id in titles]
        return self._people.completing(typed, of_hits, edits=edits)

    async def _visible_genres(self, viewer: Viewer, now: datetime) -> list[Suggestion]:
        async def ask() -> list[Suggestion]:
            return [Suggestion.of_genre(genre) for genre in await self._catalogue.genres(viewer, now)]

        return await self._genres.answer(self._scope(viewer, now), now, ask)

    def _question(self, viewer: Viewer, now: datetime, text: str, chosen: TitleFilter, sort: SearchSort) -> _Question:
        if chosen.browse_only:
            raise ServiceError(
                ErrorKind.INVALID_ARGUMENT,
                f"search can't be narrowed by {', '.join(chosen.browse_only)}; narrow the list titles by it",
            )
        return _Question(_checked(text), chosen, sort, self._scope(viewer, now))

    def _scope(self, viewer: Viewer, now: datetime) -> _Scope:
        scope = CatalogueScope.of(viewer, now)
        closed = self._calendar.closed_titles(viewer.country, now)
        return _Scope(scope.country, scope.maximum_age, scope.kids_only, closed)


def _without_last_ties(answer: SearchHits) -> SearchHits:
    """Of a list that was cut, what a longer one begins with, too: of hits that score as the last one others follow."""
    hits = answer.hits
    if len(hits) == answer.total_count:
        return answer
    certain = [hit for hit in hits if hit.score > hits[-1].score]
    return SearchHits(tuple(certain), answer.total_count)


def _holds_page(answer: SearchHits, after: _Place | None, first: int) -> bool:
    """Whether this beginning of a list has the page, the hit behind it, and all that a taste may reorder."""
    if len(answer.hits) == answer.total_count:
        return True
    last = first
    if after is not None:
        place = next((place for place, hit in enumerate(answer.hits) if hit.title_id == after.title_id), None)
        if place is None:
            return False
        # Its order may have brought it to the end of what is reordered.
        last = max(place, REORDERED) + 1 + first
    return max(last, REORDERED) < len(answer.hits)


def _checked(text: str) -> str:
    """The text without needless blanks; raises ServiceError when it is too long."""
    if len(text) > MAX_QUERY_LENGTH:
        raise ServiceError(
            ErrorKind.INVALID_ARGUMENT,
            f"the search text has {len(text)} characters; send at most {MAX_QUERY_LENGTH}",
        )
    return " ".join(text.split())


def _mark(question: _Question) -> str:
    """What was asked, whoever asked: equal for every process, another one for another text, filter or order."""
    asked = repr((question.text, question.chosen, question.sort.value))
    return hashlib.blake2b(asked.encode(), digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True)
class _Place:
    """Behind which hit of which search a page begins, and in which order that had its hits."""

    search_id: str
    order: list[int]
    place: int
    title_id: str


def _place(key: CursorKey, mark: str) -> _Place:
    """Where the cursor's title stood; raises ServiceError when it is of another question."""
    kind, question, search_id, order, place, title_id = key
    try:
        is_ours = kind == CURSOR_KIND and question == mark and _SEARCH_ID.fullmatch(str(search_id))
        if is_ours and isinstance(place, int) and isinstance(title_id, str):
            return _Place(str(search_id), read_order(str(order)), place, title_id)
    except ValueError:
        pass
    raise ServiceError(
        ErrorKind.INVALID_ARGUMENT,
        "after is a cursor of another list; pass an endCursor of this search, with the same text, filter and sort",
    )


def _start(hits: Sequence[FoundTitle], after: _Place | None) -> int:
    """Where the page begins: behind the cursor's title, or, when it left the list, where it stood."""
    if after is None:
        return 0
    for position, hit in enumerate(hits):
        if hit.title_id == after.title_id:
            return position + 1
    return max(0, min(after.place, len(hits)))
