"""What was searched, told as events to those who learn from it: never as it was typed, and only where it is allowed.

Kids profiles are left out, and accounts that refuse personalisation. A search never waits for it, and what can't be
told in time is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog

from common.background import background
from common.events import Event
from common.tokens import Viewer
from subgraphs.titles.domain.text import fold
from subgraphs.titles.ports import SearchEvents

__all__ = ["SearchLog"]

log = structlog.get_logger(__name__)

MAX_WAITING = 1_000
PURPOSE = "PERSONALISATION"


@dataclass(frozen=True, slots=True)
class _Search:
    account_id: str
    profile_id: str
    text: str
    result_count: int
    at: datetime


class SearchLog:
    """The service; use inside `running()`."""

    def __init__(self, events: SearchEvents) -> None:
        self._events = events
        self._waiting: asyncio.Queue[_Search] = asyncio.Queue(MAX_WAITING)

    def searched(self, viewer: Viewer, text: str, result_count: int, now: datetime) -> None:
        """Somebody got the first page of an answer."""
        folded = fold(text)
        if viewer.account_id is None or viewer.profile_id is None or viewer.is_kids or not folded:
            return
        search = _Search(viewer.account_id, viewer.profile_id, folded, result_count, now)
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
            search = await self._waiting.get()
            try:
                if not await self._events.is_refused(search.account_id):
                    await self._events.searched(
                        account_id=search.account_id,
                        profile_id=search.profile_id,
                        text=search.text,
                        result_count=search.result_count,
                        at=search.at,
                    )
            except ConnectionError as error:
                log.warning("searches.lost", error=str(error))
