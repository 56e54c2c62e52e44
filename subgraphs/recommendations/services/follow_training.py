"""Serves with the version that is chosen, and has new ones trained when the last is old.

`FollowVersions` looks at the choice every LOOK_S, loads a version when it is another one, and hands it over whole; what
can't be loaded is logged once, and the models in use stay. `ScheduleTraining` starts a process of its own, so that
training never takes time from requests; many servers may do so, the lease lets one of them train.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Generic, TypeVar

import structlog

from common.background import background
from common.clock import Clock
from common.errors import ErrorKind, ServiceError
from subgraphs.recommendations.domain.model_versions import ModelVersion, VersionT, newest_fit
from subgraphs.recommendations.models.archive import ModelUnreadable
from subgraphs.recommendations.models.trained import TrainedModels, read_trained
from subgraphs.recommendations.ports import ModelChoice, ModelStore
from subgraphs.recommendations.ports_versions import VersionStore
from subgraphs.recommendations.services.keep_models import KeepModels

__all__ = ["FollowTraining", "FollowVersions", "ScheduleTraining"]

log = structlog.get_logger(__name__)

LoadedT = TypeVar("LoadedT")

LOOK_S = 1.0
"""One small read per process: a version that is chosen or taken back is in use a second later."""
DUE_CHECK_S = 60.0
"""Also the time that a server has for itself after its start."""
RETRY_AFTER = timedelta(minutes=10)
"""After a training that made no version: nobody to learn from yet, or another server's turn."""


class FollowVersions(Generic[VersionT, LoadedT]):
    """`read` makes of a version's bytes what `use` takes; it raises ModelUnreadable for what it can't read.

    `what` names the task in the log.
    """

    def __init__(
        self,
        store: VersionStore[VersionT],
        choice: ModelChoice,
        *,
        read: Callable[[bytes], LoadedT],
        use: Callable[[LoadedT], None],
        what: str,
    ) -> None:
        self._store = store
        self._choice = choice
        self._read = read
        self._use = use
        self._what = what
        self._seen: str | None = None

    async def load(self) -> None:
        """The version to begin with: the chosen one or, where no choice is known, the newest that may serve."""
        try:
            version_id = (await self._choice.choice()).version_id
            if version_id is None and (newest := newest_fit(await self._store.versions())) is not None:
                version_id = newest.id
        except ServiceError as error:
            log.warning("models.choice_unread", what=self._what, error=error.message)
            return
        if version_id is not None:
            await self._load(version_id)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Following as a background task that ends with the block."""
        async with background(self._run(), self._what):
            yield

    async def look(self) -> None:
        """Load the chosen version when it is not the one that was seen last; failures are logged."""
        try:
            version_id = (await self._choice.choice()).version_id
        except ServiceError as error:
            log.warning("models.choice_unread", what=self._what, error=error.message)
            return
        # No choice: its server lost it. What is in use was chosen once, and stays.
        if version_id is not None and version_id != self._seen:
            await self._load(version_id)

    async def _load(self, version_id: str) -> None:
        try:
            version = next((each for each in await self._store.versions() if each.id == version_id), None)
            if version is None:
                log.error("models.version_missing", what=self._what, version=version_id)
            else:
                self._use(await asyncio.to_thread(self._read, await self._store.read(version)))
                log.info("models.version_loaded", what=self._what, version=version_id)
        except ModelUnreadable as error:
            log.exception("models.version_unreadable", what=self._what, version=version_id, error=str(error))
        except ServiceError as error:
            log.warning("models.version_unread", what=self._what, version=version_id, error=error.message)
            if error.kind is ErrorKind.UNAVAILABLE:
                # Its store may be there again in a second; bytes that are gone or damaged stay so.
                return
        self._seen = version_id

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except Exception:  # the task's edge: the next turn tries again
                log.exception("models.follow_failed", what=self._what)


class FollowTraining(FollowVersions[ModelVersion, TrainedModels]):
    """Owns what is loaded; the models that serve are KeepModels'."""

    def __init__(self, models: KeepModels, store: ModelStore, choice: ModelChoice) -> None:
        super().__init__(store, choice, read=read_trained, use=models.use, what="trained models")


class ScheduleTraining(Generic[VersionT]):
    """`train` runs one training to its end, elsewhere; `every` is from one version to the next.

    `retry` is from a training that made no version to the next try.
    """

    def __init__(
        self,
        store: VersionStore[VersionT],
        train: Callable[[], Awaitable[None]],
        every: timedelta,
        clock: Clock,
        retry: timedelta = RETRY_AFTER,
    ) -> None:
        self._store = store
        self._train = train
        self._every = every
        self._retry = min(retry, every)
        self._clock = clock
        self._not_before = clock.now()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The schedule as a background task that ends with the block."""
        async with background(self._run(), "training"):
            yield

    async def train_when_due(self) -> bool:
        """Train when the newest version is older than `every`; whether it was tried."""
        now = self._clock.now()
        if now < self._not_before:
            return False
        try:
            newest: VersionT | None = next(iter(await self._store.versions()), None)
        except ServiceError as error:
            log.warning("training.versions_unread", error=error.message)
            return False
        if newest is not None and now < newest.made_at + self._every:
            return False
        # Before the work: a server that is stopped in the middle must not begin with it again and again.
        self._not_before = now + self._retry
        await self._train()
        return True

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(DUE_CHECK_S)
            try:
                await self.train_when_due()
            except Exception:  # the task's edge: the next turn tries again
                log.exception("training.failed")
