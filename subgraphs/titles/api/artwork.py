# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""Artwork: images of titles, in roles, sizes, formats and variants."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

import strawberry
import strawberry.federation

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.execution import shared
from subgraphs.kernel.shared_objects import SharedObjects
from subgraphs.titles.api.context import Info
from subgraphs.titles.artwork.design import placeholder_color
from subgraphs.titles.artwork_sizes import VARIANTS
from subgraphs.titles.domain import title as domain
from subgraphs.titles.domain.artwork_reference import (
    ArtworkReference,
    ArtworkRole,
    ImageFormat,
    artwork_shares,
    read_artwork_id,
)

__all__ = ["Artwork", "ArtworkVariant", "artwork_of", "artwork_variants", "nearest_artwork"]

MAX_WIDTH_PX = 7_680
MAX_ARTWORKS_KEPT = 20_000
"""GraphQL objects, about 1 kB each: a home shows 60, most of them others' as well."""


@strawberry.federation.type(
    keys=["id"], description="An image of a title. The id names role, variant, size and format."
)
class Artwork:
    """`placeholder_color` is #rrggbb."""

    objects_are_shared: ClassVar[bool] = True

    record: strawberry.Private[domain.Title]
    reference: strawberry.Private[ArtworkReference]
    id: strawberry.ID
    role: ArtworkRole
    variant: str
    url: str
    width_px: int
    height_px: int
    format: ImageFormat
    alt_text: str
    placeholder_color: str = strawberry.field(description="#rrggbb shown until the image is there")

    @classmethod
    async def resolve_references(cls, info: Info, ids: Sequence[str]) -> "list[Artwork | None]":
        """Null for variants and sizes that are not offered and for titles that this viewer may not see."""
        media_url = info.context.services.media_url
        known = [_artworks.get((media_url, id_)) for id_ in ids]
        references = [
            read_artwork_id(id_) if artwork is None else artwork.reference
            for id_, artwork in zip(ids, known, strict=True)
        ]
        records = await info.context.visible_titles(
            [reference.title_id for reference in references if reference is not None]
        )
        return [
            None
            if reference is None or (record := records[reference.title_id]) is None
            else artwork
            if artwork is not None and artwork.record is record
            else artwork_of(reference, record, media_url)
            for reference, artwork in zip(references, known, strict=True)
        ]

    @strawberry.field(
        description="The same variant of the same title in another role and width, as for a screen's background when "
        "this is a card's image.",
        metadata=shared(),
    )
    def in_role(
        self,
        info: Info,
        role: ArtworkRole,
        width_px: int,
        format: ImageFormat = ImageFormat.JPEG,  # noqa: A002
    ) -> Annotated["Artwork", strawberry.lazy("subgraphs.titles.api.artwork")] | None:
        """So that whoever chose this variant chose it for all of them."""
        return nearest_artwork(info, self.record, role, width_px, image_format=format, variant=self.variant)


@strawberry.type(description="One of the ways in which a title's artwork is drawn; what is compared when pages choose.")
class ArtworkVariant:
    """`name` is part of artwork ids and never changes its meaning."""

    record: strawberry.Private[domain.Title]
    name: str
    weight: int = strawberry.field(
        description="Its share among the title's variants until it is known who opens which: as set by hand, or the "
        "same for all; 0: not shown on pages."
    )

    @strawberry.field(
        description="The smallest offered size that is not smaller than widthPx, or the largest there is.",
        metadata=shared(),
    )
    def artwork(
        self,
        info: Info,
        role: ArtworkRole,
        width_px: int,
        format: ImageFormat = ImageFormat.JPEG,  # noqa: A002
    ) -> Artwork | None:
        """This variant's image."""
        return nearest_artwork(info, self.record, role, width_px, image_format=format, variant=self.name)


def artwork_variants(record: domain.Title) -> list[ArtworkVariant]:
    """All variants of a title."""
    shares = artwork_shares(record.artwork_weights)
    return [ArtworkVariant(record=record, name=name, weight=weight) for name, weight in shares.items()]


def nearest_artwork(
    info: Info, record: domain.Title, role: ArtworkRole, width_px: int, *, image_format: ImageFormat, variant: str
) -> Artwork:
    """The image for a width; raises ServiceError for a width or a variant that is not offered."""
    if not 1 <= width_px <= MAX_WIDTH_PX:
        raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"widthPx is {width_px}; ask for 1 to {MAX_WIDTH_PX} pixels")
    if variant not in VARIANTS:
        raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"variant is {variant[:40]!r}; there are {', '.join(VARIANTS)}")
    reference = ArtworkReference.nearest(record.id, role, width_px, image_format, variant)
    return artwork_of(reference, record, info.context.services.media_url)


_artworks = SharedObjects[Artwork](most=MAX_ARTWORKS_KEPT)
"""By the address of the media and id."""


def artwork_of(reference: ArtworkReference, record: domain.Title, media_url: str) -> Artwork:
    """The GraphQL object of an image, the same one as long as its title is; its text says what can be read in it."""
    id_ = reference.id
    known = _artworks.get((media_url, id_))
    if known is not None and known.record is record:
        return known
    year = f" ({record.release_year})" if record.release_year else ""
    genres = tuple(genre.display_name for genre in record.genres)
    artwork = Artwork(
        record=record,
        reference=reference,
        id=strawberry.ID(id_),
        role=reference.role,
        variant=reference.variant,
        url=reference.url(media_url),
        width_px=reference.width_px,
        height_px=reference.height_px,
        format=reference.format,
        alt_text=f"{reference.role.capitalize()} of {record.display_name}{year}",
        placeholder_color=placeholder_color(record.id, genres, reference.variant),
    )
    return _artworks.put((media_url, id_), artwork)
