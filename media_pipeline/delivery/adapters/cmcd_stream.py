"""CMCD records in Valkey: one bounded stream per playback session, written behind the requests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.background import background

__all__ = ["CmcdStream"]

log = structlog.get_logger(__name__)

MAX_WAITING = 1000
MAX_BATCH = 100
KEPT_S = 24 * 3600
_SESSION_ID = re.compile(r"^[A-Za-z0-9_.:-]{1,64}$")


class CmcdStream:
    """The port on a Redis client. Records without a session id are of no use and dropped."""

    def __init__(self, redis: Redis, records_per_session: int) -> None:
        self._redis = redis
        self._records_per_session = records_per_session
        self._waiting: asyncio.Queue[Mapping[str, str]] = asyncio.Queue(MAX_WAITING)

    def offer(self, record: Mapping[str, str]) -> bool:
        """Take a record without waiting; false when there are too many."""
        if not _SESSION_ID.fullmatch(record.get("sid", "")):
            return True
        try:
            self._waiting.put_nowait(record)
        except asyncio.QueueFull:
            return False
        return True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write in the background while the block lasts; what waits at its end is written."""
        async with background(self._write_forever(), "cmcd"):
            yield
        while not self._waiting.empty() and await self._write(self._take()):
            pass

    async def _write_forever(self) -> None:
        while True:
            first = await self._waiting.get()
            await self._write([first, *self._take()])

    def _take(self) -> list[Mapping[str, str]]:
        taken: list[Mapping[str, str]] = []
        while len(taken) < MAX_BATCH and not self._waiting.empty():
            taken.append(self._waiting.get_nowait())
        return taken

    async def _write(self, records: list[Mapping[str, str]]) -> bool:
        """False when Valkey is away and the records are lost."""
        pipeline = self._redis.pipeline(transaction=False)
        for record in records:
            key = f"marquee:cmcd:{record['sid']}"
            fields: dict[Any, Any] = dict(record)
            pipeline.xadd(key, fields, maxlen=self._records_per_session, approximate=False)
            pipeline.expire(key, KEPT_S)
        try:
            await pipeline.execute()
        except (RedisError, OSError) as error:
            # Telemetry may be lost; it must never hold up media.
            log.warning("cmcd.lost", record_count=len(records), error=str(error))
            return False
        return True
