# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""The answers of a search: hits, what they could be narrowed by, and completions."""

import strawberry

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.pagination import (
    CursorKey,
    Page,
    PageInfo,
    PageRequest,
    page_info,
    read_page_request,
    write_cursor,
)
from subgraphs.titles.api.context import Info
from subgraphs.titles.api.types import MAX_FIRST, Genre, Person, Title, genre_of, person_of, title_of
from subgraphs.titles.domain import completion, finding
from subgraphs.titles.domain.browsing import DurationBand, TitleFilter
from subgraphs.titles.domain.completion import SuggestionKind
from subgraphs.titles.domain.finding import SearchSort
from subgraphs.titles.domain.title import TitleKind
from subgraphs.titles.services.search import CURSOR_KEY_LENGTH

__all__ = ["SearchConnection", "SearchSuggestion", "search_connection", "search_page_request", "suggestions"]

MAX_SUGGESTIONS = 10
MAX_VALUES = 100
"""Of a facet; a filter takes others all the same."""


@strawberry.type(description="How many titles a search finds of a kind.")
class KindCount:
    """As `filter.kind`."""

    kind: TitleKind
    title_count: int


@strawberry.type(description="How many titles a search finds in a genre.")
class GenreCount:
    """As `filter.genreId`."""

    genre: Genre
    title_count: int


@strawberry.type(description="How many titles a search finds of ten years.")
class SearchDecadeCount:
    """As `filter.decade`."""

    decade: int
    title_count: int


@strawberry.type(description="How many titles a search finds up to an age limit.")
class AgeCount:
    """As `filter.maximumAge`: titles for younger viewers are counted in."""

    maximum_age: int
    title_count: int


@strawberry.type(description="How many titles a search finds by a code.")
class CodeCount:
    """As `filter.originalLanguage`, or `filter.originCountry`."""

    code: str
    title_count: int


@strawberry.type(description="How many titles a search finds of a length.")
class DurationCount:
    """As `filter.duration`."""

    duration: DurationBand
    title_count: int


@strawberry.type(
    description="What a search could be narrowed by, and how many titles it would find then, all else as it is. "
    "At most 100 values each; what nobody knows of a title is not counted."
)
class SearchFacets:
    """Genres, languages and countries by count; the others in their own order."""

    kinds: list[KindCount]
    genres: list[GenreCount]
    decades: list[SearchDecadeCount]
    ages: list[AgeCount]
    languages: list[CodeCount]
    countries: list[CodeCount]
    durations: list[DurationCount]


def _cursor(self: "SearchEdge") -> str:
    """Made when it is asked for: most clients need the page's last alone."""
    return write_cursor(self.key)


@strawberry.type
class SearchEdge:
    """One hit; scores compare within one answer only, and are 0 in other orders than by relevance.

    A profile's own order is not the scores': they are the text's.
    """

    key: strawberry.Private[CursorKey]
    cursor: str = strawberry.field(resolver=_cursor)
    node: Title
    score: float
    tracking: str = strawberry.field(description="Opaque; goes back with reportInteractions when the hit is opened.")


@strawberry.type
class SearchConnection:
    """Hits in order. `total_count` counts all, also those deeper than can be paged."""

    query: strawberry.Private[str]
    chosen: strawberry.Private[TitleFilter]
    edges: list[SearchEdge]
    page_info: PageInfo
    total_count: int

    @strawberry.field(description="What could be chosen further, with counts.")
    async def facets(self, info: Info) -> SearchFacets:
        """Asked of the engine only when selected."""
        context = info.context
        found = await context.services.search.facets(context.viewer, context.now, self.query, self.chosen)
        return await _facets(info, found)


@strawberry.type(description="A completion of what was typed; of title, person and genre, the one that kind says.")
class SearchSuggestion:
    """`text` is the name of what it leads to."""

    text: str
    kind: SuggestionKind
    title: Title | None
    person: Person | None
    genre: Genre | None


def search_page_request(first: int, after: str | None) -> PageRequest:
    """Raises ServiceError naming the bound, or the cursor."""
    return read_page_request(first, after, max_first=MAX_FIRST, key_length=CURSOR_KEY_LENGTH)


async def search_connection(
    info: Info, query: str, chosen: TitleFilter, sort: SearchSort, request: PageRequest
) -> SearchConnection:
    """One page; the first one, if it has any room, is told to those who learn from searches."""
    context = info.context
    answer = await context.services.search.search(context.viewer, context.now, query, chosen, request, sort=sort)
    # A page of no hits only counts.
    if request.after is None and request.first:
        context.services.search_log.searched(context.viewer, answer.search_id, query, answer.total_count, context.now)
    page = Page.cut(answer.found, request, lambda hit: hit.key)
    edges = [
        SearchEdge(key=hit.key, node=title_of(hit.title), score=hit.score, tracking=hit.tracking) for hit in page.items
    ]
    return SearchConnection(
        query=query, chosen=chosen, edges=edges, page_info=page_info(page), total_count=answer.total_count
    )


async def suggestions(info: Info, query: str, first: int) -> list[SearchSuggestion]:
    """Names of titles, people and genres."""
    if not 0 <= first <= MAX_SUGGESTIONS:
        raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"first is {first}; ask for 0 to {MAX_SUGGESTIONS} suggestions")
    context = info.context
    found = await context.services.search.suggest(context.viewer, context.now, query, first)
    return [_suggestion(each) for each in found]


def _suggestion(suggestion: completion.Suggestion) -> SearchSuggestion:
    return SearchSuggestion(
        text=suggestion.text,
        kind=suggestion.kind,
        title=None if suggestion.title is None else title_of(suggestion.title),
        person=None if suggestion.person is None else person_of(suggestion.person),
        genre=None if suggestion.genre is None else genre_of(suggestion.genre),
    )


async def _facets(info: Info, facets: finding.SearchFacets) -> SearchFacets:
    counted = facets.genres[:MAX_VALUES]
    genres = await info.context.genres([genre_id for genre_id, _ in counted])
    return SearchFacets(
        kinds=[KindCount(kind=kind, title_count=count) for kind, count in facets.kinds],
        genres=[
            GenreCount(genre=genre_of(genre), title_count=count)
            for genre, (_, count) in zip(genres, counted, strict=True)
            if genre is not None
        ],
        decades=[SearchDecadeCount(decade=decade, title_count=count) for decade, count in facets.decades[:MAX_VALUES]],
        ages=[AgeCount(maximum_age=age, title_count=count) for age, count in facets.ages],
        languages=_codes(facets.languages),
        countries=_codes(facets.countries),
        durations=[DurationCount(duration=band, title_count=count) for band, count in facets.durations],
    )


def _codes(counts: tuple[tuple[str, int], ...]) -> list[CodeCount]:
    return [CodeCount(code=code, title_count=count) for code, count in counts[:MAX_VALUES]]
