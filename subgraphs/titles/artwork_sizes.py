"""The variants and sizes in which artwork is offered, in pixels, smallest first: docs/artwork.md, as data.

Delivery enforces the same table, so that nobody can make it scale a picture to every size there is. The sizes are
those of TV cards (16:9 at 1, 1.5 and 2 times) and of phone posters at pixel ratios 1 to 4.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["MAIN_VARIANT", "SIZES_BY_ROLE", "VARIANTS"]

VARIANTS = ("main", "second", "third")
"""Each title's artwork is drawn in every one of these, so that they can be shown to different viewers and compared.

They are part of artwork ids: a name that was given away is kept for ever.
"""
MAIN_VARIANT = VARIANTS[0]

SIZES_BY_ROLE: Mapping[str, tuple[tuple[int, int], ...]] = {
    "POSTER": ((120, 180), (180, 270), (240, 360), (342, 513), (500, 750)),
    "BACKDROP": ((320, 180), (416, 234), (640, 360), (960, 540), (1280, 720), (1920, 1080)),
    "LOGO": ((200, 80), (400, 160), (800, 320)),
    "THUMBNAIL": ((160, 90), (320, 180), (416, 234), (640, 360)),
}
