"""The sizes in which artwork is offered, per role, small to large: the same table as titles and delivery have."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = [
    "MAIN_VARIANT",
    "SIZES_BY_ROLE",
    "VARIANTS",
    "ArtworkRole",
    "ImageFormat",
    "artwork_id",
    "choose_format",
    "choose_size",
]


class ArtworkRole(StrEnum):
    """What an image is for."""

    POSTER = "POSTER"
    BACKDROP = "BACKDROP"
    LOGO = "LOGO"
    THUMBNAIL = "THUMBNAIL"


class ImageFormat(StrEnum):
    """What devices may declare; RENDERED_FORMATS is what can be sent."""

    JPEG = "JPEG"
    WEBP = "WEBP"
    AVIF = "AVIF"
    PNG = "PNG"


SIZES_BY_ROLE: Mapping[ArtworkRole, tuple[tuple[int, int], ...]] = {
    ArtworkRole.POSTER: ((120, 180), (180, 270), (240, 360), (342, 513), (500, 750)),
    ArtworkRole.BACKDROP: ((320, 180), (416, 234), (640, 360), (960, 540), (1280, 720), (1920, 1080)),
    ArtworkRole.LOGO: ((200, 80), (400, 160), (800, 320)),
    ArtworkRole.THUMBNAIL: ((160, 90), (320, 180), (416, 234), (640, 360)),
}

RENDERED_FORMATS = (ImageFormat.WEBP, ImageFormat.JPEG, ImageFormat.PNG)
"""Best first: the smallest file for the same picture."""

VARIANTS = ("main", "second", "third")
"""In which every title's artwork is drawn; names never change their meaning."""
MAIN_VARIANT = VARIANTS[0]


def choose_size(role: ArtworkRole, width_px: float) -> tuple[int, int]:
    """Width and height of the smallest offered image that is not narrower; the largest when all are."""
    sizes = SIZES_BY_ROLE[role]
    return next((size for size in sizes if size[0] >= width_px), sizes[-1])


def choose_format(declared: tuple[ImageFormat, ...]) -> ImageFormat | None:
    """The best format that the device declared and that can be rendered; None when there is none."""
    return next((image_format for image_format in RENDERED_FORMATS if image_format in declared), None)


def artwork_id(
    title_id: str,
    role: ArtworkRole,
    size: tuple[int, int],
    image_format: ImageFormat,
    variant: str = MAIN_VARIANT,
) -> str:
    """The id by which titles knows an image: title, role, variant, size and format."""
    return f"{title_id}~{role.value}~{variant}~{size[0]}x{size[1]}~{image_format.value}"
