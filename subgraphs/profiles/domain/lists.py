"""My List and ratings, and what is known of the titles on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import TitleFacts

__all__ = ["NO_MARKS", "KnownTitle", "ListEntry", "Rating", "TitleMarks"]


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


@dataclass(frozen=True, slots=True)
class TitleMarks:
    """What one profile noted about one title."""

    is_in_list: bool
    rating: Rating | None


NO_MARKS = TitleMarks(is_in_list=False, rating=None)
