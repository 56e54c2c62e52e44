"""Coming soon: what a viewer will be able to see once a window opens, announced without opening any other door.

An announcement is no title: it names what comes and when, and `title(id)` stays null until then. Whether it is made is
the policy's word about the instant of the opening, so that nobody hears of what they will not be allowed to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from common.errors import ErrorKind, ServiceError
from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.pagination import Page, PageRequest
from subgraphs.titles.domain.rights import next_opening
from subgraphs.titles.domain.title import Title, TitleKind
from subgraphs.titles.services.calendar import AvailabilityCalendar
from subgraphs.titles.services.catalogue import Catalogue

__all__ = ["MAX_DAYS", "ComingSoon", "Upcoming"]

MAX_DAYS = 90
_KINDS = frozenset({TitleKind.MOVIE, TitleKind.SERIES})
_CURSOR_KIND = "OPENING"
BATCH = 100
"""Titles looked at together; most of those that open are announced."""


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A film or series and the instant from which this viewer may see it."""

    title: Title
    opens_at: datetime


class ComingSoon:
    """Reads the calendar, asks the policy."""

    def __init__(self, catalogue: Catalogue, calendar: AvailabilityCalendar) -> None:
        self._catalogue = catalogue
        self._calendar = calendar

    async def upcoming(self, viewer: Viewer, now: datetime, days: int, request: PageRequest) -> Page[Upcoming]:
        """What opens within so many days, soonest first. Raises ServiceError for days or a cursor that can't be."""
        if not 1 <= days <= MAX_DAYS:
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"days is {days}; ask for 1 to {MAX_DAYS}")
        openings = self._calendar.openings(viewer.country, now, now + timedelta(days=days))
        behind = _behind(request)
        waiting = [title_id for opens_at, title_id in openings if behind is None or (_key(opens_at), title_id) > behind]
        found: list[Upcoming] = []
        for start in range(0, len(waiting), BATCH):
            titles = await self._catalogue.titles(waiting[start : start + BATCH])
            for title_id in waiting[start : start + BATCH]:
                title = titles.get(title_id)
                opens_at = None if title is None else next_opening(viewer, title.facts, now)
                if title is not None and opens_at is not None and title.kind in _KINDS:
                    found.append(Upcoming(title, opens_at))
            if len(found) > request.first:
                break
        return Page.cut(found, request, lambda one: (_CURSOR_KIND, _key(one.opens_at), one.title.id))


def _key(instant: datetime) -> int:
    return int(instant.timestamp() * 1_000_000)


def _behind(request: PageRequest) -> tuple[int, TitleId] | None:
    if request.after is None:
        return None
    kind, opens, title_id = request.after
    if kind != _CURSOR_KIND or not isinstance(opens, int) or not isinstance(title_id, str):
        raise ServiceError(ErrorKind.INVALID_ARGUMENT, "after is a cursor of another list; start again")
    return opens, TitleId(title_id)
