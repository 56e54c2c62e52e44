"""What experiments are judged by: figures of a profile since it was first exposed, from events.

A mean is of one figure over the profiles of an arm; a ratio is of two sums. `is_more_better` says which direction does
harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["METRICS", "Figure", "Metric"]


class Figure(StrEnum):
    """What is counted for each profile and experiment."""

    WATCHED_S = "watched-s"
    """Seconds by which places in titles moved on."""
    DAYS = "days"
    """Days (UTC) with watching."""
    BEGUN = "begun"
    """Titles watched at all."""
    COMPLETED = "completed"
    """Titles watched to their end."""
    SHOWN = "shown"
    OPENED = "opened"
    """Cards."""
    LISTED = "listed"
    """Titles put on the list."""
    REFUSED = "refused"
    """Thumbs down and "not interested"."""


@dataclass(frozen=True, slots=True)
class Metric:
    """`figure` times `scale`, over `per` or, without, over the profiles."""

    name: str
    meaning: str
    figure: Figure
    per: Figure | None = None
    scale: float = 1.0
    is_more_better: bool = True


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("hours", "hours watched per profile", Figure.WATCHED_S, scale=1 / 3600),
        Metric("viewing-days", "days with watching per profile", Figure.DAYS),
        Metric("completions", "titles finished per profile", Figure.COMPLETED),
        Metric("completion-rate", "titles finished of those begun", Figure.COMPLETED, per=Figure.BEGUN),
        Metric("opened", "cards opened per profile", Figure.OPENED),
        Metric("open-rate", "cards opened of those shown", Figure.OPENED, per=Figure.SHOWN),
        Metric("list-adds", "titles put on the list per profile", Figure.LISTED),
        Metric("refusals", "thumbs down and not interested per profile", Figure.REFUSED, is_more_better=False),
    )
}
"""By name, in the order in which results show them."""
