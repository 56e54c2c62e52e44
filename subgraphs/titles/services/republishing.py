"""Answers requests of other services to be told the whole catalogue again, also those that it may have missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from common.clock import Clock
from common.events import Event
from subgraphs.titles.ports import TitleStore

__all__ = ["Republishing"]

log = structlog.get_logger(__name__)

TOPIC = "titles"
REQUESTS_TOPIC = "requests"


class Republishing:
    """Handles topic `requests`. Several services that missed the same events are answered by one telling."""

    def __init__(self, store: TitleStore, clock: Clock, announce: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._announce = announce
        self._last_at: datetime | None = None

    async def handle(self, event: Event) -> None:
        """Tell everything again, unless that was begun after the request was made."""
        if event.kind != "republish.requested" or event.data["topic"] != TOPIC:
            return
        if self._last_at is not None and event.occurred_at <= self._last_at:
            return
        await self._tell_all(event.data["group"])

    async def on_gap(self, topic: str) -> None:
        """Of requests that were missed all are answered at once. Nobody can tell the others' moments again."""
        if topic == REQUESTS_TOPIC:
            await self._tell_all("whoever was missed")
        else:
            log.error("events.missed_for_good", topic=topic, group="titles")

    async def _tell_all(self, asked_by: str) -> None:
        self._last_at = self._clock.now()
        count = await self._store.announce_all()
        log.info("titles.republishing", asked_by=asked_by, title_count=count)
        self._announce()
