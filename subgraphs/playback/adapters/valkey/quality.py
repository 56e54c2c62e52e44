"""QualityReports as events: gathered in memory and published some at a time.

How well playing goes is worth little one report at a time: nobody waits for them, at most MAX_WAITING are kept, and
when the stream is away the oldest are dropped. Positions, which must not be lost, never come this way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from redis.exceptions import RedisError

from common.background import background
from common.events import EventPublisher
from subgraphs.playback.domain.events import MAX_QUALITY_REPORTS, quality_event
from subgraphs.playback.domain.sessions import QualityReport

__all__ = ["PublishedQualityReports"]

log = structlog.get_logger(__name__)

MAX_WAITING = 5_000
PUBLISH_EVERY_S = 1.0


class PublishedQualityReports:
    """Use inside `running()`."""

    def __init__(self, publisher: EventPublisher) -> None:
        self._publisher = publisher
        self._waiting: deque[QualityReport] = deque(maxlen=MAX_WAITING)

    def add(self, report: QualityReport) -> None:
        """Keep a report for the next event."""
        self._waiting.append(report)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The publisher as a background task that ends with the block."""
        async with background(self._run(), "quality-reports"):
            yield

    async def publish_waiting(self) -> int:
        """Publish what waits; how many reports. Raises RedisError when the stream is away."""
        count = 0
        while self._waiting:
            reports = [self._waiting.popleft() for _ in range(min(MAX_QUALITY_REPORTS, len(self._waiting)))]
            await self._publisher.publish(quality_event(reports))
            count += len(reports)
        return count

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(PUBLISH_EVERY_S)
            try:
                await self.publish_waiting()
            except (RedisError, OSError) as error:
                log.warning("quality.not_published", error=str(error), waiting=len(self._waiting))
