# strawberry.field with arguments is typed as Any; the resolvers below it are typed in full.
# mypy: disable-error-code="untyped-decorator"
"""Editorial collections, for those who edit them."""

from datetime import datetime
from typing import Annotated

import strawberry

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.results import InvalidInput, NotPermitted, invalid_input
from subgraphs.recommendations.api.context import RecommendationsInfo
from subgraphs.recommendations.domain import collections as domain
from subgraphs.recommendations.services.edit_collections import EDITOR_SCOPES, NotAnEditor, UnusableCollection

__all__ = ["CollectionMutation", "CollectionQuery"]


@strawberry.type(description="Titles that an editor put together: a row of kind COLLECTION where and while it is open.")
class Collection:
    """As editors see it; viewers see rows."""

    id: strawberry.ID
    heading: str
    title_ids: list[strawberry.ID] = strawberry.field(description="In the editor's order, at most 60.")
    countries: list[str] = strawberry.field(description="ISO 3166 alpha-2; none: everywhere.")
    opens_at: datetime | None
    closes_at: datetime | None


@strawberry.input
class CollectionInput:
    """Replaces the collection of its id; without id, it is a new one."""

    id: strawberry.ID | None = None
    heading: str
    title_ids: list[strawberry.ID]
    countries: list[str] = strawberry.field(default_factory=list)
    opens_at: datetime | None = None
    closes_at: datetime | None = None


@strawberry.type(description="On pages within seconds.")
class SaveCollectionSuccess:
    """As it is kept."""

    collection: Collection


@strawberry.type(description="Gone from pages within seconds.")
class RemoveCollectionSuccess:
    """wasThere: false when there was none of this id."""

    was_there: bool


SaveCollectionResult = Annotated[
    SaveCollectionSuccess | NotPermitted | InvalidInput, strawberry.union("SaveCollectionResult")
]
RemoveCollectionResult = Annotated[RemoveCollectionSuccess | NotPermitted, strawberry.union("RemoveCollectionResult")]


@strawberry.type
class CollectionQuery:
    """Reads of editors."""

    @strawberry.field(description="All collections, open or not, at most 200. Needs scope editor or studio.")
    async def collections(self, info: RecommendationsInfo) -> list[Collection]:
        """In the order of their ids."""
        try:
            found = await info.context.services.collections.all(info.context.viewer)
        except NotAnEditor as error:
            raise ServiceError(ErrorKind.PERMISSION_DENIED, _not_permitted().message) from error
        return [_collection_of(each) for each in found]


@strawberry.type
class CollectionMutation:
    """Writes of editors."""

    @strawberry.mutation(description="Needs scope editor or studio; each edit is kept with who made it.")
    async def save_collection(
        self,
        info: RecommendationsInfo,
        input: CollectionInput,  # noqa: A002
    ) -> SaveCollectionResult:
        """Insert or replace."""
        given = domain.Collection(
            id=input.id or "",
            heading=input.heading,
            title_ids=tuple(input.title_ids),
            countries=frozenset(input.countries),
            opens_at=input.opens_at,
            closes_at=input.closes_at,
        )
        try:
            saved = await info.context.services.collections.save(info.context.viewer, given, info.context.now)
        except NotAnEditor:
            return _not_permitted()
        except UnusableCollection as error:
            return invalid_input({"input": str(error)})
        return SaveCollectionSuccess(collection=_collection_of(saved))

    @strawberry.mutation(description="Needs scope editor or studio; each edit is kept with who made it.")
    async def remove_collection(self, info: RecommendationsInfo, id: strawberry.ID) -> RemoveCollectionResult:  # noqa: A002
        """Its titles stay."""
        try:
            was_there = await info.context.services.collections.remove(info.context.viewer, id, info.context.now)
        except NotAnEditor:
            return _not_permitted()
        return RemoveCollectionSuccess(was_there=was_there)


def _not_permitted() -> NotPermitted:
    scopes = " or ".join(sorted(EDITOR_SCOPES))
    return NotPermitted(message=f"Only an account with scope {scopes} may edit collections.")


def _collection_of(collection: domain.Collection) -> Collection:
    return Collection(
        id=strawberry.ID(collection.id),
        heading=collection.heading,
        title_ids=[strawberry.ID(title_id) for title_id in collection.title_ids],
        countries=sorted(collection.countries),
        opens_at=collection.opens_at,
        closes_at=collection.closes_at,
    )
