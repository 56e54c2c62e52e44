"""Views as they weigh now, by window: what is watched this hour, today, this week."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.domain.catalogue import IndexArray

__all__ = ["SHARES", "MostViewed", "TrendWindow", "Trends", "combine"]

KeyT = TypeVar("KeyT", bound=Hashable)


class TrendWindow(StrEnum):
    """How fast views fade: halved in this time."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"


SHARES: Mapping[TrendWindow, float] = {TrendWindow.HOUR: 0.4, TrendWindow.DAY: 0.4, TrendWindow.WEEK: 0.2}
"""Of the three windows in one number; each window's views are first divided by those of its most viewed title."""


def combine(by_window: Mapping[TrendWindow, Mapping[KeyT, float]]) -> dict[KeyT, float]:
    """One number per title, 0 to 1, from the views in each window."""
    total: dict[KeyT, float] = {}
    for window, views in by_window.items():
        most = max(views.values(), default=0.0)
        if most > 0:
            for title, count in views.items():
                total[title] = total.get(title, 0.0) + SHARES[window] * count / most
    return total


@dataclass(frozen=True, slots=True)
class MostViewed:
    """Works by their places in the catalogue, most viewed first, of equal ones the first, with their views."""

    works: IndexArray
    views: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trends:
    """Views in a country by window and the place of a work, and their orders, which all pages made meanwhile share."""

    views: Mapping[TrendWindow, Mapping[int, float]] = field(default_factory=dict)

    @cached_property
    def by_window(self) -> Mapping[TrendWindow, MostViewed]:
        """Of the windows that were counted."""
        return {window: _most_viewed(views) for window, views in self.views.items()}

    @cached_property
    def together(self) -> MostViewed:
        """All windows in one number, 1 for the most viewed work."""
        found = _most_viewed(combine(self.views))
        return MostViewed(found.works, found.views / found.views.max(initial=0.0))


def _most_viewed(views: Mapping[int, float]) -> MostViewed:
    works = np.fromiter(views, np.int32, len(views))
    counts = np.fromiter(views.values(), np.float64, len(views))
    order = np.lexsort((works, -counts))
    return MostViewed(works[order], counts[order])
