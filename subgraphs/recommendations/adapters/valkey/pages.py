"""PageSnapshots on Valkey: finished pages by revision, gone when they expire."""

from __future__ import annotations

from datetime import datetime

import msgspec
from redis.asyncio import Redis

from common.clock import Clock
from subgraphs.recommendations.adapters.valkey.failures import translated_errors
from subgraphs.recommendations.domain.page import Page

__all__ = ["ValkeyPageSnapshots"]


class ValkeyPageSnapshots:
    """One JSON value per revision."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock

    async def put(self, page: Page) -> None:
        """Keep until the page expires."""
        life_ms = _milliseconds(page.expires_at, self._clock.now())
        if life_ms > 0:
            with translated_errors("pages"):
                await self._redis.set(_key(page.revision), msgspec.json.encode(page), px=life_ms)

    async def get(self, revision: str) -> Page | None:
        """The page; None when it has expired or never was."""
        with translated_errors("pages"):
            value = await self._redis.get(_key(revision))
        try:
            return None if value is None else msgspec.json.decode(value, type=Page)
        except msgspec.ValidationError:
            # Kept by another version of this program: its clients load the page again.
            return None


def _milliseconds(end: datetime, start: datetime) -> int:
    return int((end - start).total_seconds() * 1000)


def _key(revision: str) -> str:
    return f"marquee:page:{revision}"
