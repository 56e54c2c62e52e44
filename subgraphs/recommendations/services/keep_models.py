"""Keeps the catalogue and the models in memory, and rebuilds them in the background when something changed.

Events change the records at once and cheaply; the columns and the models over them follow a moment later, in a
thread, and are swapped as one. Many events in a row cost few rebuilds: each waits for a pause, and for as long again
as the last rebuild took.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog

from common.background import background
from common.clock import Clock
from common.errors import ServiceError
from subgraphs.recommendations.domain.catalogue import build_catalogue
from subgraphs.recommendations.domain.taste import Taste, read_signals
from subgraphs.recommendations.domain.titles import TitleRecord
from subgraphs.recommendations.models.blend import Models, join_models
from subgraphs.recommendations.models.content import Content, build_content, no_content
from subgraphs.recommendations.models.neighbours import build_neighbours
from subgraphs.recommendations.models.trained import TrainedModels
from subgraphs.recommendations.ports import TasteStore, TitleStore

__all__ = ["KeepModels", "build_models"]

log = structlog.get_logger(__name__)

SETTLE_S = 0.2
"""A pause in the events before a rebuild: titles come in batches."""
LEARNED_AT_START = 2_000
"""Titles up to which everything is learned before the service is ready: about a tenth of a second."""
LEARNED_PROFILES = 1_000
"""Read while nothing is trained: a service's first evening. More than that is what training is for."""
LEARN_AFTER_S = 15.0
"""New watching is learned from in batches, as each rebuild makes all pages anew."""
MAX_SETTLES = 25
"""While titles keep coming, a rebuild happens every five seconds, so that an import shows as it goes on."""
REST_RATIO = 2.0
"""Rest after a rebuild, as a part of its time: most of the time is left for requests while titles keep coming."""


def build_first_models(records: Sequence[TitleRecord], version: int) -> Models:
    """The catalogue with nothing learned yet, in a fraction of a second: pages by popularity, date and genre."""
    catalogue = build_catalogue(records, version)
    return join_models(catalogue, no_content(len(catalogue)), build_neighbours((), len(catalogue)))


def build_models(
    records: Sequence[TitleRecord],
    tastes: Sequence[Taste],
    version: int,
    now_s: float,
    *,
    trained: TrainedModels | None = None,
    content: Content | None = None,
) -> Models:
    """The catalogue with everything learned about it; takes seconds for tens of thousands of titles.

    `tastes` are learned from only while nothing is trained. `content` is that of the same records, where it is known.
    """
    catalogue = build_catalogue(records, version)
    content = content or build_content(catalogue.records)
    if trained is not None:
        return join_models(catalogue, content, trained)
    likes: list[Mapping[int, float]] = [read_signals(taste, catalogue, now_s).weights for taste in tastes]
    return join_models(catalogue, content, build_neighbours(likes, len(catalogue)))


class KeepModels:
    """`models` is always whole; it is empty before the first load."""

    def __init__(self, titles: TitleStore, tastes: TasteStore, clock: Clock) -> None:
        self.models = build_models((), (), 0, 0.0)
        self._titles = titles
        self._tastes = tastes
        self._clock = clock
        self._records: dict[str, TitleRecord] = {}
        self._playable: set[str] = set()
        self._trained: TrainedModels | None = None
        self._content: Content | None = None
        self._changed = asyncio.Event()
        self._learning: asyncio.TimerHandle | None = None

    async def load(self) -> None:
        """Read what is kept and build the first models; for a large catalogue, learning follows in the background."""
        records = await self._titles.load()
        self._records = {record.id: record for record in records}
        self._playable = {record.id for record in records if record.is_playable}
        if len(records) <= LEARNED_AT_START:
            await self.rebuild()
        else:
            self.models = build_first_models(records, 1)
            self._changed.set()

    def change(self, records: Sequence[TitleRecord]) -> None:
        """Insert or replace titles."""
        for record in records:
            self._records[record.id] = record
        self._content = None
        self._changed.set()

    def use(self, trained: TrainedModels) -> None:
        """Serve with these from the next rebuild on, a moment later."""
        self._trained = trained
        self._changed.set()

    def withdraw(self, title_ids: Sequence[str]) -> None:
        """The titles are there for nobody any more."""
        self.change([self._records[title_id].withdrawn() for title_id in title_ids if title_id in self._records])

    def is_playable(self, title_id: str) -> bool:
        """Whether a film was published for the title."""
        return title_id in self._playable

    def learn(self) -> None:
        """There is new watching to learn from, while nothing is trained.

        Tastes themselves need no rebuild, only what all have in common.
        """
        if self._learning is None and self._trained is None:
            self._learning = asyncio.get_running_loop().call_later(LEARN_AFTER_S, self._learn_now)

    def _learn_now(self) -> None:
        self._learning = None
        self._changed.set()

    def mark_playable(self, title_id: str) -> TitleRecord | None:
        """A film was published; the record as it was, None when the title is not known yet."""
        self._playable.add(title_id)
        return self._records.get(title_id)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Rebuilding as a background task that ends with the block."""
        async with background(self._run(), "models"):
            try:
                yield
            finally:
                if self._learning is not None:
                    self._learning.cancel()

    async def rebuild(self) -> None:
        """Build from the records and tastes as they are now, and swap."""
        started = time.monotonic()
        trained = self._trained
        tastes = await self._read_tastes() if trained is None else []
        version = self.models.catalogue.version + 1
        # Both as they are now: what changes from here on makes the content stale again.
        records, content = tuple(self._records.values()), self._content
        now_s = self._clock.now().timestamp()
        self._content = None
        models = await asyncio.to_thread(
            build_models, records, tastes, version, now_s, trained=trained, content=content
        )
        self.models = models
        if records == tuple(self._records.values()):
            self._content = models.content
        log.info(
            "models.rebuilt",
            titles=len(records),
            profiles=len(tastes),
            version=version,
            took_ms=round((time.monotonic() - started) * 1000),
        )

    async def _read_tastes(self) -> list[Taste]:
        tastes: list[Taste] = []
        try:
            async for taste in self._tastes.all_tastes():
                tastes.append(taste)
                if len(tastes) >= LEARNED_PROFILES:
                    break
        except ServiceError as error:
            # Titles alone make good pages; the tastes are there again with the next change.
            log.warning("models.tastes_unread", error=error.message)
        return tastes

    async def _settle(self) -> None:
        """Until nothing has changed for a moment, or for long enough."""
        for _ in range(MAX_SETTLES):
            self._changed.clear()
            await asyncio.sleep(SETTLE_S)
            if not self._changed.is_set():
                return

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            await self._settle()
            started = time.monotonic()
            try:
                await self.rebuild()
            except Exception:  # the task's edge: the models in use stay, the next change tries again
                log.exception("models.rebuild_failed")
            await asyncio.sleep((time.monotonic() - started) * REST_RATIO)
