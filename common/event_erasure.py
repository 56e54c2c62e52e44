"""Taking an account's events out of the streams: topics, dead letters and what groups have pending."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from common.event_catalogue import PERSONAL_TOPICS
from common.events import dead_letter_key, stream_key

__all__ = ["EventErasure"]

BATCH = 1_000
SCRUB_TIMEOUT_S = 60.0
SCRUB_POLL_S = 0.1
TELLING_KIND = b"account.erased"


class EventErasure:
    """Finds entries by the ids that their fields hold; the topics' other entries stay as they are."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    async def erase(self, ids: Collection[str], *, spare_unheard: bool = False) -> Mapping[str, int]:
        """Entries deleted, by stream ("stream:<key>").

        With `spare_unheard` those by which an erasure is told stay until every group has acknowledged them.
        """
        counts: dict[str, int] = {}
        for key in await self._streams():
            groups = await self._groups(key)
            counts[f"stream:{key}"] = 0
            async for entry_id, fields in self._found(key, ids):
                is_news = spare_unheard and fields.get(b"kind") == TELLING_KIND
                if is_news and not await self._is_heard(key, groups, entry_id):
                    continue
                for group in groups:
                    # A pending entry that is gone from its stream would be reported as lost.
                    await self._redis.xack(key, group, entry_id)
                counts[f"stream:{key}"] += await self._redis.xdel(key, entry_id)
        return counts

    async def count(self, ids: Collection[str]) -> Mapping[str, int]:
        """Entries that hold one of the ids, by stream, zeros included."""
        counts: dict[str, int] = {}
        for key in await self._streams():
            counts[f"stream:{key}"] = 0
            async for _ in self._found(key, ids):
                counts[f"stream:{key}"] += 1
        return counts

    async def scrub(self) -> None:
        """Have the server write its file anew: an append-only file still tells of all that was deleted since.

        Returns when it is written; nothing for a server that keeps no file, or lets nobody ask for that. Raises
        TimeoutError when it takes longer than SCRUB_TIMEOUT_S.
        """
        before: Any = await self._redis.info("persistence")
        is_log = bool(int(before.get("aof_enabled", 0)))
        try:
            # The snapshot, too, where there is one: with a log alone the server starts from the log.
            await (self._redis.bgrewriteaof() if is_log else self._redis.bgsave())
        except ResponseError as error:
            if "progress" not in str(error):
                return
        running = "aof_rewrite_in_progress" if is_log else "rdb_bgsave_in_progress"
        scheduled = "aof_rewrite_scheduled"
        async with asyncio.timeout(SCRUB_TIMEOUT_S):
            while True:
                now: Any = await self._redis.info("persistence")
                if not int(now.get(running, 0)) and not int(now.get(scheduled, 0)):
                    return
                await asyncio.sleep(SCRUB_POLL_S)

    async def _streams(self) -> list[str]:
        keys = [key for topic in PERSONAL_TOPICS for key in (stream_key(topic), dead_letter_key(topic))]
        return [key for key in keys if await self._redis.exists(key)]

    async def _groups(self, key: str) -> list[str]:
        return [_text(row["name"]) for row in await self._redis.xinfo_groups(key)]

    async def _found(self, key: str, ids: Collection[str]) -> AsyncIterator[tuple[str, Mapping[bytes, bytes]]]:
        wanted = [each.encode() for each in ids]
        start = "-"
        while rows := await self._redis.xrange(key, min=start, count=BATCH):
            for raw_id, fields in rows:
                if any(each in value for value in fields.values() for each in wanted):
                    yield _text(raw_id), fields
            start = f"({_text(rows[-1][0])}"

    async def _is_heard(self, key: str, groups: Collection[str], entry_id: str) -> bool:
        """Whether every group has read and acknowledged the entry."""
        for row in await self._redis.xinfo_groups(key):
            if _order(_text(row["last-delivered-id"])) < _order(entry_id):
                return False
        for group in groups:
            if await self._redis.xpending_range(key, group, entry_id, entry_id, 1):
                return False
        return True


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
