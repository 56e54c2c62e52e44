"""Knows what titles are about by what was learned last, and has it learned when the catalogue has outgrown that.

Learning reads the whole catalogue for seconds: a process of its own does it, and never takes time from requests.
Which content is the last one is looked up every LOOK_S; titles that came since are placed in it (keep_models.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from common.background import background
from common.clock import Clock
from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.readiness import StillPreparing
from subgraphs.recommendations.models.archive import ModelUnreadable
from subgraphs.recommendations.models.content_record import read_content
from subgraphs.recommendations.ports import ContentStore, ModelChoice
from subgraphs.recommendations.services.keep_models import KeepModels

__all__ = ["FollowContent"]

log = structlog.get_logger(__name__)

LOOK_S = 1.0
LEARN_AGAIN_AFTER = timedelta(minutes=1)
"""While an import goes on, and after a learning that failed."""


class FollowContent:
    """`learn` has it learned elsewhere and returns when that is done; what was learned is then the chosen one."""

    def __init__(
        self,
        models: KeepModels,
        store: ContentStore,
        choice: ModelChoice,
        learn: Callable[[], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._models = models
        self._store = store
        self._choice = choice
        self._learn = learn
        self._clock = clock
        self._not_before = clock.now()
        self._seen: str | None = None

    async def load(self) -> None:
        """The content to begin with: the chosen one or, where no choice is known, the newest."""
        try:
            content_id = (await self._choice.choice()).content_id or await self._store.newest()
        except ServiceError as error:
            log.warning("content.choice_unread", error=error.message)
            return
        if content_id is not None:
            await self._load(content_id)

    async def check(self) -> None:
        """A health check: raises StillPreparing while a catalogue that needs it has nothing learned of it."""
        if self._models.needs_content:
            raise StillPreparing("learning what titles are about")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Following, and having it learned, as background tasks that end with the block."""
        # Two tasks: what others learn meanwhile is not waited for.
        async with (
            background(self._run(self.look), "content"),
            background(self._run(self.learn_when_needed), "learning"),
        ):
            yield

    async def look(self) -> None:
        """Load the chosen content when it is not the one that was seen last; failures are logged."""
        try:
            content_id = (await self._choice.choice()).content_id
        except ServiceError as error:
            log.warning("content.choice_unread", error=error.message)
            return
        if content_id is not None and content_id != self._seen:
            await self._load(content_id)

    async def learn_when_needed(self) -> bool:
        """Have it learned when the catalogue needs it; whether it was tried."""
        now = self._clock.now()
        if not self._models.needs_content or now < self._not_before:
            return False
        self._not_before = now + LEARN_AGAIN_AFTER
        await self._learn()
        return True

    async def _load(self, content_id: str) -> None:
        try:
            stored = await asyncio.to_thread(read_content, await self._store.read(content_id))
            self._models.use_content(stored)
            log.info("content.loaded", content=content_id, titles=len(stored.title_ids))
        except ModelUnreadable as error:
            log.exception("content.unreadable", content=content_id, error=str(error))
        except ServiceError as error:
            log.warning("content.unread", content=content_id, error=error.message)
            if error.kind is ErrorKind.UNAVAILABLE:
                # Its store may be there again in a second.
                return
        self._seen = content_id

    async def _run(self, step: Callable[[], Awaitable[object]]) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await step()
            except Exception:  # the task's edge: the next turn tries again
                log.exception("content.failed")
