"""Design decisions as data and pure functions: which palette, which family of composition, which typeface.

A title's design follows from its id, its genres and its decade and from nothing else, so that every size and role of
one title belongs together and a page of titles is varied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from subgraphs.titles.artwork_sizes import MAIN_VARIANT, VARIANTS

__all__ = ["FAMILIES", "PALETTES", "Color", "Design", "Palette", "choose_design", "placeholder_color", "telling_genre"]

Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """Two grounds (dark to less dark), a light for shapes, an accent, and the colour of type; red, green, blue."""

    ground: Color
    depth: Color
    light: Color
    accent: Color
    ink: Color


@dataclass(frozen=True, slots=True)
class Design:
    """Everything that a drawing may depend on besides its texts; `seed` feeds the drawing's own variations."""

    palette_name: str
    family: str
    typeface: str
    seed: int

    @property
    def palette(self) -> Palette:
        """Its colours."""
        return PALETTES[self.palette_name]


def _rgb(text: str) -> Color:
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def _palette(ground: str, depth: str, light: str, accent: str, ink: str) -> Palette:
    return Palette(_rgb(ground), _rgb(depth), _rgb(light), _rgb(accent), _rgb(ink))


PALETTES: Mapping[str, Palette] = {
    "midnight": _palette("0b1026", "1f2a5c", "f2e3b3", "e8a33d", "fbf3dc"),
    "crimson": _palette("1a0508", "5e0f1c", "f4d8c2", "d9332b", "fdeee0"),
    "emerald": _palette("04150f", "0f4a3a", "e9dfb4", "d7a935", "f6f0d8"),
    "sepia": _palette("1c120a", "5a3a20", "f0d9ad", "c9782f", "fbeed2"),
    "violet": _palette("140a24", "45206b", "f0cfe4", "e0559a", "fbeaf5"),
    "steel": _palette("0c1216", "33454f", "dfe8ea", "7fb4c4", "f3f8f9"),
    "desert": _palette("2a1206", "a24a1c", "f9d9a0", "f0a23c", "fff1d6"),
    "noir": _palette("08090b", "2a2c31", "e9e7e1", "c8c2b2", "ffffff"),
    "teal": _palette("03191e", "0b5560", "f5e2c0", "ef7d57", "fdf4e3"),
    "rose": _palette("240a14", "84304a", "fbdcd0", "f2a477", "fff3ea"),
    "blood": _palette("0a0303", "3a0606", "d8c8b8", "b01217", "f7ead8"),
    "sky": _palette("0c2340", "2f6f9f", "fdf0d5", "f6c445", "fffaf0"),
    "candy": _palette("2b1248", "a8327d", "fff0c9", "ffb52e", "fff9ea"),
    "forest": _palette("0c1708", "355124", "ecdfb2", "d98f2b", "f7f1da"),
    "moon": _palette("0a0c14", "3b4563", "eef0f5", "f3c969", "ffffff"),
}

_PALETTES_BY_GENRE: Mapping[str, tuple[str, ...]] = {
    "Horror": ("blood", "violet", "noir", "crimson"),
    "Science Fiction": ("steel", "teal", "midnight", "moon"),
    "Fantasy": ("violet", "midnight", "emerald", "moon"),
    "Animation": ("candy", "sky", "teal", "rose"),
    "Family": ("sky", "candy", "teal"),
    "Western": ("desert", "sepia"),
    "Film Noir": ("noir", "steel", "crimson"),
    "War": ("steel", "sepia", "forest", "crimson", "desert"),
    "Crime": ("noir", "crimson", "midnight"),
    "Thriller": ("crimson", "noir", "teal"),
    "Mystery": ("midnight", "violet", "emerald"),
    "Adventure": ("teal", "desert", "emerald", "sky"),
    "Comedy": ("sky", "rose", "candy", "teal", "desert"),
    "Romance": ("rose", "crimson", "violet"),
    "Documentary": ("steel", "forest", "sepia"),
    "History": ("sepia", "crimson", "emerald"),
    "Experimental": ("noir", "candy", "teal", "crimson"),
    "Drama": ("sepia", "midnight", "crimson", "emerald", "moon"),
    "Music": ("candy", "midnight", "rose"),
}

FAMILIES = ("sunburst", "skyline", "spotlight", "moonrise", "constructivist", "arches", "reel", "waves")
_FAMILIES_BY_GENRE: Mapping[str, tuple[str, ...]] = {
    "Horror": ("moonrise", "spotlight", "arches"),
    "Science Fiction": ("skyline", "moonrise", "constructivist"),
    "Fantasy": ("moonrise", "arches", "sunburst"),
    "Animation": ("sunburst", "waves", "reel"),
    "Western": ("sunburst", "waves"),
    "Film Noir": ("skyline", "spotlight"),
    "War": ("constructivist", "waves", "skyline"),
    "Crime": ("skyline", "spotlight", "constructivist"),
    "Thriller": ("spotlight", "skyline", "constructivist"),
    "Mystery": ("arches", "spotlight", "moonrise"),
    "Adventure": ("waves", "sunburst", "moonrise"),
    "Comedy": ("sunburst", "reel", "arches", "spotlight"),
    "Romance": ("arches", "moonrise", "waves"),
    "Documentary": ("reel", "constructivist", "skyline"),
    "Experimental": ("constructivist", "reel"),
    "Drama": ("arches", "skyline", "spotlight", "moonrise"),
}
_TYPEFACES_BY_FAMILY: Mapping[str, tuple[str, ...]] = {
    "sunburst": ("limelight", "abril"),
    "skyline": ("poiret", "bebas"),
    "spotlight": ("limelight", "marcellus", "bebas"),
    "moonrise": ("abril", "marcellus"),
    "constructivist": ("bebas",),
    "arches": ("poiret", "marcellus", "limelight"),
    "reel": ("bebas", "abril"),
    "waves": ("abril", "marcellus"),
}
_GENERAL_GENRES = frozenset({"Drama", "Romance", "Silent", "Short"})


def choose_design(
    title_id: str, genres: Sequence[str], release_year: int | None, variant: str = MAIN_VARIANT
) -> Design:
    """The design of one variant of a title's artwork: no two variants share a palette or a family of composition.

    Films since the sixties may get a poster face where older ones have a period one. `variant` is one of VARIANTS.
    """
    family = _choose(_FAMILIES_BY_GENRE.get(telling_genre(genres), FAMILIES), FAMILIES, title_id, variant, byte=1)
    digest = _digest(title_id, variant)
    typefaces = _TYPEFACES_BY_FAMILY[family]
    if release_year is not None and release_year >= 1960:
        typefaces = ("bebas", *typefaces)
    return Design(
        palette_name=_palette_name(title_id, genres, variant),
        family=family,
        typeface=typefaces[digest[2] % len(typefaces)],
        seed=int.from_bytes(digest[4:8], "big"),
    )


def _palette_name(title_id: str, genres: Sequence[str], variant: str) -> str:
    every = tuple(PALETTES)
    return _choose(_PALETTES_BY_GENRE.get(telling_genre(genres), every), every, title_id, variant, byte=0)


def _choose(preferred: Sequence[str], every: Sequence[str], title_id: str, variant: str, *, byte: int) -> str:
    """One for the variant that none of the variants before it has; `byte` of their digests chooses."""
    chosen = preferred[_digest(title_id, MAIN_VARIANT)[byte] % len(preferred)]
    used = [chosen]
    for other in VARIANTS[1 : VARIANTS.index(variant) + 1]:
        # What suits the genre first; a genre with few of them borrows from all.
        chosen = _another(preferred, every, used, _digest(title_id, other)[byte])
    return chosen


def _digest(title_id: str, variant: str) -> bytes:
    # The main variant's digest is of the id alone: it was the only one once, and its pictures stay as they are.
    name = f"artwork:{title_id}" if variant == MAIN_VARIANT else f"artwork:{title_id}:{variant}"
    return hashlib.sha256(name.encode()).digest()


def _another(preferred: Sequence[str], every: Sequence[str], used: list[str], number: int) -> str:
    """One that is not used yet, noted as used."""
    left = [name for name in preferred if name not in used] or [name for name in every if name not in used]
    chosen = left[number % len(left)]
    used.append(chosen)
    return chosen


def telling_genre(genres: Sequence[str]) -> str:
    """The genre that says most about a title's look: its first known one that is not too general; "" without any."""
    known = [name for name in genres if name in _PALETTES_BY_GENRE]
    return next((name for name in known if name not in _GENERAL_GENRES), known[0] if known else "")


@lru_cache(maxsize=50_000)
def placeholder_color(title_id: str, genres: tuple[str, ...], variant: str = MAIN_VARIANT) -> str:
    """#rrggbb of the title's ground: what to show until the image is there."""
    red, green, blue = PALETTES[_palette_name(title_id, genres, variant)].depth
    return f"#{red:02x}{green:02x}{blue:02x}"
