"""One sign per picture: small silhouettes that say what kind of film it is.

An emblem is drawn around a point with a radius; cut-outs are drawn with value 0 on the same mask.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from subgraphs.titles.artwork.canvas import Pen, Point
from subgraphs.titles.artwork.design import telling_genre

__all__ = ["EMBLEMS_BY_GENRE", "Emblem", "choose_emblem"]

Emblem = Callable[[Pen, Point, float], None]


def _at(center: Point, radius: float, points: Sequence[Point]) -> list[Point]:
    return [(center[0] + x * radius, center[1] + y * radius) for x, y in points]


def _mirrored(half: Sequence[Point]) -> list[Point]:
    return [*half, *((-x, y) for x, y in reversed(half))]


def _bowler(pen: Pen, center: Point, radius: float) -> None:
    x, y = center
    pen.ellipse((x, y - radius * 0.3), radius * 0.58, radius * 0.62)
    pen.rectangle((x - radius * 0.58, y - radius * 0.3, x + radius * 0.58, y + radius * 0.05))
    pen.rectangle((x - radius * 0.6, y - radius * 0.12, x + radius * 0.6, y - radius * 0.02), 0)
    pen.ellipse((x, y + radius * 0.08), radius, radius * 0.16)
    for side in (-1, 1):
        wing = [(0.02, 0.52), (0.2, 0.44), (0.5, 0.52), (0.72, 0.72), (0.4, 0.74), (0.1, 0.7)]
        pen.polygon(_at(center, radius, [(px * side, py) for px, py in wing]))


def _rocket(pen: Pen, center: Point, radius: float) -> None:
    hull = [(0, -1), (0.16, -0.78), (0.27, -0.45), (0.3, -0.1), (0.27, 0.3), (0.2, 0.6)]
    pen.polygon(_at(center, radius, _mirrored(hull)))
    for side in (-1, 1):
        pen.polygon(
            _at(center, radius, [(0.24 * side, 0.1), (0.62 * side, 0.62), (0.6 * side, 0.92), (0.18 * side, 0.6)])
        )
    pen.polygon(_at(center, radius, [(-0.12, 0.66), (0.12, 0.66), (0.05, 0.95), (0, 1.08), (-0.05, 0.95)]))
    pen.ellipse((center[0], center[1] - radius * 0.28), radius * 0.13, value=0)


def _crescent(pen: Pen, center: Point, radius: float) -> None:
    pen.ellipse(center, radius * 0.9)
    pen.ellipse((center[0] + radius * 0.38, center[1] - radius * 0.16), radius * 0.74, value=0)
    _star_at(pen, (center[0] + radius * 0.42, center[1] - radius * 0.12), radius * 0.26, 5)


def _bat(pen: Pen, center: Point, radius: float) -> None:
    half = [
        (0, -0.12), (0.07, -0.3), (0.13, -0.16), (0.3, -0.24), (0.62, -0.5), (1.15, -0.38), (1.02, 0.0), (0.86, 0.28),
        (0.72, 0.06), (0.5, 0.06), (0.38, 0.3), (0.26, 0.14), (0.12, 0.2), (0, 0.5),
    ]  # fmt: skip
    pen.polygon(_at(center, radius, _mirrored(half)))


def _hand(pen: Pen, center: Point, radius: float) -> None:
    x, y = center
    pen.polygon(_at(center, radius, [(-0.34, 0.2), (0.34, 0.12), (0.3, 0.7), (0.18, 1.25), (-0.2, 1.25), (-0.3, 0.7)]))
    fingers = (
        (-0.3, 0.3, -0.72, -0.62),
        (-0.13, 0.25, -0.28, -1.0),
        (0.06, 0.22, 0.08, -1.08),
        (0.24, 0.2, 0.44, -0.92),
    )
    for base_x, base_y, tip_x, tip_y in (*fingers, (0.3, 0.55, 0.86, -0.12)):
        knuckle = ((base_x + tip_x) / 2 + 0.04, (base_y + tip_y) / 2)
        pen.line(_at(center, radius, [(base_x, base_y), knuckle]), radius * 0.15)
        pen.ellipse((x + knuckle[0] * radius, y + knuckle[1] * radius), radius * 0.085)
        nail = [(knuckle[0] - 0.07, knuckle[1]), (knuckle[0] + 0.07, knuckle[1]), (tip_x, tip_y)]
        pen.polygon(_at(center, radius, nail))


def _heart(pen: Pen, center: Point, radius: float) -> None:
    outline = []
    for step in range(60):
        turn = step / 60 * math.tau
        px = 16 * math.sin(turn) ** 3
        py = -(13 * math.cos(turn) - 5 * math.cos(2 * turn) - 2 * math.cos(3 * turn) - math.cos(4 * turn))
        outline.append((px / 17, py / 17))
    pen.polygon(_at(center, radius, outline))


def _star_at(pen: Pen, center: Point, radius: float, points: int, depth: float = 0.4) -> None:
    outline = []
    for step in range(points * 2):
        length = radius if step % 2 == 0 else radius * depth
        turn = step / (points * 2) * math.tau - math.pi / 2
        outline.append((center[0] + math.cos(turn) * length, center[1] + math.sin(turn) * length))
    pen.polygon(outline)


def _badge(pen: Pen, center: Point, radius: float) -> None:
    _star_at(pen, center, radius * 0.92, 5, 0.45)
    for step in range(5):
        turn = step / 5 * math.tau - math.pi / 2
        pen.ellipse(
            (center[0] + math.cos(turn) * radius * 0.95, center[1] + math.sin(turn) * radius * 0.95), radius * 0.1
        )
    pen.ring(center, radius * 0.32, radius * 0.05, 0)


def _compass(pen: Pen, center: Point, radius: float) -> None:
    pen.ring(center, radius * 0.8, radius * 0.05)
    _star_at(pen, center, radius * 0.62, 8, 0.5)
    _star_at(pen, center, radius * 1.05, 4, 0.2)
    pen.ellipse(center, radius * 0.09, value=0)


def _keyhole(pen: Pen, center: Point, radius: float) -> None:
    pen.ellipse(center, radius * 0.72, radius)
    top = (center[0], center[1] - radius * 0.22)
    pen.ellipse(top, radius * 0.26, value=0)
    pen.polygon(_at(center, radius, [(-0.1, -0.1), (0.1, -0.1), (0.24, 0.62), (-0.24, 0.62)]), 0)


def _eye(pen: Pen, center: Point, radius: float) -> None:
    lens = [(math.cos(step / 24 * math.pi) * 1.1, -math.sin(step / 24 * math.pi) * 0.55) for step in range(25)]
    pen.polygon(_at(center, radius, [*lens, *((x, -y) for x, y in reversed(lens))]))
    pen.ellipse(center, radius * 0.46, value=0)
    pen.ellipse(center, radius * 0.36)
    pen.ellipse(center, radius * 0.16, value=0)
    for step in range(7):
        turn = math.pi * (1.18 + step * 0.107)
        inner, outer = 0.72, 0.95
        start = (math.cos(turn) * inner * 1.2, math.sin(turn) * inner)
        pen.line(_at(center, radius, [start, (math.cos(turn) * outer * 1.3, math.sin(turn) * outer)]), radius * 0.045)


def _mask(pen: Pen, center: Point, radius: float) -> None:
    half = [(0, -0.86), (0.5, -0.92), (0.78, -0.76), (0.74, -0.1), (0.52, 0.56), (0.2, 0.94), (0, 1.0)]
    pen.polygon(_at(center, radius, _mirrored(half)))
    for side in (-1, 1):
        eye = [(0.14, -0.32), (0.34, -0.46), (0.58, -0.36), (0.38, -0.2)]
        pen.polygon(_at(center, radius, [(px * side, py) for px, py in eye]), 0)
    x, y = center
    pen.ellipse((x, y + radius * 0.3), radius * 0.4, radius * 0.3, 0)
    pen.ellipse((x, y + radius * 0.14), radius * 0.42, radius * 0.26)


def _biplane(pen: Pen, center: Point, radius: float) -> None:
    x, y = center
    pen.ellipse((x, y + radius * 0.08), radius * 0.22)
    for height in (-0.22, 0.26):
        pen.rectangle((x - radius * 1.15, y + radius * height, x + radius * 1.15, y + radius * (height + 0.075)))
    for side in (-1, 1):
        for place in (0.42, 0.92):
            foot, head = x + side * radius * place, x + side * radius * (place + 0.03)
            pen.line([(head, y - radius * 0.2), (foot, y + radius * 0.3)], radius * 0.03)
        pen.line(
            [(x + side * radius * 0.12, y + radius * 0.28), (x + side * radius * 0.3, y + radius * 0.56)],
            radius * 0.035,
        )
        pen.ellipse((x + side * radius * 0.32, y + radius * 0.6), radius * 0.1)
    pen.line([(x - radius * 0.12, y - radius * 0.36), (x + radius * 0.12, y + radius * 0.52)], radius * 0.045)


def _crown(pen: Pen, center: Point, radius: float) -> None:
    points = [
        (-0.9, -0.35),
        (-0.48, 0.1),
        (-0.28, -0.62),
        (0, 0.0),
        (0.28, -0.62),
        (0.48, 0.1),
        (0.9, -0.35),
        (0.72, 0.55),
    ]
    pen.polygon(_at(center, radius, [*points, (-0.72, 0.55)]))
    pen.rectangle(
        (center[0] - radius * 0.74, center[1] + radius * 0.62, center[0] + radius * 0.74, center[1] + radius * 0.76)
    )
    for px, py in ((-0.9, -0.42), (-0.28, -0.7), (0.28, -0.7), (0.9, -0.42)):
        pen.ellipse((center[0] + px * radius, center[1] + py * radius), radius * 0.1)


def _note(pen: Pen, center: Point, radius: float) -> None:
    x, y = center
    for px in (-0.5, 0.42):
        pen.ellipse((x + px * radius, y + radius * 0.6), radius * 0.26, radius * 0.2)
    pen.rectangle((x - radius * 0.32, y - radius * 0.7, x - radius * 0.24, y + radius * 0.6))
    pen.rectangle((x + radius * 0.6, y - radius * 0.86, x + radius * 0.68, y + radius * 0.6))
    pen.polygon(_at(center, radius, [(-0.32, -0.74), (0.68, -0.92), (0.68, -0.62), (-0.32, -0.44)]))


def _reel(pen: Pen, center: Point, radius: float) -> None:
    pen.ellipse(center, radius * 0.95)
    pen.ring(center, radius * 0.85, radius * 0.04, 0)
    for step in range(5):
        turn = step / 5 * math.tau - math.pi / 2
        hole = (center[0] + math.cos(turn) * radius * 0.5, center[1] + math.sin(turn) * radius * 0.5)
        pen.ellipse(hole, radius * 0.22, value=0)
    pen.ellipse(center, radius * 0.1, value=0)


def _cat(pen: Pen, center: Point, radius: float) -> None:
    x, y = center
    pen.ellipse((x, y + radius * 0.1), radius * 0.8, radius * 0.74)
    for side in (-1, 1):
        pen.polygon(_at(center, radius, [(0.74 * side, 0.0), (0.66 * side, -0.98), (0.14 * side, -0.55)]))
        pen.ellipse((x + side * radius * 0.28, y - radius * 0.05), radius * 0.2, radius * 0.27, 0)
        pen.ellipse((x + side * radius * 0.22, y + radius * 0.02), radius * 0.08, radius * 0.13)
    pen.ellipse((x, y + radius * 0.34), radius * 0.12, radius * 0.08, 0)
    pen.arc((x, y + radius * 0.24), radius * 0.42, (30, 150), radius * 0.06, 0)


def _locomotive(pen: Pen, center: Point, radius: float) -> None:
    x, y = center
    pen.rectangle((x - radius * 0.95, y - radius * 0.55, x - radius * 0.42, y + radius * 0.3))
    pen.rectangle((x - radius * 1.02, y - radius * 0.68, x - radius * 0.34, y - radius * 0.55))
    pen.rectangle((x - radius * 0.82, y - radius * 0.4, x - radius * 0.56, y - radius * 0.1), 0)
    pen.rectangle((x - radius * 0.42, y - radius * 0.25, x + radius * 0.72, y + radius * 0.3))
    pen.ellipse((x + radius * 0.72, y + radius * 0.025), radius * 0.1, radius * 0.275)
    pen.polygon(_at(center, radius, [(0.42, -0.25), (0.36, -0.72), (0.7, -0.72), (0.62, -0.25)]))
    pen.ellipse((x + radius * 0.05, y - radius * 0.25), radius * 0.15)
    pen.polygon(_at(center, radius, [(0.72, 0.28), (1.08, 0.62), (0.6, 0.62)]))
    for px, size in ((-0.68, 0.27), (-0.08, 0.27), (0.4, 0.2)):
        wheel = (x + px * radius, y + radius * (0.63 - size))
        pen.ellipse(wheel, radius * (size + 0.04), value=0)
        pen.ellipse(wheel, radius * size)
        pen.ellipse(wheel, radius * size * 0.35, value=0)


def _clock(pen: Pen, center: Point, radius: float) -> None:
    x, y = center
    pen.ellipse(center, radius)
    pen.ring(center, radius * 0.92, radius * 0.05, 0)
    for hour in range(12):
        turn = hour / 12 * math.tau
        inner, outer = (0.6 if hour % 3 == 0 else 0.68), 0.8
        ends = [(math.cos(turn) * length, math.sin(turn) * length) for length in (inner, outer)]
        pen.line(_at(center, radius, ends), radius * (0.09 if hour % 3 == 0 else 0.05), 0)
    pen.line([(x, y), (x + radius * 0.36, y + radius * 0.14)], radius * 0.1, 0)
    pen.line([(x, y), (x - radius * 0.06, y - radius * 0.56)], radius * 0.07, 0)
    pen.ellipse(center, radius * 0.09, value=0)


def _gear(pen: Pen, center: Point, radius: float) -> None:
    for tooth in range(10):
        turn = tooth / 10 * math.tau
        corners = ((turn - 0.17, 0.75), (turn - 0.1, 1.02), (turn + 0.1, 1.02), (turn + 0.17, 0.75))
        pen.polygon(_at(center, radius, [(math.cos(at) * length, math.sin(at) * length) for at, length in corners]))
    pen.ellipse(center, radius * 0.8)
    pen.ellipse(center, radius * 0.5, value=0)
    pen.ellipse(center, radius * 0.36)
    pen.ellipse(center, radius * 0.14, value=0)


# Where a film has a sign that everybody knows, it gets that one.
_EMBLEM_BY_TITLE: Mapping[str, Emblem] = {
    "mov_a-trip-to-the-moon-1902": _rocket,
    "mov_felix-in-hollywood-1923": _cat,
    "mov_gertie-the-dinosaur-1914": _reel,
    "mov_hells-angels-1930": _biplane,
    "mov_man-with-a-movie-camera-1929": _reel,
    "mov_marquee-demo": _reel,
    "mov_metropolis-1927": _gear,
    "mov_napoleon-1927": _crown,
    "mov_night-of-the-living-dead-1968": _hand,
    "mov_nosferatu-1922": _hand,
    "mov_safety-last-1923": _clock,
    "mov_sherlock-jr-1924": _keyhole,
    "mov_the-adventurer-1917": _bowler,
    "mov_the-cabinet-of-dr-caligari-1920": _eye,
    "mov_the-circus-1928": _bowler,
    "mov_the-general-1926": _locomotive,
    "mov_the-gold-rush-1925": _bowler,
    "mov_the-great-train-robbery-1903": _locomotive,
    "mov_the-immigrant-1917": _bowler,
    "mov_the-kid-1921": _bowler,
    "mov_the-mark-of-zorro-1920": _mask,
    "mov_the-phantom-of-the-opera-1925": _mask,
    "mov_the-tramp-1915": _bowler,
    "mov_wings-1927": _biplane,
    "mov_woman-in-the-moon-1929": _rocket,
    "ser_les-vampires-1915": _bat,
    "ser_fantomas-1913": _mask,
}

EMBLEMS_BY_GENRE: Mapping[str, tuple[Emblem, ...]] = {
    "Horror": (_bat, _hand, _eye, _keyhole),
    "Science Fiction": (_rocket, _eye, _crescent),
    "Fantasy": (_crescent, _keyhole, _crown),
    "Animation": (_cat, _reel, _crescent),
    "Family": (_cat, _bowler, _locomotive),
    "Western": (_badge, _locomotive),
    "Film Noir": (_eye, _keyhole, _bowler),
    "War": (_biplane, _badge),
    "Crime": (_keyhole, _eye, _mask),
    "Mystery": (_keyhole, _eye, _hand),
    "Thriller": (_eye, _hand, _keyhole),
    "Comedy": (_bowler, _mask, _locomotive, _bowler, _heart),
    "Adventure": (_compass, _locomotive, _crescent),
    "Romance": (_heart, _crescent, _mask),
    "History": (_crown, _compass),
    "Documentary": (_reel, _compass),
    "Experimental": (_eye, _reel),
    "Music": (_note,),
    "Drama": (_mask, _heart, _crown, _crescent),
}
_OTHERS: tuple[Emblem, ...] = (_reel, _mask, _compass, _eye)


def choose_emblem(title_id: str, genres: Sequence[str], seed: int) -> Emblem:
    """The emblem of a title: its own where it has one, else of its most telling genre, varied by its seed."""
    if title_id in _EMBLEM_BY_TITLE:
        return _EMBLEM_BY_TITLE[title_id]
    choices = EMBLEMS_BY_GENRE.get(telling_genre(genres), _OTHERS)
    return choices[(seed >> 7) % len(choices)]
