# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""The titles subgraph's schema: reads from the root."""

import strawberry

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.entities import build_schema
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.api.artwork import Artwork
from subgraphs.titles.api.coming import UpcomingConnection, upcoming_connection
from subgraphs.titles.api.context import Info
from subgraphs.titles.api.facets import TitleFacets
from subgraphs.titles.api.mutations import Mutation
from subgraphs.titles.api.searching import (
    SearchConnection,
    SearchSuggestion,
    search_connection,
    search_page_request,
    suggestions,
)
from subgraphs.titles.api.studio_types import AuditConnection, CatalogueEntry, audit_connection, not_permitted
from subgraphs.titles.api.types import (
    Episode,
    Genre,
    Movie,
    Order,
    Person,
    Season,
    Series,
    Title,
    TitleConnection,
    Video,
    genre_of,
    person_of,
    title_connection,
    title_of,
)
from subgraphs.titles.api.values import TitleFilter
from subgraphs.titles.domain import browsing
from subgraphs.titles.domain.browsing import SortDirection, TitleSort
from subgraphs.titles.domain.finding import SearchSort
from subgraphs.titles.domain.title import GenreId, PersonId
from subgraphs.titles.services.studio import NotAllowed

__all__ = ["schema"]

MAX_IDS = 50


@strawberry.type
class Query:
    """Reads from the root."""

    @strawberry.field(description="One title by its id; null when it does not exist or this viewer may not see it.")
    async def title(self, info: Info, id: strawberry.ID) -> Title | None:  # noqa: A002
        """Unknown and forbidden look alike."""
        record = await info.context.title(TitleId(id))
        return None if record is None else title_of(record)

    @strawberry.field(
        description="Several titles by id (at most 50), in the order asked; null where title() would be null."
    )
    async def titles_by_ids(self, info: Info, ids: list[strawberry.ID]) -> list[Title | None]:
        """One entry per id."""
        if len(ids) > MAX_IDS:
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"{len(ids)} ids; ask for at most {MAX_IDS} at once")
        records = await info.context.titles([TitleId(id_) for id_ in ids])
        return [None if record is None else title_of(record) for record in records]

    @strawberry.field(description="Browse. first is at most 50.")
    async def titles(
        self,
        info: Info,
        *,
        filter: TitleFilter | None = None,  # noqa: A002
        sort: TitleSort = TitleSort.POPULARITY,
        direction: SortDirection | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> TitleConnection:
        """Films and series, unless the filter names a kind."""
        chosen = browsing.TitleFilter() if filter is None else filter.to_domain(info.context.now)
        return await title_connection(info, chosen, Order(sort, direction), first, after)

    @strawberry.field(description="How many titles a list has, in all and by letter and decade.")
    async def title_facets(self, info: Info, filter: TitleFilter | None = None) -> TitleFacets:  # noqa: A002
        """Counts only what this viewer may see."""
        context = info.context
        chosen = browsing.TitleFilter() if filter is None else filter.to_domain(context.now)
        return TitleFacets.of(await context.services.catalogue.facets(context.viewer, context.now, chosen))

    @strawberry.field(description="What opens within so many days (at most 90), soonest first; first is at most 50.")
    async def coming_soon(
        self, info: Info, days: int = 14, first: int = 20, after: str | None = None
    ) -> UpcomingConnection:
        """Announcements of films and series."""
        return await upcoming_connection(info, days, first, after)

    @strawberry.field(description="One person; null where this viewer may see nothing that they had a part in.")
    async def person(self, info: Info, id: strawberry.ID) -> Person | None:  # noqa: A002
        """By an id of before a merge, too."""
        person = await info.context.person(PersonId(id))
        return None if person is None else person_of(person)

    @strawberry.field(description="Genres in which this viewer may see something, by name.")
    async def genres(self, info: Info) -> list[Genre]:
        """A few dozen."""
        context = info.context
        return [genre_of(genre) for genre in await context.services.catalogue.genres(context.viewer, context.now)]

    @strawberry.field(description="Needs scope studio. A title as the studio sees it; null when there is none.")
    async def catalogue_entry(self, info: Info, id: strawberry.ID) -> CatalogueEntry | None:  # noqa: A002
        """Withdrawn, delisted and closed ones, too."""
        try:
            record = await info.context.services.studio.title(info.context.viewer, TitleId(id))
        except NotAllowed:
            raise ServiceError(ErrorKind.PERMISSION_DENIED, not_permitted().message) from None
        return None if record is None else CatalogueEntry.of(record)

    @strawberry.field(
        description="Needs scope studio. What was done by hand, newest first, to one title or person, or to all."
    )
    async def audit_log(
        self, info: Info, subject_id: strawberry.ID | None = None, first: int = 20, after: str | None = None
    ) -> AuditConnection:
        """At most 100 at a time."""
        try:
            return await audit_connection(info, subject_id, first, after)
        except NotAllowed:
            raise ServiceError(ErrorKind.PERMISSION_DENIED, not_permitted().message) from None

    @strawberry.field
    async def genre(self, info: Info, id: strawberry.ID) -> Genre | None:  # noqa: A002
        """One genre."""
        genre = await info.context.genre(GenreId(id))
        return None if genre is None else genre_of(genre)

    @strawberry.field(
        description="Full text, typos forgiven; years, genres, kinds and origins in it are understood, as in "
        '"80s french comedies". At most 200 characters; first is at most 50.'
    )
    async def search(
        self,
        info: Info,
        *,
        query: str,
        filter: TitleFilter | None = None,  # noqa: A002
        sort: SearchSort = SearchSort.RELEVANCE,
        first: int = 20,
        after: str | None = None,
    ) -> SearchConnection:
        """Names, cast, directors, genres and synopses."""
        chosen = browsing.TitleFilter() if filter is None else filter.to_domain(info.context.now)
        return await search_connection(info, query, chosen, sort, search_page_request(first, after))

    @strawberry.field(description="At most 10 completions for what was typed so far: titles, people and genres.")
    async def search_suggestions(self, info: Info, query: str, first: int = 5) -> list[SearchSuggestion]:
        """Most popular first."""
        return await suggestions(info, query, first)


schema = build_schema(
    query=Query, mutation=Mutation, types=[Movie, Series, Season, Episode, Video, Genre, Person, Artwork]
)
