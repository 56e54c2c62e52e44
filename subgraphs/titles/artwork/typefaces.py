"""The typefaces that lettering is set in.

Open faces from a folder of packages when there is one, Pillow's own face otherwise, so that artwork is drawn
everywhere. What a face has no sign for is set in one that has, or in plain letters.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from subgraphs.titles.domain.text import fold

__all__ = ["Font", "font_for", "load_typefaces", "settable"]

Font = ImageFont.FreeTypeFont

_FILES = {
    "limelight": ("limelight/400Regular", "Limelight_400Regular.ttf"),
    "abril": ("abril-fatface/400Regular", "AbrilFatface_400Regular.ttf"),
    "bebas": ("bebas-neue/400Regular", "BebasNeue_400Regular.ttf"),
    "marcellus": ("marcellus/400Regular", "Marcellus_400Regular.ttf"),
    "poiret": ("poiret-one/400Regular", "PoiretOne_400Regular.ttf"),
    "text": ("figtree/600SemiBold", "Figtree_600SemiBold.ttf"),
}
_PACKAGES = "@expo-google-fonts"
_NO_SIGN = "\uffff"
"""No face has it, so that its picture is the face's picture of a missing sign."""

_paths: dict[str, Path] = {}


def load_typefaces(folder: Path | None) -> None:
    """Look for the faces' files in `folder`, flat or as npm unpacks them; what is missing is set in Pillow's face."""
    _paths.clear()
    font_for.cache_clear()
    if folder is None:
        return
    for name, (package, file_name) in _FILES.items():
        for path in (folder / file_name, folder / _PACKAGES / package / file_name):
            if path.is_file():
                _paths[name] = path
                break


@lru_cache(maxsize=256)
def font_for(typeface: str, size_px: int) -> Font:
    """A face in a size."""
    path = _paths.get(typeface)
    if path is not None:
        return ImageFont.truetype(path, size_px)
    fallback = ImageFont.load_default(size_px)
    assert isinstance(fallback, ImageFont.FreeTypeFont)  # it is one wherever Pillow has FreeType, as its wheels do
    return fallback


def settable(typeface: str, text: str) -> tuple[str, str]:
    """A face and a form of the text that go together: this face, else the text face, else plain letters."""
    for candidate in (typeface, "text"):
        if _has_signs(candidate, text):
            return candidate, text
    return typeface, fold(text).title()


def _has_signs(typeface: str, text: str) -> bool:
    font = font_for(typeface, 32)
    missing = bytes(font.getmask(_NO_SIGN))
    return all(sign.isascii() or bytes(font.getmask(sign)) != missing for sign in set(text))
