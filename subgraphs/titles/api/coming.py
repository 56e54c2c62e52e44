# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""Coming soon: announcements of titles whose window is about to open."""

import strawberry

from subgraphs.kernel.pagination import PageInfo, page_info, read_page_request
from subgraphs.titles.api.artwork import Artwork, nearest_artwork
from subgraphs.titles.api.context import Info
from subgraphs.titles.artwork_sizes import MAIN_VARIANT
from subgraphs.titles.domain import title as domain
from subgraphs.titles.domain.artwork_reference import ArtworkRole, ImageFormat
from subgraphs.titles.domain.title import TitleKind

__all__ = ["UpcomingConnection", "upcoming_connection"]

MAX_FIRST = 50
KEY_LENGTH = 3


@strawberry.type(
    description="An announcement: title(id) is null until opensAt. Only what this viewer may see then is announced."
)
class UpcomingTitle:
    """No entity: other subgraphs know nothing to add before it opens."""

    record: strawberry.Private[domain.Title]
    id: strawberry.ID
    kind: TitleKind
    display_name: str
    synopsis: str
    release_year: int | None
    opens_at: str = strawberry.field(description="ISO 8601.")

    @strawberry.field
    def artwork(
        self,
        info: Info,
        role: ArtworkRole,
        width_px: int,
        format: ImageFormat = ImageFormat.JPEG,  # noqa: A002
    ) -> Artwork | None:
        """Of the main variant."""
        return nearest_artwork(info, self.record, role, width_px, image_format=format, variant=MAIN_VARIANT)


@strawberry.type
class UpcomingEdge:
    """Relay's edge."""

    cursor: str
    node: UpcomingTitle


@strawberry.type
class UpcomingConnection:
    """Soonest first."""

    edges: list[UpcomingEdge]
    page_info: PageInfo


async def upcoming_connection(info: Info, days: int, first: int, after: str | None) -> UpcomingConnection:
    """A page of announcements."""
    request = read_page_request(first, after, max_first=MAX_FIRST, key_length=KEY_LENGTH)
    context = info.context
    page = await context.services.coming.upcoming(context.viewer, context.now, days, request)
    edges = [
        UpcomingEdge(
            cursor=cursor,
            node=UpcomingTitle(
                record=one.title,
                id=strawberry.ID(one.title.id),
                kind=one.title.kind,
                display_name=one.title.display_name,
                synopsis=one.title.synopsis,
                release_year=one.title.release_year,
                opens_at=one.opens_at.isoformat(),
            ),
        )
        for one, cursor in zip(page.items, page.cursors, strict=True)
    ]
    return UpcomingConnection(edges=edges, page_info=page_info(page))
