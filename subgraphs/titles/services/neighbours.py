"""Hearing what other processes on the same store wrote, so that what is kept in memory here is dropped in time."""

from __future__ import annotations

from common.events import Event
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.services.calendar import AvailabilityCalendar
from subgraphs.titles.services.catalogue import Catalogue

__all__ = ["NeighbourNews"]


class NeighbourNews:
    """Handles topic `titles`, which tells of every write; idempotent, and harmless for this process's own writes."""

    def __init__(self, catalogue: Catalogue, calendar: AvailabilityCalendar) -> None:
        self._catalogue = catalogue
        self._calendar = calendar

    async def handle(self, event: Event) -> None:
        """Read again what changed; raises KeyError or TypeError for an event of another shape."""
        match event.kind:
            case "title.changed":
                ids = [TitleId(str(snapshot["id"])) for snapshot in event.data["titles"]]
            case "title.withdrawn":
                ids = [TitleId(str(title_id)) for title_id in event.data["titleIds"]]
            case _:
                return
        self._catalogue.forget(ids)
        self._calendar.update((await self._catalogue.titles(ids)).values())
