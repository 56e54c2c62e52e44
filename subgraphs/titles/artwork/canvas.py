"""A picture in the making: gradients, glows, smooth-edged shapes, grain.

Shapes are drawn on a mask of twice the size and scaled down, which smooths their edges; the work is done by Pillow's
compiled code throughout, as a master must not cost more than some tens of milliseconds. Lengths are in pixels of the
finished picture.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from subgraphs.titles.artwork.design import Color, Palette

__all__ = ["Canvas", "Pen", "Point", "mix"]

Point = tuple[float, float]
OVERSAMPLING = 2
GRAIN_TILE_PX = 512
GRADIENT_EDGE = 179
GRAIN_STRENGTH = 7.0
"""Standard deviation in steps of 256: seen on a plain ground, felt elsewhere, and what hides the bands of a
gradient."""


def mix(first: Color, second: Color, ratio: float) -> Color:
    """`first` at ratio 0, `second` at 1."""
    red, green, blue = (round(one + (two - one) * ratio) for one, two in zip(first, second, strict=True))
    return red, green, blue


class Pen:
    """Draws on an oversized mask; 255 is shape, 0 takes a shape away again."""

    def __init__(self, mask: Image.Image) -> None:
        self._draw = ImageDraw.Draw(mask)

    def polygon(self, points: Sequence[Point], value: int = 255) -> None:
        """A filled polygon."""
        self._draw.polygon([(x * OVERSAMPLING, y * OVERSAMPLING) for x, y in points], fill=value)

    def ellipse(self, center: Point, radius_x: float, radius_y: float | None = None, value: int = 255) -> None:
        """A filled ellipse, a circle without `radius_y`."""
        self._draw.ellipse(self._box(center, radius_x, radius_y), fill=value)

    def ring(self, center: Point, radius: float, width: float, value: int = 255) -> None:
        """A circle's line, inwards from the radius."""
        thick = max(1, round(width * OVERSAMPLING))
        self._draw.ellipse(self._box(center, radius, None), outline=value, width=thick)

    def arc(self, center: Point, radius: float, degrees: tuple[float, float], width: float, value: int = 255) -> None:
        """Part of a circle's line, clockwise from three o'clock."""
        thick = max(1, round(width * OVERSAMPLING))
        self._draw.arc(self._box(center, radius, None), *degrees, fill=value, width=thick)

    def line(self, points: Sequence[Point], width: float, value: int = 255) -> None:
        """A line with rounded joints."""
        scaled = [(x * OVERSAMPLING, y * OVERSAMPLING) for x, y in points]
        self._draw.line(scaled, fill=value, width=max(1, round(width * OVERSAMPLING)), joint="curve")

    def rectangle(self, box: tuple[float, float, float, float], value: int = 255) -> None:
        """A filled rectangle; left, top, right, bottom. One that ends before it begins is its first edge alone."""
        left, top, right, bottom = box
        corners = [number * OVERSAMPLING for number in (left, top, max(left, right), max(top, bottom))]
        self._draw.rectangle(corners, fill=value)

    def frame(self, box: tuple[float, float, float, float], width: float) -> None:
        """A rectangle's line, inwards; left, top, right, bottom."""
        corners = [number * OVERSAMPLING for number in box]
        self._draw.rectangle(corners, outline=255, width=max(1, round(width * OVERSAMPLING)))

    @staticmethod
    def _box(center: Point, radius_x: float, radius_y: float | None) -> tuple[float, float, float, float]:
        x, y = center
        radius_y = radius_x if radius_y is None else radius_y
        left, top, right, bottom = x - radius_x, y - radius_y, x + radius_x, y + radius_y
        return left * OVERSAMPLING, top * OVERSAMPLING, right * OVERSAMPLING, bottom * OVERSAMPLING


class Canvas:
    """The picture; `focus` is where its subject belongs, `unit` the shorter side."""

    def __init__(self, width: int, height: int, palette: Palette, seed: int, focus: Point = (0.5, 0.5)) -> None:
        self.width, self.height = width, height
        self.palette = palette
        self.random = random.Random(seed)
        self.image = Image.new("RGB", (width, height), palette.ground)
        self.focus: Point = (focus[0] * width, focus[1] * height)
        self.unit = min(width, height)

    @property
    def is_wide(self) -> bool:
        """Wider than high."""
        return self.width > self.height

    def gradient(self, top: Color, bottom: Color) -> None:
        """Fill from top to bottom."""
        self.image.paste(top, (0, 0, self.width, self.height))
        self.image.paste(bottom, (0, 0), _ramp(self.width, self.height))

    def glow(self, center: Point, radius: float, color: Color, strength: float) -> None:
        """Soft light around a point; `strength` 0..1 is its opacity in the middle."""
        mask = _glow(round(strength * 255)).resize((max(1, round(radius * 2)),) * 2, Image.Resampling.BILINEAR)
        self.image.paste(color, (round(center[0] - radius), round(center[1] - radius)), mask)

    @contextmanager
    def shapes(self, color: Color, opacity: float = 1.0) -> Iterator[Pen]:
        """Shapes of one colour, put on the picture at the end of the block."""
        mask = Image.new("L", (self.width * OVERSAMPLING, self.height * OVERSAMPLING), 0)
        yield Pen(mask)
        box = mask.getbbox()
        if box is None:
            return
        # Only what was drawn is scaled and pasted: most layers touch a part of the picture.
        left, top = box[0] // OVERSAMPLING, box[1] // OVERSAMPLING
        right, bottom = -(-box[2] // OVERSAMPLING), -(-box[3] // OVERSAMPLING)
        region = tuple(number * OVERSAMPLING for number in (left, top, right, bottom))
        small = mask.crop((region[0], region[1], region[2], region[3])).reduce(OVERSAMPLING)
        if opacity < 1.0:
            small = small.point([round(value * opacity) for value in range(256)])
        self.image.paste(color, (left, top), small)

    def shade(self, color: Color, strength: float, start: float) -> None:
        """Darken towards the bottom from `start` (0..1 of the height), for type to stand on."""
        top = round(self.height * start)
        ramp = _ramp(self.width, self.height - top).point([round(value * strength) for value in range(256)])
        self.image.paste(color, (0, top), ramp)

    def finish(self, vignette: float = 0.55) -> Image.Image:
        """The picture with its edges darkened and with grain."""
        shadow = _vignette(self.width, self.height).point([round(value * vignette) for value in range(256)])
        self.image.paste(self.palette.ground, (0, 0), shadow)
        return ImageChops.add(self.image, _grain(self.width, self.height), 1, -128)


@lru_cache(maxsize=16)
def _ramp(width: int, height: int) -> Image.Image:
    return Image.linear_gradient("L").resize((width, height), Image.Resampling.BILINEAR)


@lru_cache(maxsize=64)
def _glow(peak: int) -> Image.Image:
    # The gradient is 180 at the middle of an edge and 255 in a corner: the light must be gone at the edge.
    curve = [round(peak * max(0.0, 1 - value / GRADIENT_EDGE) ** 1.7) for value in range(256)]
    return Image.radial_gradient("L").point(curve)


@lru_cache(maxsize=8)
def _vignette(width: int, height: int) -> Image.Image:
    # The gradient's corners are at 255; the middle stays untouched.
    curve = [round(255 * max(0.0, (value / 255 - 0.45) / 0.55) ** 1.5) for value in range(256)]
    return Image.radial_gradient("L").point(curve).resize((width, height), Image.Resampling.BILINEAR)


@lru_cache(maxsize=8)
def _grain(width: int, height: int) -> Image.Image:
    """Noise around 128, the same in every process: a fixed seed, one tile repeated."""
    noise = np.random.default_rng(1895).normal(128.0, GRAIN_STRENGTH, (GRAIN_TILE_PX, GRAIN_TILE_PX))
    tile = np.clip(noise, 0, 255).astype(np.uint8)
    repeats = (-(-height // GRAIN_TILE_PX), -(-width // GRAIN_TILE_PX))
    whole = np.tile(tile, repeats)[:height, :width]
    return Image.fromarray(np.repeat(whole[:, :, None], 3, axis=2))
