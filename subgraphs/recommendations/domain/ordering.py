"""Orders over a catalogue's columns: the best few of tens of thousands, without sorting them."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.domain.catalogue import BoolArray, Catalogue, FloatArray, IndexArray
from subgraphs.recommendations.domain.trends import Trends

__all__ = ["best_of", "best_places", "first_allowed", "most_popular", "places_near_best"]

PlaceT = TypeVar("PlaceT", bound=np.integer)

COUNTRY_TREND_SHARE = 0.5
"""What the most viewed title of a country gains there, against 1 for the most popular one at large."""
SAMPLE_STEP = 16
AMPLE = 4
"""A sample's guess at the cut lets about this many times too many through, so that it is hardly ever too few."""


def best_places(scores: FloatArray, mask: BoolArray, count: int) -> IndexArray:
    """The `count` best allowed titles, best first; ties by place, so that the order is always the same."""
    places = places_near_best(scores, mask, count)
    return best_of(places, scores.take(places), count)


def places_near_best(scores: FloatArray, mask: BoolArray, count: int) -> npt.NDArray[np.intp]:
    """Allowed places, in order: the `count` best and some others, mostly few, so that only these need be sorted."""
    # A cut that lets more than enough through, from a sample of the titles.
    sample = scores[::SAMPLE_STEP][mask[::SAMPLE_STEP]]
    rank = AMPLE * count // SAMPLE_STEP + 1
    is_allowed = mask
    if rank < len(sample):
        is_allowed = mask & (scores >= np.partition(sample, len(sample) - rank)[len(sample) - rank])
    places = is_allowed.nonzero()[0]
    return places if len(places) >= count else mask.nonzero()[0]


def best_of(places: npt.NDArray[np.integer], scores: FloatArray, count: int) -> IndexArray:
    """The `count` best of some places with their scores, best first; ties by place."""
    if len(places) > 2 * count:
        near = (scores >= np.partition(scores, len(scores) - count)[len(scores) - count]).nonzero()[0]
        places, scores = places.take(near), scores.take(near)
    return places.take(np.lexsort((places, -scores))[:count]).astype(np.int32)


def first_allowed(order: npt.NDArray[PlaceT], mask: BoolArray, count: int) -> npt.NDArray[PlaceT]:
    """The first `count` allowed titles of an order; most masks leave most titles, so the first few are enough."""
    for length in (2 * count, 16 * count, len(order)):
        found = order[:length]
        found = found[mask.take(found)]
        if len(found) >= count or length >= len(order):
            break
    return found[:count]


def most_popular(catalogue: Catalogue, trends: Trends, mask: BoolArray, count: int) -> tuple[IndexArray, FloatArray]:
    """The `count` most popular allowed titles, best first, and how popular they are: at large, and by recent views."""
    trending = trends.together
    is_allowed = mask.take(trending.works)
    viewed, gains = trending.works[is_allowed], COUNTRY_TREND_SHARE * trending.views[is_allowed]
    not_viewed = mask.copy()
    not_viewed[viewed] = False
    candidates = np.concatenate((viewed, first_allowed(catalogue.by_popularity, not_viewed, count)))
    score = catalogue.popularity.take(candidates)
    score[: len(viewed)] += gains.astype(np.float32)
    best = np.lexsort((candidates, -score))[:count]
    return candidates[best], score[best]
