"""Reads the catalogue into memory after the start, and again before what is there grows too old to be believed.

Searches and pages need any titles, of which most were asked for by nobody before: each of them read when it is needed
would cost more than all else of an answer. The catalogue is walked a few titles at a time, so that nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from common.background import background
from subgraphs.titles.ports import TitleStore
from subgraphs.titles.services.catalogue import CACHE_LIFE, Catalogue

__all__ = ["CatalogueWarmer"]

log = structlog.get_logger(__name__)

TITLES_AT_A_TIME = 20
"""Some 2 ms of work; a request that comes meanwhile waits as long."""
PAUSE_S = 0.01
WALK_EVERY_S = CACHE_LIFE.total_seconds() / 4
OLD = CACHE_LIFE / 2
"""What is older when a walk comes by is read again: it is never as old as CACHE_LIFE."""


class CatalogueWarmer:
    """The background task; `settled` is called after each walk that read something."""

    def __init__(self, store: TitleStore, catalogue: Catalogue, settled: Callable[[], None] | None = None) -> None:
        self._store = store
        self._catalogue = catalogue
        self._settled = settled

    async def walk(self) -> int:
        """Keep every title, as long as there is room; returns how many were read."""
        read, after = 0, ""
        while self._catalogue.has_room and (ids := await self._store.ids_after(after, TITLES_AT_A_TIME)):
            after = ids[-1]
            if refreshed := await self._catalogue.refresh(ids, OLD):
                read += refreshed
                await asyncio.sleep(PAUSE_S)
        if read and self._settled is not None:
            self._settled()
        return read

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Walks while the block lasts."""
        async with background(self._run(), "titles:warming"):
            yield

    async def _run(self) -> None:
        while True:
            try:
                log.info("catalogue.warmed", titles=await self.walk())
            except Exception as error:  # noqa: BLE001  # a task's edge: what was not read is read when asked for
                log.warning("catalogue.not_warmed", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(WALK_EVERY_S)
