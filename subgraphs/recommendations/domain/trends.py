"""Views as they weigh now, by window: what is watched this hour, today, this week."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from enum import StrEnum
from typing import TypeVar

__all__ = ["SHARES", "TrendWindow", "combine"]

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
