"""Orders over a catalogue's columns: the best few of tens of thousands, without sorting them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.domain.catalogue import BoolArray, Catalogue, FloatArray, IndexArray
from subgraphs.recommendations.domain.trends import TrendWindow, combine

__all__ = ["best_of", "best_places", "first_allowed", "most_popular"]

COUNTRY_TREND_SHARE = 0.5
"""What the most viewed title of a country gains there, against 1 for the most popular one at large."""
SAMPLE_STEP = 16
AMPLE = 4
"""A sample's guess at the cut lets about this many times too many through, so that it is hardly ever too few."""


def best_places(scores: FloatArray, mask: BoolArray, count: int) -> IndexArray:
    """The `count` best allowed titles, best first; ties by place, so that the order is always the same."""
    allowed = np.where(mask, scores, -np.inf)
    # A cut that lets more than enough through, from a sample of the titles; then the few are sorted.
    sample = allowed[::SAMPLE_STEP]
    rank = AMPLE * count // SAMPLE_STEP + 1
    cut = np.partition(sample, len(sample) - rank)[len(sample) - rank] if rank < len(sample) else -np.inf
    places = np.flatnonzero(allowed >= cut)
    if len(places) < count or cut == -np.inf:
        places = np.flatnonzero(mask)
    return best_of(places, scores[places], count)


def best_of(places: npt.NDArray[np.integer], scores: FloatArray, count: int) -> IndexArray:
    """The `count` best of some places with their scores, best first; ties by place."""
    if len(places) > AMPLE * count:
        near = np.flatnonzero(scores >= np.partition(scores, len(scores) - count)[len(scores) - count])
        places, scores = places[near], scores[near]
    return places[np.lexsort((places, -scores))][:count].astype(np.int32)


def first_allowed(order: IndexArray, mask: BoolArray, count: int) -> IndexArray:
    """The first `count` allowed titles of an order; most masks leave most titles, so the first few are enough."""
    for length in (2 * count, 16 * count, len(order)):
        found = order[:length][mask[order[:length]]]
        if len(found) >= count or length >= len(order):
            break
    return found[:count]


def most_popular(
    catalogue: Catalogue, trends: Mapping[TrendWindow, Mapping[int, float]], mask: BoolArray, count: int
) -> tuple[IndexArray, FloatArray]:
    """The `count` most popular allowed titles, best first, and how popular they are: at large, and by recent views.

    `trends`: views in a country by title index.
    """
    views_by_title = combine(trends)
    most = max(views_by_title.values(), default=0.0)
    gains = {index: COUNTRY_TREND_SHARE * views / most for index, views in views_by_title.items() if mask[index]}
    # Who gains nothing can't come before more of those that gain nothing than it does anyway.
    candidates = np.union1d(first_allowed(catalogue.by_popularity, mask, count), np.array(list(gains), np.int32))
    score = catalogue.popularity[candidates]
    score += np.array([gains.get(index, 0.0) for index in candidates.tolist()], np.float32)
    best = np.lexsort((candidates, -score))[:count]
    return candidates[best].astype(np.int32), score[best]
