"""Compositions of stage and cinema: the cone of a spotlight between curtains, film and its reel."""

from __future__ import annotations

import math

from subgraphs.titles.artwork.canvas import Canvas, mix
from subgraphs.titles.artwork.emblems import Emblem

__all__ = ["reel", "spotlight"]


def spotlight(canvas: Canvas, emblem: Emblem) -> None:
    """A dark stage, curtains at both sides, one cone of light on the subject."""
    palette, (x, y), unit = canvas.palette, canvas.focus, canvas.unit
    canvas.gradient(palette.ground, mix(palette.ground, palette.depth, 0.55))
    floor = min(canvas.height * 0.84, y + unit * 0.42)
    lamp = (x + canvas.random.choice((-1, 1)) * unit * 0.28, -unit * 0.1)
    for widening, opacity in ((0.46, 0.14), (0.38, 0.2), (0.3, 0.26)):
        with canvas.shapes(palette.light, opacity) as pen:
            half = unit * widening
            pen.polygon(
                [
                    (lamp[0] - unit * 0.02, lamp[1]),
                    (lamp[0] + unit * 0.02, lamp[1]),
                    (x + half, floor),
                    (x - half, floor),
                ]
            )
            pen.ellipse((x, floor), half, half * 0.24)
    canvas.glow((x, y), unit * 0.5, palette.accent, 0.5)
    with canvas.shapes(palette.ground, 0.75) as pen:
        pen.ellipse((x, floor), unit * 0.2, unit * 0.035)
    with canvas.shapes(palette.ink) as pen:
        emblem(pen, (x, y), unit * 0.25)
    folds = 7
    side_width = canvas.width * (0.19 if canvas.is_wide else 0.2)
    for side in (0, 1):
        for fold in range(folds):
            near, far = fold / folds, (fold + 1) / folds
            tone = 0.25 + 0.6 * abs(math.sin(fold * 1.9 + side))
            with canvas.shapes(mix(palette.ground, mix(palette.depth, palette.accent, 0.3), tone)) as pen:
                edges = [
                    (side_width * near * 1.1, 0.0),
                    (side_width * far * 1.1, 0.0),
                    (side_width * far * 0.82, canvas.height * 0.6),
                    (side_width * far, canvas.height + 4.0),
                    (side_width * near, canvas.height + 4.0),
                    (side_width * near * 0.82, canvas.height * 0.6),
                ]
                pen.polygon([(canvas.width - px if side else px, py) for px, py in edges])
    with canvas.shapes(mix(palette.depth, palette.accent, 0.35)) as pen:
        swags = 5
        for number in range(swags):
            pen.ellipse((canvas.width * (number + 0.5) / swags, -unit * 0.02), canvas.width / swags * 0.56, unit * 0.11)
    with canvas.shapes(palette.accent, 0.9) as pen:
        for number in range(swags):
            middle, half = canvas.width * (number + 0.5) / swags, canvas.width / swags * 0.56
            points = [
                (
                    middle + math.cos(step / 20 * math.pi) * half,
                    -unit * 0.02 + math.sin(step / 20 * math.pi) * unit * 0.11,
                )
                for step in range(21)
            ]
            pen.line(points, unit * 0.008)


def reel(canvas: Canvas, emblem: Emblem) -> None:
    """A strip of film across the picture and a reel behind it; the frames hold the sign."""
    palette, (x, y), unit = canvas.palette, canvas.focus, canvas.unit
    canvas.gradient(mix(palette.depth, palette.accent, 0.2), mix(palette.ground, palette.depth, 0.4))
    canvas.glow((x, y), unit * 0.9, palette.accent, 0.55)
    radius = unit * 0.42
    turn = canvas.random.random()
    with canvas.shapes(mix(palette.ground, palette.depth, 0.45), 0.9) as pen:
        pen.ellipse((x, y), radius)
        for step in range(6):
            angle = (step + turn) / 6 * math.tau
            pen.ellipse(
                (x + math.cos(angle) * radius * 0.64, y + math.sin(angle) * radius * 0.64), radius * 0.22, value=0
            )
    with canvas.shapes(palette.light, 0.85) as pen:
        pen.ring((x, y), radius * 1.05, unit * 0.006)
        pen.ring((x, y), radius * 1.12, unit * 0.003)
    slope = canvas.random.choice((-0.32, 0.32))
    half = unit * 0.19
    along, length = (1 / math.hypot(1, slope), slope / math.hypot(1, slope)), canvas.width + canvas.height

    def place(distance: float, across: float) -> tuple[float, float]:
        return x + along[0] * distance - along[1] * across, y + along[1] * distance + along[0] * across

    def patch(start: float, end: float, top: float, bottom: float) -> list[tuple[float, float]]:
        return [place(start, top), place(end, top), place(end, bottom), place(start, bottom)]

    with canvas.shapes(palette.ground) as pen:
        pen.polygon(patch(-length, length, -half * 1.42, half * 1.42))
        hole, pitch = half * 0.17, half * 0.36
        for number in range(-int(length / pitch), int(length / pitch)):
            for edge in (-1.22, 1.22):
                pen.polygon(
                    patch(number * pitch, number * pitch + hole, half * edge - hole / 2, half * edge + hole / 2), 0
                )
    frame = half * 2.5
    for number in (-3, -2, -1, 0, 1, 2, 3):
        tone = palette.accent if number == 0 else mix(palette.depth, palette.accent, 0.3)
        with canvas.shapes(tone) as pen:
            middle = number * frame * 1.06
            pen.polygon(patch(middle - frame / 2, middle + frame / 2, -half, half))
    with canvas.shapes(palette.ink) as pen:
        emblem(pen, (x, y), half * 0.78)
    for number in (-2, -1, 1, 2):
        with canvas.shapes(palette.light, 0.35) as pen:
            emblem(pen, place(number * frame * 1.06, 0), half * 0.7)
