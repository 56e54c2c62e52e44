"""Titles to ask a new profile about: well known where it lives, and as different from each other as they can be.

Problem: the most popular titles are of one kind (in any catalogue, the newest and loudest), and who likes none of them
can say nothing. Idea: one after another, each title counts for its popularity times how little is shown yet of its
genres, its type and its decade, so that popularity decides among equals and variety between groups. What many of the
known titles are counts more than what few are: the one slasher among them is no group of its own. Greedy, among the
MAX_KNOWN most popular ones, as nobody picks what nobody knows.
"""

from __future__ import annotations

import math
from collections import Counter

from subgraphs.recommendations.domain.catalogue import Catalogue, FloatArray, IndexArray

__all__ = ["MAX_KNOWN", "choose_introductions"]

MAX_KNOWN = 200
AGAIN = 0.6
"""What each title that is shown already leaves of the worth of others of its genre, type or decade."""


def choose_introductions(catalogue: Catalogue, places: IndexArray, popularity: FloatArray, count: int) -> list[int]:
    """At most `count` of the titles at `places`, the one to show first at the beginning.

    `places`: those that the profile may see, the most popular first; `popularity`: of each, where the profile is. The
    same arguments always give the same titles.
    """
    left = list(zip(places.tolist(), popularity.tolist(), strict=True))
    traits = {place: _traits(catalogue, place) for place, _ in left}
    counts = Counter(trait for each in traits.values() for trait in each)
    # What each trait is worth still; as a square root, so that the largest groups don't crowd out the others.
    # What all have says nothing, and so does having no genre.
    worth = {trait: math.sqrt(count) if trait and count < len(left) else 0.0 for trait, count in counts.items()}
    chosen: list[int] = []
    while left and len(chosen) < count:
        worths = [known * sum(map(worth.__getitem__, traits[place])) / len(traits[place]) for place, known in left]
        # Of equals the first, which is the better known one.
        place, _ = left.pop(worths.index(max(worths)))
        chosen.append(place)
        for trait in traits[place]:
            worth[trait] *= AGAIN
    return chosen


def _traits(catalogue: Catalogue, place: int) -> list[str]:
    record = catalogue.records[place]
    if not record.genres:
        # Liking it would say nothing: asked last.
        return [""]
    return [*catalogue.topics[place], *([] if record.release_year is None else [f"decade {record.release_year // 10}"])]
