"""What a weekly digest is: for whom, in which week, and what counts as new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import numpy as np

from subgraphs.kernel.policy import EVERYWHERE
from subgraphs.recommendations.domain.catalogue import BoolArray, Catalogue
from subgraphs.recommendations.domain.titles import TitleRecord

__all__ = ["MAX_TITLES", "MIN_TITLES", "NEW_FOR", "REMEMBERED_TITLES", "DigestPick", "Subscriber", "new_in", "week_of"]

MIN_TITLES, MAX_TITLES = 3, 8
"""Fewer are not worth a mail, more are not read."""
NEW_FOR = timedelta(days=28)
"""Longer than a week: a film may be made ready some weeks after its title was written, and counts as new then. What was
in a digest is in none after it."""
REMEMBERED_TITLES = 64
"""That were in the last digests of a profile: more than NEW_FOR of them."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A profile whose account asked for digests. `maturity` as in a viewer; `mailed`: what was in the last ones."""

    profile_id: str
    account_id: str
    country: str
    maturity: int
    mailed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DigestPick:
    """One title; `reason` is a sentence that is true, or None."""

    record: TitleRecord
    reason: str | None


def week_of(now: datetime, weekday: int, hour: int) -> str:
    """The day (UTC) on which the present week of digests began: the last `weekday` (0: Monday) at `hour` o'clock."""
    day = now.date() - timedelta(days=(now.weekday() - weekday) % 7)
    if now < datetime.combine(day, time(hour), now.tzinfo):
        day -= timedelta(days=7)
    return day.isoformat()


def new_in(catalogue: Catalogue, country: str, now: datetime, places: Sequence[int]) -> BoolArray:
    """Which of these titles can be watched and came to this country within NEW_FOR, by row or by window."""
    mask, since = np.zeros(len(catalogue), np.bool_), now - NEW_FOR
    for place in places:
        mask[place] = catalogue.is_playable[place] and _came_at(catalogue.records[place], country, now) >= since
    return mask


def _came_at(record: TitleRecord, country: str, now: datetime) -> datetime:
    """When the title was there and some window that is open now had opened; without any, when it was written."""
    opened = [
        window.opens_at or record.added_at
        for window in record.facts.windows
        if window.country in {EVERYWHERE, country} and window.is_open(now)
    ]
    return max(record.added_at, min(opened, default=record.added_at))
