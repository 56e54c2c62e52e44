"""Search and suggestions: text in, titles that this viewer may see out, best first.

A list of hits is kept for five minutes per question, so that its pages are pages of one list; an update of the index
ends it at once. The visibility rules are part of the index's query; what comes back is checked once more against the
policy.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.errors import ErrorKind, ServiceError
from common.tokens import Viewer
from subgraphs.kernel.pagination import PageRequest
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.text import fold
from subgraphs.titles.domain.title import Title
from subgraphs.titles.ports import FoundTitle, SearchHits, SearchIndex
from subgraphs.titles.services.calendar import AvailabilityCalendar
from subgraphs.titles.services.catalogue import Catalogue

__all__ = ["MAX_HITS", "MAX_QUERY_LENGTH", "FoundPage", "SearchService", "Suggestion"]

MAX_QUERY_LENGTH = 200
"""Characters."""
MAX_HITS = 500
"""How deep a list of hits can be paged; nobody reads further, and the total is counted all the same."""
CACHE_LIFE = timedelta(minutes=5)
CACHE_SIZE = 1_000
CURSOR_KIND = "hit"


@dataclass(frozen=True, slots=True)
class FoundPage:
    """One page of hits; `found` has one more than asked for when more follow."""

    found: tuple[tuple[Title, float], ...]
    total_count: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A completion and the title behind it."""

    text: str
    title: Title


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    chosen: TitleFilter
    country: str | None
    maximum_age: int
    kids_only: bool
    closed: frozenset[str]


class SearchService:
    """Asks the index inside the viewer's scope."""

    def __init__(self, index: SearchIndex, catalogue: Catalogue, calendar: AvailabilityCalendar) -> None:
        self._index = index
        self._catalogue = catalogue
        self._calendar = calendar
        self._answers: OrderedDict[_Question, tuple[datetime, int, SearchHits]] = OrderedDict()

    async def search(
        self, viewer: Viewer, now: datetime, text: str, chosen: TitleFilter, request: PageRequest
    ) -> FoundPage:
        """Hits after the cursor (a hit's score and id), best first. Empty text finds nothing."""
        cleaned = _checked(text)
        if chosen.browse_only:
            raise ServiceError(
                ErrorKind.INVALID_ARGUMENT,
                f"search can't be narrowed by {', '.join(chosen.browse_only)}; narrow the list titles by it",
            )
        if not cleaned:
            return FoundPage((), 0)
        answer = await self._hits(viewer, now, cleaned, chosen)
        start = _start(answer.hits, request)
        wanted = answer.hits[start : start + request.first + 1]
        titles = await self._catalogue.visible_titles(viewer, now, [hit.title_id for hit in wanted])
        found = tuple((titles[hit.title_id], hit.score) for hit in wanted if hit.title_id in titles)
        return FoundPage(found, answer.total_count)

    async def suggest(self, viewer: Viewer, now: datetime, text: str, first: int) -> list[Suggestion]:
        """The most popular names that go on as `text` begins; one per name."""
        cleaned = _checked(text)
        if not cleaned:
            return []
        scope = CatalogueScope.of(viewer, now)
        closed = self._calendar.closed_titles(viewer.country, now)
        # Twice as many: several titles of one name become one suggestion.
        found = await self._index.complete(cleaned, scope, closed, first * 2)
        titles = await self._catalogue.visible_titles(viewer, now, [hit.title_id for hit in found])
        suggestions: dict[str, Suggestion] = {}
        for hit in found:
            title = titles.get(hit.title_id)
            if title is not None:
                suggestions.setdefault(fold(title.display_name), Suggestion(title.display_name, title))
        return list(suggestions.values())[:first]

    async def _hits(self, viewer: Viewer, now: datetime, text: str, chosen: TitleFilter) -> SearchHits:
        scope = CatalogueScope.of(viewer, now)
        closed = self._calendar.closed_titles(viewer.country, now)
        question = _Question(text, chosen, scope.country, scope.maximum_age, scope.kids_only, closed)
        known = self._answers.get(question)
        if known is not None and now - CACHE_LIFE < known[0] <= now and known[1] == self._index.revision:
            self._answers.move_to_end(question)
            return known[2]
        revision = self._index.revision
        answer = await self._index.search(text, scope, chosen, closed, MAX_HITS)
        self._answers[question] = (now, revision, answer)
        if len(self._answers) > CACHE_SIZE:
            self._answers.popitem(last=False)
        return answer


def _checked(text: str) -> str:
    """The text without needless blanks; raises ServiceError when it is too long."""
    if len(text) > MAX_QUERY_LENGTH:
        raise ServiceError(
            ErrorKind.INVALID_ARGUMENT,
            f"the search text has {len(text)} characters; send at most {MAX_QUERY_LENGTH}",
        )
    return " ".join(text.split())


def _start(hits: Sequence[FoundTitle], request: PageRequest) -> int:
    """Where the page begins: behind the cursor's title, or, when it left the list, behind its score."""
    if request.after is None:
        return 0
    kind, score, title_id = request.after
    if kind != CURSOR_KIND or not isinstance(score, int | float) or not isinstance(title_id, str):
        raise ServiceError(
            ErrorKind.INVALID_ARGUMENT, "after is a cursor of another list; pass an endCursor of this search"
        )
    for position, hit in enumerate(hits):
        if hit.title_id == title_id:
            return position + 1
    return sum((-hit.score, hit.title_id) <= (-score, title_id) for hit in hits)
