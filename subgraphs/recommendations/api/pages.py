# strawberry.field with arguments is typed as Any; the resolvers below it are typed in full.
# mypy: disable-error-code="untyped-decorator"
"""Page, sections and cards, cut from a finished page."""

from typing import Any, ClassVar, cast

import msgspec
import strawberry
from strawberry.scalars import JSON

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.execution import shared
from subgraphs.kernel.pagination import PageInfo
from subgraphs.kernel.shared_objects import SharedObjects
from subgraphs.recommendations.api.context import RecommendationsInfo
from subgraphs.recommendations.api.cursors import SECTIONS, Place, cursor_of, cut, page_expired, place_of
from subgraphs.recommendations.api.titles import Artwork, Title, title_reference
from subgraphs.recommendations.domain import page as domain
from subgraphs.recommendations.domain.artwork_sizes import ArtworkRole, ImageFormat, artwork_id
from subgraphs.recommendations.domain.sections import PageKind, SectionKind
from subgraphs.recommendations.services.choose_artwork import artwork_code
from subgraphs.recommendations.services.run_experiments import TESTER_SCOPES, NotATester
from subgraphs.recommendations.services.serve_pages import PAGES_IN_MEMORY, PageExpired

__all__ = [
    "ContinueWatchingCard",
    "HeroSection",
    "Page",
    "RowSection",
    "Section",
    "TitleCard",
    "find_section",
    "page_of",
    "section_of",
]


@strawberry.type(description="The server's text and the cause that it names.")
class Reason:
    """Why something is shown."""

    text: str
    because_of: Title | None


@strawberry.interface
class Card:
    """A title on a page."""

    id: strawberry.ID
    title: Title | None
    artwork: Artwork | None = strawberry.field(
        description="Chosen for the device: role, size, format; and for the profile, as long as it is shown: variant."
    )
    tracking: str


@strawberry.type
class TitleCard(Card):
    """A title to discover."""

    reason: Reason | None


@strawberry.type(description="Opens where the viewer stopped; title is the movie or the episode to go on with.")
class ContinueWatchingCard(Card):
    """A title to go on with."""

    series: Title | None


def _cursor_of_card(self: "CardEdge") -> str:
    return cursor_of(self.place)


@strawberry.type
class CardEdge:
    """Relay edge; its cursor is written for those who ask, as screens take a row's last one only."""

    place: strawberry.Private[Place]
    cursor: str = strawberry.field(resolver=_cursor_of_card, metadata=shared())
    node: Card


@strawberry.type
class CardConnection:
    """A section's cards."""

    edges: list[CardEdge]
    page_info: PageInfo


@strawberry.interface
class Section:
    """A part of a page."""

    page: strawberry.Private[domain.Page]
    section: strawberry.Private[domain.Section]

    @strawberry.field(metadata=shared())
    def id(self) -> strawberry.ID:
        """With the page's revision, so that the field section finds exactly this one."""
        return strawberry.ID(f"{self.page.revision}.{self.section.key}")

    @strawberry.field(
        description="The same on every revision of the page, so that a change of the page finds it.", metadata=shared()
    )
    def key(self) -> str:
        """Unique on its page."""
        return self.section.key

    @strawberry.field(metadata=shared())
    def kind(self) -> SectionKind:
        """What it shows."""
        return self.section.kind

    @strawberry.field(metadata=shared())
    def heading(self) -> str:
        """For people."""
        return self.section.heading

    @strawberry.field(metadata=shared())
    def reason(self) -> Reason | None:
        """Why it is on the page."""
        return _reason_of(self.section.reason)

    @strawberry.field(description="Opaque; send back with impressions and feedback.", metadata=shared())
    def tracking(self) -> str:
        """Revision and section."""
        return _tracking(self.page, self.section)

    @strawberry.field(
        description="Without first: as many as the device shows at once; first is at most 50.", metadata=shared()
    )
    def items(self, first: int | None = None, after: str | None = None) -> CardConnection:
        """One slice of the cards."""
        place = None if after is None else place_of(after)
        if place is not None and place.revision != self.page.revision:
            # The section in hand is of another revision than the cursor: going on in it would repeat or skip.
            raise page_expired()
        count = self.page.budget.first_cards if first is None else first
        found = cut(self.section.cards, self.page.revision, self.section.key, count, place)
        image_format = self.page.image_format
        edges = [
            CardEdge(place=place, node=_card_of(self.page, self.section, card, image_format))
            for card, place in zip(found.items, found.places, strict=True)
        ]
        return CardConnection(edges=edges, page_info=found.info)


@strawberry.type(description="One big title at the top.")
class HeroSection(Section):
    """A section of one card."""


@strawberry.type(description="How a row is drawn on this device, in its own pixels.")
class RowLayout:
    """Sizes of a card and how many fit."""

    artwork_role: ArtworkRole
    card_width_px: int
    card_height_px: int
    visible_cards: int


@strawberry.type(description="A row of cards.")
class RowSection(Section):
    """A section that scrolls sideways."""

    @strawberry.field(metadata=shared())
    def layout(self) -> RowLayout:
        """Chosen for the device."""
        layout = self.section.layout
        return RowLayout(
            artwork_role=layout.artwork_role,
            card_width_px=layout.card_width_px,
            card_height_px=layout.card_height_px,
            visible_cards=layout.visible_cards,
        )


@strawberry.type
class SectionEdge:
    """Relay edge."""

    cursor: str
    node: Section


@strawberry.type
class SectionConnection:
    """A page's sections."""

    edges: list[SectionEdge]
    page_info: PageInfo


@strawberry.type
class Page:
    """One page for one viewer on one device: nothing of it but its explanation changes from request to request."""

    objects_are_shared: ClassVar[bool] = True

    page: strawberry.Private[domain.Page]

    @strawberry.field(metadata=shared())
    def id(self) -> strawberry.ID:
        """The same for every revision."""
        return strawberry.ID(self.page.id)

    @strawberry.field(metadata=shared())
    def kind(self) -> PageKind:
        """Which page."""
        return self.page.kind

    @strawberry.field(description="Changes when the page would differ; cursors are bound to it.", metadata=shared())
    def revision(self) -> str:
        """A hash of the content."""
        return self.page.revision

    @strawberry.field(metadata=shared())
    def expires_at(self) -> str:
        """When to load it again at the latest."""
        return self.page.expires_at.isoformat()

    @strawberry.field(
        description="Without first: as many as the device's first answer holds; first is at most 50. "
        "A cursor goes on in its own revision; error PAGE_EXPIRED: load the page again.",
        metadata=shared(),
    )
    def sections(
        self, info: RecommendationsInfo, first: int | None = None, after: str | None = None
    ) -> SectionConnection:
        """One slice of the sections, of the cursor's revision; that of another one has to be waited for."""
        place = None if after is None else place_of(after)
        if place is None or place.revision == self.page.revision:
            return _sections(self.page, first, place)
        waited_for: Any = _sections_of_revision(info, first, place)
        return cast("SectionConnection", waited_for)

    @strawberry.field(
        description="Why the page is as it is, row by row and card by card, with what lost: debug data, whose form may "
        "change. Needs scope tester, experimenter or studio; made anew of what is known now, at the cost of a "
        "hundred pages."
    )
    async def explanation(self, info: RecommendationsInfo) -> JSON | None:
        """See domain/explanation.py; `marquee explain page` prints it."""
        context = info.context
        try:
            explained = await context.services.pages.explain(context.viewer, self.page.wish, context.now)
        except NotATester as error:
            scopes = " or ".join(sorted(TESTER_SCOPES))
            words = f"Only an account with scope {scopes} may have its pages explained."
            raise ServiceError(ErrorKind.PERMISSION_DENIED, words) from error
        return JSON(msgspec.to_builtins(explained))


_pages = SharedObjects[Page](most=PAGES_IN_MEMORY)
"""By the identity of the page, which no other one can have while its object is held here."""


def page_of(page: domain.Page) -> Page:
    """The GraphQL object of a page: the same one for the same page."""
    return _pages.get(id(page)) or _pages.put(id(page), Page(page=page))


def _sections(page: domain.Page, first: int | None, place: Place | None) -> SectionConnection:
    count = page.budget.first_sections if first is None else first
    found = cut(page.sections, page.revision, SECTIONS, count, place)
    edges = [
        SectionEdge(cursor=cursor_of(place), node=section_of(page, section))
        for section, place in zip(found.items, found.places, strict=True)
    ]
    return SectionConnection(edges=edges, page_info=found.info)


async def _sections_of_revision(info: RecommendationsInfo, first: int | None, place: Place) -> SectionConnection:
    return _sections(await _page_at(info, place.revision), first, place)


async def _page_at(info: RecommendationsInfo, revision: str) -> domain.Page:
    try:
        return await info.context.services.pages.at_revision(info.context.viewer, revision, info.context.now)
    except PageExpired as error:
        raise page_expired() from error


async def find_section(info: RecommendationsInfo, section_id: str) -> Section:
    """A section of a kept page by its id; raises the PAGE_EXPIRED error when there is none."""
    revision, _, key = section_id.partition(".")
    page = await _page_at(info, revision)
    found = next((section for section in page.sections if section.key == key), None)
    if found is None:
        raise page_expired()
    return section_of(page, found)


def section_of(page: domain.Page, section: domain.Section) -> Section:
    """The GraphQL object of the section's shape."""
    if section.kind is SectionKind.HERO:
        return HeroSection(page=page, section=section)
    return RowSection(page=page, section=section)


def _card_of(page: domain.Page, section: domain.Section, card: domain.Card, image_format: ImageFormat) -> Card:
    layout = section.layout
    card_id = strawberry.ID(f"{section.key}.{card.title_id}")
    title = title_reference(card.title_id, page.matches)
    role, size = layout.artwork_role, layout.artwork_size
    artwork = Artwork(id=strawberry.ID(artwork_id(card.title_id, role, size, image_format, card.variant)))
    pictures = artwork_code(role, card.variant, page.artwork_tag)
    tracking = f"{page.revision}.{section.key}.{card.title_id}{_codes(card.team)}{pictures}"
    if section.kind is SectionKind.CONTINUE_WATCHING:
        series = None if card.series_id is None else title_reference(card.series_id)
        return ContinueWatchingCard(id=card_id, title=title, artwork=artwork, tracking=tracking, series=series)
    return TitleCard(id=card_id, title=title, artwork=artwork, tracking=tracking, reason=_reason_of(card.reason))


def _tracking(page: domain.Page, section: domain.Section) -> str:
    return f"{page.revision}.{section.key}{_codes(*(exposure.code for exposure in page.exposures))}"


def _codes(*codes: str) -> str:
    """What experiments are told by; nothing where there is none."""
    told = ",".join(code for code in codes if code)
    return f"~{told}" if told else ""


def _reason_of(reason: domain.Reason | None) -> Reason | None:
    if reason is None:
        return None
    because_of = None if reason.because_of is None else title_reference(reason.because_of)
    return Reason(text=reason.text, because_of=because_of)
