"""From a title's texts to a finished master: composition, lettering, encoding.

The same specification gives the same bytes as long as Pillow, its codecs and the typefaces stay the same.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from subgraphs.titles.artwork.canvas import Canvas, mix
from subgraphs.titles.artwork.design import Design, choose_design
from subgraphs.titles.artwork.emblems import choose_emblem
from subgraphs.titles.artwork.families import FAMILY_BY_NAME
from subgraphs.titles.artwork.lettering import draw_text, fit_text
from subgraphs.titles.artwork_sizes import VARIANTS

__all__ = ["MASTER_SIZES", "MasterSpec", "render_master"]

MASTER_SIZES: Mapping[str, tuple[int, int]] = {
    "POSTER": (800, 1200),
    "BACKDROP": (1600, 900),
    "LOGO": (800, 320),
    "THUMBNAIL": (960, 540),
}
"""Pixels. Larger than what is asked for most, so that delivery scales down; a backdrop of 1920 is scaled up a
little."""
JPEG_QUALITY = 88
_TEXT_FACE = "text"


@dataclass(frozen=True, slots=True)
class MasterSpec:
    """What a master shows; `role` is a key of MASTER_SIZES."""

    title_id: str
    role: str
    variant: str
    display_name: str
    genres: tuple[str, ...]
    release_year: int | None
    byline: str


def render_master(spec: MasterSpec) -> bytes:
    """JPEG bytes; PNG with transparency for a LOGO. Raises ValueError for an unknown role or variant."""
    if spec.role not in MASTER_SIZES:
        raise ValueError(f"role is {spec.role!r}; known are {', '.join(MASTER_SIZES)}")
    if spec.variant not in VARIANTS:
        raise ValueError(f"variant is {spec.variant!r}; known are {', '.join(VARIANTS)}")
    design = choose_design(spec.title_id, spec.genres, spec.release_year, spec.variant)
    match spec.role:
        case "POSTER":
            return _jpeg(_poster(spec, design))
        case "LOGO":
            return _png(_logo(spec, design))
        case _:
            return _jpeg(_scene(spec, design))


def _poster(spec: MasterSpec, design: Design) -> Image.Image:
    """The composition above, the name below on a shaded ground, inside a double line."""
    width, height = MASTER_SIZES["POSTER"]
    palette = design.palette
    canvas = Canvas(width, height, palette, design.seed, focus=(0.5, 0.37))
    FAMILY_BY_NAME[design.family](canvas, choose_emblem(spec.title_id, spec.genres, design.seed))
    canvas.shade(palette.ground, 0.96, 0.5)
    margin = width * 0.045
    with canvas.shapes(mix(palette.light, palette.accent, 0.4), 0.85) as pen:
        pen.frame((margin, margin, width - margin, height - margin), 3)
        pen.frame((margin * 1.35, margin * 1.35, width - margin * 1.35, height - margin * 1.35), 1.5)
    image = canvas.finish()
    box_width = width * 0.8
    name = fit_text(spec.display_name, design.typeface, box_width, height * 0.235, width * 0.2)
    bottom = height * 0.865
    top = bottom - name.height_px
    left = (width - box_width) / 2
    draw_text(image, name, (left, top), box_width, palette.ink, shadow=palette.ground)
    small = " · ".join(part for part in (spec.byline, str(spec.release_year or "")) if part)
    if small:
        byline = fit_text(small.upper(), _TEXT_FACE, box_width, height * 0.03, height * 0.024)
        draw_text(image, byline, (left, height * 0.9), box_width, mix(palette.accent, palette.light, 0.45))
    return image


def _scene(spec: MasterSpec, design: Design) -> Image.Image:
    """Without type, which pages set beside it; a backdrop's subject stands where a hero's text is not."""
    width, height = MASTER_SIZES[spec.role]
    focus = (0.7, 0.46) if spec.role == "BACKDROP" else (0.5, 0.48)
    canvas = Canvas(width, height, design.palette, design.seed, focus=focus)
    FAMILY_BY_NAME[design.family](canvas, choose_emblem(spec.title_id, spec.genres, design.seed))
    return canvas.finish()


def _logo(spec: MasterSpec, design: Design) -> Image.Image:
    """The name alone on a clear ground, with a soft shadow that keeps it legible on any picture."""
    width, height = MASTER_SIZES["LOGO"]
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    name = fit_text(spec.display_name, design.typeface, width * 0.96, height * 0.92, height * 0.62)
    top = (height - name.height_px) / 2
    # Drawn as a mask, so that the edges keep the ink's colour and only their opacity falls.
    mask = Image.new("RGB", (width, height), (0, 0, 0))
    draw_text(mask, name, (width * 0.02, top), width * 0.96, (255, 255, 255), is_centered=False)
    letters = mask.getchannel("R")
    shadow = letters.resize((width // 8, height // 8)).resize((width, height), Image.Resampling.BICUBIC)
    image.paste((*design.palette.ground, 150), (2, 4), shadow.point([round(value * 0.7) for value in range(256)]))
    image.paste((*design.palette.ink, 255), (0, 0), letters)
    return image


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()
