"""Tells the other services when windows open and close: `availability.changed`, at the instant itself.

How far it has told is kept in the store, so that a restart tells what happened meanwhile. At least once: a crash
between telling and keeping tells the same again, and who hears it only looks at the title anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog

from common.background import background
from common.clock import Clock
from subgraphs.titles.ports import EventStream, TitleStore
from subgraphs.titles.services.calendar import AvailabilityCalendar, AvailabilityChange

__all__ = ["OpeningsAnnouncer"]

log = structlog.get_logger(__name__)

POSITION = "availability"
MAX_CHANGES_PER_EVENT = 200
MAX_WAIT_S = 30.0
"""Windows are set while it waits; an opening that is nearer than this is told late by so much at most."""
RETRY_S = 1.0

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class OpeningsAnnouncer:
    """The background task; `announce_due` is one round of it."""

    def __init__(self, calendar: AvailabilityCalendar, store: TitleStore, stream: EventStream, clock: Clock) -> None:
        self._calendar = calendar
        self._store = store
        self._stream = stream
        self._clock = clock
        self._told: datetime | None = None

    async def announce_due(self) -> int:
        """Tell what opened and closed since the last time; returns how many changes. Raises ConnectionError."""
        now = self._clock.now()
        told = await self._told_until()
        if told is None:
            # The first start ever: who hears of titles from now on hears of their windows as well.
            await self._keep(now)
            return 0
        changes = self._calendar.changes(told, now)
        for start in range(0, len(changes), MAX_CHANGES_PER_EVENT):
            await self._publish(changes[start : start + MAX_CHANGES_PER_EVENT], now)
        if changes:
            await self._keep(now)
        else:
            # Nothing was told, nothing need be kept: after a restart the same stretch is empty again.
            self._told = now
        return len(changes)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """As a task that ends with the block."""
        async with background(self._run(), "titles:openings"):
            yield

    async def _run(self) -> None:
        while True:
            try:
                await self.announce_due()
            except Exception as error:  # noqa: BLE001  # a task's edge: what was not told is told at the next try
                log.warning("titles.openings_failed", error=f"{type(error).__name__}: {error}", retry_s=RETRY_S)
                await asyncio.sleep(RETRY_S)
                continue
            now = self._clock.now()
            following = self._calendar.next_edge(now)
            wait_s = MAX_WAIT_S if following is None else (following - now).total_seconds()
            await asyncio.sleep(min(MAX_WAIT_S, max(0.0, wait_s)))

    async def _publish(self, changes: Sequence[AvailabilityChange], now: datetime) -> None:
        told = [
            {
                "titleId": change.title_id,
                "country": change.country,
                "isOpen": change.is_open,
                "at": change.at.isoformat(),
            }
            for change in changes
        ]
        await self._stream.publish("availability.changed", {"changes": told}, now)

    async def _told_until(self) -> datetime | None:
        if self._told is None:
            kept = await self._store.position(POSITION)
            self._told = None if kept is None else _EPOCH + kept * _MICROSECOND
        return self._told

    async def _keep(self, now: datetime) -> None:
        await self._store.set_position(POSITION, (now - _EPOCH) // _MICROSECOND)
        self._told = now
