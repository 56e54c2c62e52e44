"""What was searched, told as events to those who learn from it: never as it was typed, and only where it is allowed.

Kids profiles are left out, and accounts that refuse personalisation. A search never waits for it, and what can't be
told in time is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

from common.background import background
from common.events import Event
from common.tokens import Viewer
from subgraphs.titles.domain.text import fold
from subgraphs.titles.ports import SearchEvents, ToldSearch

__all__ = ["SearchLog"]

log = structlog.get_logger(__name__)

MAX_WAITING = 1_000
GATHER_S = 0.1
"""Searches of this time are told together: each for itself would cost as much as a third of the search."""
PURPOSE = "PERSONALISATION"
MAX_TEXT_LENGTH = 200
"""Characters of a folded text that are told. Folding writes some letters as several: it may be longer than what was
typed."""


class SearchLog:
    """The service; use inside `running()`."""

    def __init__(self, events: SearchEvents) -> None:
        self._events = events
        self._waiting: asyncio.Queue[ToldSearch] = asyncio.Queue(MAX_WAITING)

    def searched(self, viewer: Viewer, search_id: str, text: str, result_count: int, now: datetime) -> None:
        """Somebody got the first page of an answer; what they open of it is reported with the search's id."""
        folded = fold(text)
        if viewer.account_id is None or viewer.profile_id is None or viewer.is_kids or not folded:
            return
        told = folded[:MAX_TEXT_LENGTH]
        search = ToldSearch(search_id, viewer.account_id, viewer.profile_id, told, result_count, now)
        try:
            self._waiting.put_nowait(search)
        except asyncio.QueueFull:
            log.warning("searches.dropped", waiting=MAX_WAITING)

    async def handle(self, event: Event) -> None:
        """Topic accounts: who refuses, who agrees again, and who is gone."""
        account_id = str(event.data.get("accountId", ""))
        if event.kind == "account.erased":
            await self._events.forget(account_id)
        elif event.kind == "consent.changed" and event.data["purpose"] == PURPOSE:
            is_refused = not event.data["granted"]
            await self._events.decide(account_id, is_refused=is_refused, at=event.occurred_at)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tells in the background while the block lasts."""
        async with background(self._run(), "titles:searches"):
            yield

    async def _run(self) -> None:
        while True:
            searches = [await self._waiting.get()]
            await asyncio.sleep(GATHER_S)
            while not self._waiting.empty():
                searches.append(self._waiting.get_nowait())
            try:
                await self.tell(searches)
            except Exception as error:  # noqa: BLE001  # a task's edge: the searches that follow are told again
                log.warning("searches.lost", count=len(searches), error=f"{type(error).__name__}: {error}")

    async def tell(self, searches: Sequence[ToldSearch]) -> None:
        """Those of accounts that do not refuse; raises ConnectionError when the stream is away."""
        refusing = await self._events.refusing({search.account_id for search in searches})
        if told := [search for search in searches if search.account_id not in refusing]:
            await self._events.searched(told)
