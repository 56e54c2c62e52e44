"""Artwork ids: `<titleId>~<ROLE>~<variant>~<W>x<H>~<FORMAT>`.

Opaque to clients. Recommendations writes such ids without asking, which is why the form is a contract; reading one here
checks role, variant, size and format against the tables in `artwork_sizes.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from subgraphs.kernel.ids import TitleId
from subgraphs.titles.artwork_sizes import MAIN_VARIANT, SIZES_BY_ROLE, VARIANTS

__all__ = ["ArtworkReference", "ArtworkRole", "ImageFormat", "artwork_shares", "read_artwork_id"]

_ARTWORK_ID = re.compile(
    r"(?P<title>[A-Za-z0-9_-]{1,110})~(?P<role>[A-Z]+)~(?P<variant>[a-z0-9-]{1,32})~(?P<w>\d{1,5})x(?P<h>\d{1,5})~(?P<format>[A-Z]+)"
)


class ArtworkRole(StrEnum):
    """What an image is for."""

    POSTER = "POSTER"
    BACKDROP = "BACKDROP"
    LOGO = "LOGO"
    THUMBNAIL = "THUMBNAIL"


class ImageFormat(StrEnum):
    """What a client can draw."""

    JPEG = "JPEG"
    WEBP = "WEBP"
    AVIF = "AVIF"
    PNG = "PNG"


class ArtworkReference(NamedTuple):
    """One image of one title in one size and format."""

    title_id: TitleId
    role: ArtworkRole
    variant: str
    width_px: int
    height_px: int
    format: ImageFormat

    @property
    def id(self) -> str:
        """The text form."""
        return f"{self.title_id}~{self.role}~{self.variant}~{self.width_px}x{self.height_px}~{self.format}"

    def url(self, media_url: str) -> str:
        """Where delivery serves it."""
        kind = f"{self.role.lower()}/{self.variant}/{self.width_px}x{self.height_px}.{self.format.lower()}"
        return f"{media_url.rstrip('/')}/artwork/{self.title_id}/{kind}"

    @classmethod
    def nearest(
        cls,
        title_id: TitleId,
        role: ArtworkRole,
        width_px: int,
        image_format: ImageFormat,
        variant: str = MAIN_VARIANT,
    ) -> ArtworkReference:
        """The smallest offered size that is not smaller than `width_px`, or the largest there is."""
        width, height = _nearest_size(role, width_px)
        # A logo is drawn over other pictures: JPEG has no transparency, PNG says the same in every client.
        if role is ArtworkRole.LOGO and image_format is ImageFormat.JPEG:
            image_format = ImageFormat.PNG
        return cls(title_id, role, variant, width, height, image_format)


@lru_cache(maxsize=1_000)
def _nearest_size(role: ArtworkRole, width_px: int) -> tuple[int, int]:
    """Screens ask for the same few widths."""
    sizes = SIZES_BY_ROLE[role]
    return next((size for size in sizes if size[0] >= width_px), sizes[-1])


def read_artwork_id(text: str) -> ArtworkReference | None:
    """The reference in an id, or None when it is no id of an image that is offered."""
    match = _ARTWORK_ID.fullmatch(text)
    if match is None or match["role"] not in ArtworkRole.__members__ or match["format"] not in ImageFormat.__members__:
        return None
    role = ArtworkRole(match["role"])
    size = (int(match["w"]), int(match["h"]))
    if size not in SIZES_BY_ROLE[role] or match["variant"] not in VARIANTS:
        return None
    return ArtworkReference(TitleId(match["title"]), role, match["variant"], *size, ImageFormat(match["format"]))


def artwork_shares(weights: Sequence[tuple[str, int]]) -> Mapping[str, int]:
    """The share of every variant as the studio set them; where it set none, all have the same. 0: not to be shown."""
    known = dict(weights) or dict.fromkeys(VARIANTS, 1)
    return {variant: known.get(variant, 0) for variant in VARIANTS}
