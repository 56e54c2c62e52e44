"""Answers requests of other services to be told the whole catalogue again, also those that it may have missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from common.clock import Clock
from common.events import Event, GapHandler
from subgraphs.titles.ports import TitleStore

__all__ = ["Republishing"]

log = structlog.get_logger(__name__)

TOPIC = "titles"
REQUESTS_TOPIC = "requests"


class Republishing:
    """Handles topic `requests`. Several services that missed the same events are answered by one telling."""

    def __init__(self, store: TitleStore, clock: Clock, announce: Callable[[], None], ask_again: GapHandler) -> None:
        """`ask_again` asks the owners of other topics."""
        self._store = store
        self._ask_again = ask_again
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
        """Of requests that were missed all are answered at once."""
        if topic == REQUESTS_TOPIC:
            await self._tell_all("whoever was missed")
        else:
            await self._ask_again(topic)

    async def _tell_all(self, asked_by: str) -> None:
        began_at = self._clock.now()
        count = await self._store.announce_all()
        # Only now: a request whose telling failed comes again, and must not be taken for answered.
        self._last_at = began_at
        log.info("titles.republishing", asked_by=asked_by, title_count=count)
        self._announce()
