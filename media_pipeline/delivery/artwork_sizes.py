"""The sizes in which artwork is given, in pixels; any other is refused, or strangers could fill the store with sizes.

docs/artwork.md describes the same table; the titles subgraph offers these sizes to clients.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["IMAGE_FORMATS", "SIZES_BY_ROLE"]

SIZES_BY_ROLE: Mapping[str, frozenset[tuple[int, int]]] = {
    "poster": frozenset({(120, 180), (180, 270), (240, 360), (342, 513), (500, 750)}),
    "backdrop": frozenset({(320, 180), (416, 234), (640, 360), (960, 540), (1280, 720), (1920, 1080)}),
    "logo": frozenset({(200, 80), (400, 160), (800, 320)}),
    "thumbnail": frozenset({(160, 90), (320, 180), (416, 234), (640, 360)}),
}

IMAGE_FORMATS: Mapping[str, tuple[str, str]] = {
    "jpeg": ("JPEG", "image/jpeg"),
    "webp": ("WEBP", "image/webp"),
    "avif": ("AVIF", "image/avif"),
    "png": ("PNG", "image/png"),
}
"""File extension: Pillow's name and the media type."""
