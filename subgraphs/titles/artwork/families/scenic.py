"""Compositions with a horizon: a city at night, a moon over hills, dunes and seas."""

from __future__ import annotations

import math

from subgraphs.titles.artwork.canvas import Canvas, mix
from subgraphs.titles.artwork.emblems import Emblem

__all__ = ["moonrise", "skyline", "waves"]


def skyline(canvas: Canvas, emblem: Emblem) -> None:
    """Set-back towers in three distances, lit windows, searchlights crossing behind the sign in the sky."""
    palette, (x, y), unit = canvas.palette, canvas.focus, canvas.unit
    canvas.gradient(palette.ground, mix(palette.depth, palette.accent, 0.45))
    ground = canvas.height * (1.0 if canvas.is_wide else 0.86)
    y -= unit * (0.14 if canvas.is_wide else 0.05)
    with canvas.shapes(palette.light, 0.13) as pen:
        for number in range(5):
            foot = canvas.width * (0.05 + number * 0.23)
            lean = (x - foot) * 1.6 + canvas.random.uniform(-0.2, 0.2) * unit
            top = -unit * 0.2
            pen.polygon([(foot - 3, ground), (foot + lean - unit * 0.14, top), (foot + lean + unit * 0.14, top)])
    canvas.glow((x, y), unit * 0.55, palette.accent, 0.55)
    with canvas.shapes(palette.light) as pen:
        emblem(pen, (x, y), unit * 0.2)
    lit: list[tuple[float, float]] = []
    for distance, tone in enumerate((0.72, 0.42, 0.1)):
        shade = mix(palette.ground, mix(palette.depth, palette.accent, 0.25), tone)
        with canvas.shapes(shade) as pen:
            left = -unit * 0.1
            while left < canvas.width:
                width = unit * canvas.random.uniform(0.1, 0.2)
                height = unit * canvas.random.uniform(0.2, 0.42) * (1.1 - distance * 0.25)
                for step in range(canvas.random.randint(1, 4)):
                    inset, rise = width * 0.13 * step, height * (1 + step * 0.11)
                    pen.rectangle((left + inset, ground - rise, left + width - inset, canvas.height))
                    crown = ground - rise
                if canvas.random.random() < 0.4:
                    middle = left + width / 2
                    pen.polygon(
                        [(middle - unit * 0.01, crown), (middle, crown - unit * 0.13), (middle + unit * 0.01, crown)]
                    )
                if distance:
                    columns, rows = int(width / (unit * 0.026)), int(height / (unit * 0.04))
                    lit += [
                        (left + unit * 0.014 + column * unit * 0.026, ground - height + unit * 0.02 + row * unit * 0.04)
                        for column in range(columns)
                        for row in range(rows)
                        if canvas.random.random() < 0.22
                    ]
                left += width * canvas.random.uniform(0.85, 1.15)
        with canvas.shapes(mix(palette.accent, palette.light, 0.4), 0.85) as pen:
            for window_x, window_y in lit:
                pen.rectangle((window_x, window_y, window_x + unit * 0.009, window_y + unit * 0.018))
        lit.clear()


def moonrise(canvas: Canvas, emblem: Emblem) -> None:
    """A great moon with the sign before it, stars, and hills that go from mist to black."""
    palette, (x, y), unit = canvas.palette, canvas.focus, canvas.unit
    canvas.gradient(palette.ground, mix(palette.depth, palette.accent, 0.3))
    with canvas.shapes(palette.light, 0.8) as pen:
        for _ in range(90):
            place = (canvas.random.random() * canvas.width, canvas.random.random() ** 1.4 * canvas.height * 0.75)
            pen.ellipse(place, unit * canvas.random.choice((0.0012, 0.0016, 0.0028)))
    radius = unit * 0.31
    canvas.glow((x, y), radius * 2.3, palette.light, 0.55)
    with canvas.shapes(palette.light) as pen:
        pen.ellipse((x, y), radius)
    with canvas.shapes(mix(palette.light, palette.accent, 0.3), 0.5) as pen:
        for _ in range(7):
            angle, distance = canvas.random.random() * math.tau, radius * canvas.random.uniform(0.2, 0.75)
            crater = (x + math.cos(angle) * distance, y + math.sin(angle) * distance)
            pen.ellipse(crater, radius * canvas.random.uniform(0.05, 0.14))
    with canvas.shapes(palette.ground) as pen:
        emblem(pen, (x, y), radius * 0.62)
    for number, tone in enumerate((0.75, 0.4, 0.0)):
        base = canvas.height * (0.72 + number * 0.09)
        phase, steep = canvas.random.random() * math.tau, canvas.random.uniform(1.5, 3.5)
        bend, ripple = math.tau * steep / 2 / canvas.width, 9 / unit

        def height_at(px: float, bend: float = bend, ripple: float = ripple, phase: float = phase) -> float:
            return math.sin(px * bend + phase) + 0.4 * math.sin(px * ripple + phase * 3)

        ridge = [(px, base - unit * 0.07 * height_at(px)) for px in range(-20, canvas.width + 40, 20)]
        with canvas.shapes(mix(palette.ground, mix(palette.depth, palette.accent, 0.2), tone)) as pen:
            pen.polygon([*ridge, (canvas.width + 40, canvas.height + 10), (-20, canvas.height + 10)])
            if number == 2:
                for _ in range(9):
                    px, py = canvas.random.choice(ridge)
                    height = unit * canvas.random.uniform(0.05, 0.14)
                    pen.polygon([(px - height * 0.22, py + 8), (px, py - height), (px + height * 0.22, py + 8)])


def waves(canvas: Canvas, emblem: Emblem) -> None:
    """A low sun, and bands of waves or dunes that come towards us."""
    palette, (x, y), unit = canvas.palette, canvas.focus, canvas.unit
    canvas.gradient(mix(palette.depth, palette.ground, 0.3), mix(palette.accent, palette.light, 0.35))
    canvas.glow((x, y), unit * 0.9, palette.light, 0.6)
    radius = unit * 0.3
    with canvas.shapes(palette.light) as pen:
        pen.ellipse((x, y), radius)
        # The sun of the posters: cut by bars that widen towards the horizon.
        for bar in range(5):
            top = y + radius * (0.28 + bar * 0.155)
            pen.rectangle((x - radius, top, x + radius, top + radius * (0.02 + bar * 0.018)), 0)
    with canvas.shapes(palette.depth) as pen:
        emblem(pen, (x, y - radius * 0.22), radius * 0.46)
    count = 6
    for number in range(count):
        depth = number / (count - 1)
        base = canvas.height * (0.64 + 0.36 * depth**1.15)
        swell = unit * (0.018 + 0.035 * depth)
        length = canvas.width / (4.2 - 2.2 * depth)
        phase = canvas.random.random() * math.tau
        crest = [
            (px, base - swell * (math.sin(px / length * math.tau + phase) + 0.35 * math.sin(px / length * 13 + phase)))
            for px in range(-20, canvas.width + 40, 16)
        ]
        with canvas.shapes(mix(mix(palette.accent, palette.depth, 0.55), palette.ground, depth)) as pen:
            pen.polygon([*crest, (canvas.width + 40, canvas.height + 10), (-20, canvas.height + 10)])
        with canvas.shapes(palette.light, 0.5 - 0.38 * depth) as pen:
            pen.line(crest, unit * 0.005)
