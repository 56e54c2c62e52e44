"""Keeps the catalogue and the models in memory, and rebuilds them in the background when something changed.

Events change the records at once and cheaply; the columns and the models over them follow a moment later, in a
thread, and are swapped as one. Many events in a row cost few rebuilds: each waits for a pause, and for as long again
as the last rebuild took.

A rebuild learns nothing that takes long: what titles are about is learned by a process of its own once there are many
(services/follow_training.py), and titles that are new since then are placed in what was learned.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import numpy as np
import structlog

from common.background import background
from common.clock import Clock
from common.errors import ServiceError
from subgraphs.recommendations.domain.catalogue import Catalogue, build_catalogue
from subgraphs.recommendations.domain.taste import Taste, read_signals
from subgraphs.recommendations.domain.titles import TitleRecord
from subgraphs.recommendations.models.blend import Models, join_models
from subgraphs.recommendations.models.content import Content, build_content, carry_over, no_content, words_of
from subgraphs.recommendations.models.content_record import StoredContent, take_over
from subgraphs.recommendations.models.neighbours import build_neighbours
from subgraphs.recommendations.models.trained import TrainedModels
from subgraphs.recommendations.ports import TasteStore, TitleStore

__all__ = ["KeepModels", "build_models"]

log = structlog.get_logger(__name__)

SETTLE_S = 0.2
"""A pause in the events before a rebuild: titles come in batches."""
LEARNED_HERE = 2_000
"""Titles up to which everything is learned here, and before the service is ready: about a tenth of a second."""
OUTGROWN_RATIO = 1.25
"""Titles, as a part of those that content was learned from, from which on it is learned again: placed titles lie well
among the others, but of their own words only those are known that others used before."""
LEARNED_PROFILES = 1_000
"""Read while nothing is trained: a service's first evening. More than that is what training is for."""
LEARN_AFTER_S = 15.0
"""New watching is learned from in batches, as each rebuild makes all pages anew."""
MAX_SETTLES = 25
"""While titles keep coming, a rebuild happens every five seconds, so that an import shows as it goes on."""
REST_RATIO = 2.0
"""Rest after a rebuild, as a part of its time: most of the time is left for requests while titles keep coming."""


def build_models(
    records: Sequence[TitleRecord],
    tastes: Sequence[Taste],
    version: int,
    now_s: float,
    *,
    trained: TrainedModels | None = None,
    content: Content | None = None,
    catalogue: Catalogue | None = None,
) -> Models:
    """The catalogue with everything learned about it.

    `tastes` are learned from only while nothing is trained. `catalogue` and `content` are those of the same records,
    where they are known; learning content takes seconds for tens of thousands of titles.
    """
    catalogue = catalogue or build_catalogue(records, version)
    content = content or build_content(catalogue.records)
    if trained is not None:
        return join_models(catalogue, content, trained)
    likes: list[Mapping[int, float]] = [read_signals(taste, catalogue, now_s).weights for taste in tastes]
    return join_models(catalogue, content, build_neighbours(likes, len(catalogue)))


class KeepModels:
    """`models` is always whole; it is empty before the first load. `settled` is called after each swap."""

    def __init__(
        self, titles: TitleStore, tastes: TasteStore, clock: Clock, settled: Callable[[], None] | None = None
    ) -> None:
        self._settled = settled
        self.models = build_models((), (), 0, 0.0)
        self._titles = titles
        self._tastes = tastes
        self._clock = clock
        self._records: dict[str, TitleRecord] = {}
        self._playable: set[str] = set()
        self._trained: TrainedModels | None = None
        self._stored: StoredContent | None = None
        self._changed = asyncio.Event()
        self._learning: asyncio.TimerHandle | None = None

    @property
    def needs_content(self) -> bool:
        """Whether there are too many titles to learn here what they are about, and it was learned of far fewer."""
        space = self.models.content.space
        return len(self._records) > max(LEARNED_HERE, OUTGROWN_RATIO * space.title_count) and self._stored is None

    async def load(self) -> None:
        """Read what is kept and build the first models; for a large catalogue, content follows when it is learned."""
        records = await self._titles.load()
        self._records = {record.id: record for record in records}
        self._playable = {record.id for record in records if record.is_playable}
        await self.rebuild()

    def change(self, records: Sequence[TitleRecord]) -> None:
        """Insert or replace titles."""
        news = [record for record in records if self._records.get(record.id) != record]
        if news:
            self._records.update((record.id, record) for record in news)
            self._changed.set()

    def use(self, trained: TrainedModels) -> None:
        """Serve with these from the next rebuild on, a moment later."""
        self._trained = trained
        self._changed.set()

    def use_content(self, stored: StoredContent) -> None:
        """Know by this what titles are about, from the next rebuild on; whatever is not in it is placed beside it."""
        self._stored = stored
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
        trained, stored = self._trained, self._stored
        tastes = await self._read_tastes() if trained is None else []
        records, now_s = tuple(self._records.values()), self._clock.now().timestamp()
        models = await asyncio.to_thread(
            _rebuild, records, tastes, self.models, now_s=now_s, trained=trained, stored=stored
        )
        replaced, self.models = self.models, models
        # Its scores know the models that know them: the collector would find hundreds of megabytes much later.
        replaced.forget_scores()
        if self._settled is not None:
            self._settled()
        if stored is self._stored:
            self._stored = None
        log.info(
            "models.rebuilt",
            titles=len(records),
            profiles=len(tastes),
            version=models.catalogue.version,
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


def _rebuild(
    records: Sequence[TitleRecord],
    tastes: Sequence[Taste],
    before: Models,
    *,
    now_s: float,
    trained: TrainedModels | None,
    stored: StoredContent | None,
) -> Models:
    catalogue = build_catalogue(records, before.catalogue.version + 1)
    content = take_over(stored, catalogue.records) if stored is not None else _content(catalogue, before)
    return build_models(
        records, tastes, catalogue.version, now_s, trained=trained, content=content, catalogue=catalogue
    )


def _content(catalogue: Catalogue, before: Models) -> Content:
    """As it was where titles are as they were; others are learned from where that is soon done, else placed."""
    places = np.fromiter((_place_before(record, before.catalogue) for record in catalogue.records), np.int32)
    is_known = before.content.space.title_count > 0
    has_changed = len(catalogue) != len(before.catalogue) or bool((places < 0).any())
    if len(catalogue) <= LEARNED_HERE and (has_changed or not is_known):
        return build_content(catalogue.records)
    return carry_over(before.content, places, catalogue.records) if is_known else no_content(len(catalogue))


def _place_before(record: TitleRecord, before: Catalogue) -> int:
    """Where a title stood whose words are still the same; -1 when it is new or says something else."""
    place = before.index_by_id.get(record.id, -1)
    if place < 0:
        return -1
    known = before.records[place]
    return place if known is record or words_of(known) == words_of(record) else -1
