"""My List, ratings and thumbs, and what is known of the titles that they are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import TitleFacts

__all__ = ["NO_MARKS", "KnownTitle", "ListEntry", "Rating", "RatingTotals", "Thumb", "TitleMarks"]


@dataclass(frozen=True, slots=True)
class KnownTitle:
    """What titles' events told of one title; `kind` is MOVIE, SERIES or EPISODE."""

    id: TitleId
    kind: str
    facts: TitleFacts


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A title on a profile's list; `facts` as they are known now, None when the title is not known any more."""

    title_id: TitleId
    added_at: datetime
    facts: TitleFacts | None


@dataclass(frozen=True, slots=True)
class Rating:
    """1 to 5 stars."""

    stars: int
    rated_at: datetime


class Thumb(StrEnum):
    """What a profile thinks of a title in one gesture."""

    UP = "UP"
    DOWN = "DOWN"
    NOT_INTERESTED = "NOT_INTERESTED"
    """Says nothing about the title: it should just not be offered."""


@dataclass(frozen=True, slots=True)
class RatingTotals:
    """All profiles' ratings of a title; `count` is at least 1."""

    count: int
    stars_sum: int

    @property
    def average(self) -> float:
        """1.0 to 5.0."""
        return self.stars_sum / self.count


@dataclass(frozen=True, slots=True)
class TitleMarks:
    """What one profile noted about one title."""

    is_in_list: bool = False
    rating: Rating | None = None
    thumb: Thumb | None = None


NO_MARKS = TitleMarks()
