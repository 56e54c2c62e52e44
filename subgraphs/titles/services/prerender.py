"""Draws the most popular titles' masters after the start, one by one, so that first pages have their pictures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from common.background import background
from common.clock import Clock
from subgraphs.kernel.pagination import PageRequest
from subgraphs.kernel.policy import MAX_MATURITY
from subgraphs.titles.domain.artwork_reference import ArtworkRole
from subgraphs.titles.domain.browsing import BrowseRequest, CatalogueScope, TitleFilter, TitleSort
from subgraphs.titles.ports import TitleStore
from subgraphs.titles.services.masters import MasterService

__all__ = ["Prerenderer"]

log = structlog.get_logger(__name__)

# What pages show first, first: cards, then the hero's backdrop and lettering.
ROLES_IN_ORDER = (ArtworkRole.BACKDROP, ArtworkRole.POSTER, ArtworkRole.LOGO, ArtworkRole.THUMBNAIL)
START_DELAY_S = 3.0
"""After readiness: the other processes of a machine start at the same time."""
RETRY_S = 5.0
MAX_FAILURES = 20


class Prerenderer:
    """The background task; what is there already costs one look-up each."""

    def __init__(self, store: TitleStore, masters: MasterService, clock: Clock, *, title_count: int) -> None:
        self._store = store
        self._masters = masters
        self._clock = clock
        self._title_count = title_count

    async def draw_popular(self) -> int:
        """Draw what is missing for the most popular titles; returns how many masters that were."""
        scope = CatalogueScope(None, MAX_MATURITY, kids_only=False, now=self._clock.now())
        page = PageRequest(max(0, self._title_count - 1))
        [ids] = await self._store.browse(scope, [BrowseRequest(TitleFilter(), TitleSort.POPULARITY, page)])
        titles = await self._store.titles(ids[: self._title_count])
        drawn = 0
        for role in ROLES_IN_ORDER:
            for title_id in ids[: self._title_count]:
                drawn += await self._masters.ensure(titles[title_id], role)
        return drawn

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Once, as a task that ends with the block."""
        async with background(self._run(), "titles:prerender"):
            yield

    async def _run(self) -> None:
        if self._title_count == 0:
            return
        await asyncio.sleep(START_DELAY_S)
        for _ in range(MAX_FAILURES):
            try:
                drawn = await self.draw_popular()
            except Exception as error:  # noqa: BLE001  # a task's edge: missing pictures are drawn when asked for
                log.warning("artwork.prerender_failed", error=f"{type(error).__name__}: {error}", retry_s=RETRY_S)
                await asyncio.sleep(RETRY_S)
            else:
                log.info("artwork.prerendered", drawn=drawn)
                return
