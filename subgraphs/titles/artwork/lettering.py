"""Setting type: a title broken into the lines that let it stand largest, with its byline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter

from subgraphs.titles.artwork.canvas import Point
from subgraphs.titles.artwork.design import Color
from subgraphs.titles.artwork.typefaces import font_for, settable

__all__ = ["SetText", "draw_text", "fit_text"]

MEASURE_SIZE_PX = 100
MAX_LINES = 4
MIN_SIZE_PX = 12
LINE_HEIGHT_RATIO = {"bebas": 0.92, "limelight": 1.04, "abril": 1.02, "poiret": 1.08, "marcellus": 1.08}
CAPITALS = frozenset({"bebas", "poiret", "marcellus"})
"""Faces that look their best in capitals."""
TRACKING_RATIO = {"bebas": 0.03, "poiret": 0.05, "marcellus": 0.04}
"""Extra space between letters, of the size."""
STROKE_RATIO = {"poiret": 0.014}
"""Hairline faces are thickened by this share of the size: cards are looked at from three metres."""


@dataclass(frozen=True, slots=True)
class SetText:
    """Text in lines, at a size that fits; `height_px` is that of all lines."""

    lines: tuple[str, ...]
    typeface: str
    size_px: int
    tracking_px: float

    @property
    def line_height_px(self) -> float:
        """From one baseline to the next."""
        return self.size_px * LINE_HEIGHT_RATIO.get(self.typeface, 1.1)

    @property
    def height_px(self) -> float:
        """Of the block."""
        return self.line_height_px * len(self.lines)


def fit_text(text: str, typeface: str, width_px: float, height_px: float, max_size_px: float) -> SetText:
    """The setting in which the text stands largest in a box; long texts are set small, never cut."""
    typeface, text = settable(typeface, " ".join(text.split()))
    if typeface in CAPITALS:
        text = text.upper()
    tracking_ratio = TRACKING_RATIO.get(typeface, 0.0)
    best: SetText | None = None
    for lines in _broken(text.split(" ")):
        widest = max(_width(line, typeface, tracking_ratio) for line in lines)
        line_ratio = LINE_HEIGHT_RATIO.get(typeface, 1.1)
        size = min(width_px / widest * MEASURE_SIZE_PX, height_px / (line_ratio * len(lines)), max_size_px)
        size_px = max(MIN_SIZE_PX, int(size))
        if best is None or size_px > best.size_px:
            best = SetText(tuple(lines), typeface, size_px, size_px * tracking_ratio)
    assert best is not None  # there is always the single line
    return best


def draw_text(
    image: Image.Image,
    text: SetText,
    corner: Point,
    width: float,
    color: Color,
    *,
    is_centered: bool = True,
    shadow: Color | None = None,
) -> None:
    """Draw the lines from `corner` down, centred in the width or at its left; `shadow` is a soft one, for pictures."""
    starts = _line_starts(text, corner, width, is_centered=is_centered)
    if shadow is not None:
        mask = Image.new("L", image.size, 0)
        _draw_lines(ImageDraw.Draw(mask), text, [(x, y + text.size_px * 0.04) for x, y in starts], 255)
        soft = mask.resize((image.width // 4, image.height // 4)).filter(ImageFilter.GaussianBlur(text.size_px / 24))
        soft = soft.point([min(255, round(value * 1.6)) for value in range(256)])
        image.paste(shadow, (0, 0), soft.resize(image.size))
    _draw_lines(ImageDraw.Draw(image), text, starts, color)


def _line_starts(text: SetText, corner: Point, width: float, *, is_centered: bool) -> list[Point]:
    """Where each line's baseline begins."""
    left, top = corner
    ratio = text.tracking_px / text.size_px
    starts: list[Point] = []
    for number, line in enumerate(text.lines):
        line_width = _width(line, text.typeface, ratio) * text.size_px / MEASURE_SIZE_PX
        x = left + (width - line_width) / 2 if is_centered else left
        starts.append((x, top + text.line_height_px * number + text.size_px * 0.8))
    return starts


def _draw_lines(draw: ImageDraw.ImageDraw, text: SetText, starts: Sequence[Point], fill: Color | int) -> None:
    font = font_for(text.typeface, text.size_px)
    stroke = text.size_px * STROKE_RATIO.get(text.typeface, 0.0)
    for line, (x, baseline) in zip(text.lines, starts, strict=True):
        if not text.tracking_px:
            draw.text((x, baseline), line, font=font, fill=fill, anchor="ls", stroke_width=stroke)
            continue
        for position, sign in enumerate(line):
            # Measured from the line's start, so that kerning stays as the face has it.
            offset = font.getlength(line[: position + 1]) - font.getlength(sign) + text.tracking_px * position
            draw.text((x + offset, baseline), sign, font=font, fill=fill, anchor="ls", stroke_width=stroke)


@lru_cache(maxsize=1024)
def _width(line: str, typeface: str, tracking_ratio: float) -> float:
    """At MEASURE_SIZE_PX."""
    tracked = font_for(typeface, MEASURE_SIZE_PX).getlength(line) + tracking_ratio * MEASURE_SIZE_PX * (len(line) - 1)
    return max(1.0, tracked)


def _broken(words: Sequence[str]) -> Iterator[list[str]]:
    """The text in 1 to MAX_LINES lines, each time broken where the longest line is shortest."""
    yield [" ".join(words)]
    for count in range(2, min(MAX_LINES, len(words)) + 1):
        yield _balanced(words, count)


def _balanced(words: Sequence[str], count: int) -> list[str]:
    lowest, highest = max(len(word) for word in words), len(" ".join(words))
    while lowest < highest:
        middle = (lowest + highest) // 2
        if len(_greedy(words, middle)) <= count:
            highest = middle
        else:
            lowest = middle + 1
    return _greedy(words, lowest)


def _greedy(words: Sequence[str], width: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
