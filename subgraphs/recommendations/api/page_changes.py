# strawberry.field with arguments is typed as Any; the resolvers below it are typed in full.
# mypy: disable-error-code="untyped-decorator"
"""The difference between two revisions of a page, for a client that holds one of them."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from subgraphs.kernel.pagination import write_cursor
from subgraphs.recommendations.api.cursors import SECTIONS
from subgraphs.recommendations.api.pages import Page, Section, page_of, section_of
from subgraphs.recommendations.pages import change as domain

__all__ = ["PageChange", "PageExpired", "RefreshPageResult"]


@strawberry.type(description="A section and where it stands on the new page, 0 at the top.")
class SectionPlacement:
    """Of the new revision."""

    position: int
    section: Section


@strawberry.type(description="A section that is as it was, and where it stands on the new page, 0 at the top.")
class SectionMove:
    """Told without its cards: the client has them."""

    key: str
    position: int


@strawberry.type(
    description="Drop what is removed, put what is changed, added or moved at its position; all other sections stay."
)
class PageChange:
    """Of the sections that the client holds."""

    change: strawberry.Private[domain.PageChange]

    @strawberry.field
    def page(self) -> Page:
        """The page as it is now."""
        return page_of(self.change.page)

    @strawberry.field
    def new_revision(self) -> str:
        """To send with the next refresh."""
        return self.change.page.revision

    @strawberry.field(description="Keys of sections that are not there any more.")
    def removed(self) -> list[str]:
        """In their old order."""
        return list(self.change.removed)

    @strawberry.field(description="Sections with another content.")
    def changed(self) -> list[SectionPlacement]:
        """In their new order."""
        return self._placements(self.change.changed)

    @strawberry.field(description="Sections that the client does not hold.")
    def added(self) -> list[SectionPlacement]:
        """In their new order."""
        return self._placements(self.change.added)

    @strawberry.field
    def moved(self) -> list[SectionMove]:
        """In their new order."""
        return [SectionMove(key=each.section.key, position=each.position) for each in self.change.moved]

    @strawberry.field(description="To go on below the sections that the client holds now; null at the page's end.")
    def end_cursor(self) -> str | None:
        """Of the new revision."""
        held, page = self.change.held, self.change.page
        return write_cursor((page.revision, SECTIONS, held - 1)) if 0 < held < len(page.sections) else None

    def _placements(self, placed: Sequence[domain.PlacedSection]) -> list[SectionPlacement]:
        page = self.change.page
        return [SectionPlacement(position=each.position, section=section_of(page, each.section)) for each in placed]


@strawberry.type(description="The revision is not kept any more, or is no revision of this page: load the page again.")
class PageExpired:
    """Nothing to compare with."""

    message: str


RefreshPageResult = Annotated[PageChange | PageExpired, strawberry.union("RefreshPageResult")]
