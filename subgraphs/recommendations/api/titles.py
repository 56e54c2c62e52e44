# strawberry.field with arguments is typed as Any; the resolvers below it are typed in full.
# mypy: disable-error-code="untyped-decorator"
"""Title and Artwork as recommendations refers to them."""

from collections.abc import Mapping
from typing import Annotated, Any, Self, cast

import strawberry
import strawberry.federation
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from subgraphs.kernel.execution import shared
from subgraphs.kernel.pagination import Page, PageInfo, page_info, read_page_request
from subgraphs.recommendations.api.context import RecommendationsInfo

__all__ = ["Artwork", "Title", "TitleConnection", "TitleEdge", "title_reference"]

MAX_SIMILAR_PAGE = 50


@strawberry.federation.interface_object(name="Title", keys=["id"])
class Title:
    """Any title by its id."""

    id: strawberry.ID
    matches: strawberry.Private[Mapping[str, float | None] | None] = None

    @classmethod
    def resolve_reference(cls, id: str) -> Self:  # noqa: A002  # the key's name
        """Any id: titles knows better which exist; of an unknown one there is nothing to say."""
        return cls(id=strawberry.ID(id))

    @strawberry.field(description="Titles like this one that the viewer may see, nearest first; first is at most 50.")
    def similar(
        self, info: RecommendationsInfo, first: int = 12, after: str | None = None
    ) -> Annotated["TitleConnection", strawberry.lazy("subgraphs.recommendations.api.titles")] | None:
        """By content and by who watched both."""
        request = read_page_request(first, after, max_first=MAX_SIMILAR_PAGE, key_length=1)
        start = 0 if request.after is None else max(0, int(request.after[0] or 0))
        ids = list(enumerate(info.context.titles.similar(self.id), start=1))[start : start + first + 1]
        page = Page.cut(ids, request, lambda item: (item[0],))
        return TitleConnection(
            edges=[
                TitleEdge(cursor=cursor, node=title_reference(title_id))
                for (_, title_id), cursor in zip(page.items, page.cursors, strict=True)
            ],
            page_info=page_info(page),
        )

    @strawberry.field(
        description=(
            "How well it suits the viewer's profile, by its place among all titles that the profile may see: 1 for the "
            "best of them, about 0.9 at the best thousandth, 0.8 at the best hundredth, 0.5 at the best eighth, 0 for "
            "the last. Null when nothing is known of the profile's taste."
        ),
        metadata=shared(),
    )
    def match(self, info: RecommendationsInfo) -> float | None:
        """From the page that shows it; else of all that are asked for in the request together, to be waited for."""
        if self.matches is not None and self.id in self.matches:
            return self.matches[self.id]
        waited_for: Any = info.context.loaders.by_key(info.context.titles.matches).load(str(self.id))
        return cast("float | None", waited_for)


@strawberry.federation.type(shareable=True)
class TitleEdge:
    """Relay edge."""

    cursor: str
    node: Title | None


@strawberry.federation.type(shareable=True)
class TitleConnection:
    """Relay connection."""

    edges: list[TitleEdge]
    page_info: PageInfo


@strawberry.federation.type(directives=[Key(fields=FieldSet("id"), resolvable=False)])
class Artwork:
    """An image by its id; titles fills it."""

    id: strawberry.ID


def title_reference(title_id: str, matches: Mapping[str, float | None] | None = None) -> Title:
    """A title by its id alone; `matches`: what its page knows."""
    return Title(id=strawberry.ID(title_id), matches=matches)
