"""Compositions of plain geometry: rays, arches, the diagonals of the twenties."""

from __future__ import annotations

import math

from subgraphs.titles.artwork.canvas import Canvas, mix
from subgraphs.titles.artwork.emblems import Emblem

__all__ = ["arches", "constructivist", "sunburst"]


def sunburst(canvas: Canvas, emblem: Emblem) -> None:
    """Rays from behind the subject, rings around it."""
    palette, (x, y), unit = canvas.palette, canvas.focus, canvas.unit
    canvas.gradient(mix(palette.depth, palette.accent, 0.25), palette.ground)
    reach = math.hypot(canvas.width, canvas.height)
    count = canvas.random.choice((14, 18, 22, 28))
    turn = canvas.random.random() * math.tau / count
    with canvas.shapes(mix(palette.accent, palette.depth, 0.35), 0.55) as pen:
        for step in range(count):
            start = turn + step / count * math.tau
            end = start + math.pi / count
            pen.polygon(
                [
                    (x, y),
                    (x + math.cos(start) * reach, y + math.sin(start) * reach),
                    (x + math.cos(end) * reach, y + math.sin(end) * reach),
                ]
            )
    canvas.glow((x, y), unit * 0.75, palette.light, 0.55)
    radius = unit * 0.3
    with canvas.shapes(palette.accent) as pen:
        pen.ellipse((x, y), radius)
    with canvas.shapes(palette.light) as pen:
        pen.ring((x, y), radius * 1.1, unit * 0.008)
        pen.ring((x, y), radius * 1.2, unit * 0.004)
        for step in range(count * 2):
            angle = turn + step / (count * 2) * math.tau
            pen.ellipse((x + math.cos(angle) * radius * 1.3, y + math.sin(angle) * radius * 1.3), unit * 0.006)
    with canvas.shapes(palette.ground) as pen:
        emblem(pen, (x, y), radius * 0.66)


def arches(canvas: Canvas, emblem: Emblem) -> None:
    """A proscenium of nested arches in thin gold lines, fans in the corners, the subject in the doorway."""
    palette, (x, y), unit = canvas.palette, canvas.focus, canvas.unit
    canvas.gradient(mix(palette.ground, palette.depth, 0.7), palette.ground)
    fan = unit * 0.09
    with canvas.shapes(mix(palette.depth, palette.light, 0.28), 0.4) as pen:
        # Scales all over, as on the paper of a box of chocolates: rows of half rings, each over the gap before.
        for row in range(int(canvas.height / fan) + 2):
            for column in range(int(canvas.width / (fan * 2)) + 2):
                center = (column * fan * 2 + (row % 2) * fan, row * fan)
                for size in (1.0, 0.7, 0.4):
                    pen.arc(center, fan * size, (180, 360), unit * 0.003)
    width, foot = unit * 0.36, canvas.height * 1.02
    with canvas.shapes(palette.ground, 0.92) as pen:
        pen.ellipse((x, y), width * 1.2)
        pen.rectangle((x - width * 1.2, y, x + width * 1.2, foot))
    with canvas.shapes(palette.accent) as pen:
        for size, line in ((1.2, 0.011), (1.12, 0.003), (0.98, 0.005)):
            pen.arc((x, y), width * size, (180, 360), unit * line)
            for side in (-1, 1):
                inner = x + side * width * size
                pen.rectangle((min(inner, inner - side * unit * line), y, max(inner, inner - side * unit * line), foot))
    with canvas.shapes(palette.depth) as pen:
        pen.ellipse((x, y), width * 0.92)
        pen.rectangle((x - width * 0.92, y, x + width * 0.92, foot))
    canvas.glow((x, y), width * 1.25, palette.light, 0.5)
    with canvas.shapes(mix(palette.accent, palette.light, 0.35), 0.8) as pen:
        for step in range(13):
            angle = math.pi + step / 12 * math.pi
            inner, outer = width * 0.62, width * 0.88
            pen.line(
                [
                    (x + math.cos(angle) * inner, y + math.sin(angle) * inner),
                    (x + math.cos(angle) * outer, y + math.sin(angle) * outer),
                ],
                unit * 0.006,
            )
    with canvas.shapes(palette.ink) as pen:
        emblem(pen, (x, y + width * 0.1), width * 0.46)


def constructivist(canvas: Canvas, emblem: Emblem) -> None:
    """Paper, one strong colour, black: wedges and discs along a diagonal."""
    palette, (x, y), unit = canvas.palette, canvas.focus, canvas.unit
    paper = mix(palette.light, palette.accent, 0.12)
    canvas.gradient(paper, mix(paper, palette.depth, 0.25))
    slope = canvas.random.choice((-1, 1)) * canvas.random.uniform(0.5, 0.8)
    reach = canvas.width + canvas.height

    def band(offset: float, width: float) -> list[tuple[float, float]]:
        top, bottom = y + offset - width / 2, y + offset + width / 2
        return [
            (x - reach, top - slope * -reach),
            (x + reach, top - slope * reach),
            (x + reach, bottom - slope * reach),
            (x - reach, bottom - slope * -reach),
        ]

    with canvas.shapes(palette.accent) as pen:
        pen.polygon(band(unit * 0.5, unit * 0.3))
    stripes = canvas.random.randint(2, 6)
    with canvas.shapes(palette.depth) as pen:
        for number in range(stripes):
            pen.polygon(band(-unit * (0.34 + number * 0.36 / stripes), unit * 0.11 / stripes))
    with canvas.shapes(palette.ground) as pen:
        pen.polygon(band(unit * 0.72, unit * 0.09))
        pen.ellipse((x, y), unit * 0.34)
    with canvas.shapes(palette.accent) as pen:
        wedge = unit * 0.34
        side = canvas.random.choice((-1, 1))
        foot = y + wedge * canvas.random.uniform(1.4, 2.0)
        tip = (x + side * wedge * 0.42, y + wedge * 0.5)
        pen.polygon([(x + side * wedge * 1.9, foot), (x + side * wedge * 1.1, foot + wedge * 0.4), tip])
    with canvas.shapes(paper) as pen:
        pen.ring((x, y), unit * 0.31, unit * 0.006)
        emblem(pen, (x, y), unit * 0.2)
