"""Taking an account's events out of the streams: topics, dead letters and what groups have pending."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
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

_REWRITE = """
local old, new = KEYS[1], KEYS[2]
local function map(flat)
  local read = {}
  for index = 1, #flat, 2 do read[flat[index]] = flat[index + 1] end
  return read
end
if redis.call('EXISTS', old) == 0 then return 0 end
redis.call('DEL', new)
local stream = map(redis.call('XINFO', 'STREAM', old))
local start = '-'
while true do
  local entries = redis.call('XRANGE', old, start, '+', 'COUNT', 1000)
  if #entries == 0 then break end
  for _, entry in ipairs(entries) do
    redis.call('XADD', new, entry[1], unpack(entry[2]))
    start = '(' .. entry[1]
  end
end
local groups = redis.call('XINFO', 'GROUPS', old)
if redis.call('EXISTS', new) == 0 then
  redis.call('XGROUP', 'CREATE', new, '-', '0', 'MKSTREAM')
  redis.call('XGROUP', 'DESTROY', new, '-')
end
redis.call('XSETID', new, stream['last-generated-id'], 'ENTRIESADDED', stream['entries-added'],
  'MAXDELETEDID', stream['max-deleted-entry-id'])
for _, flat in ipairs(groups) do
  local group = map(flat)
  local create = {'XGROUP', 'CREATE', new, group['name'], group['last-delivered-id']}
  if group['entries-read'] then
    create[#create + 1] = 'ENTRIESREAD'
    create[#create + 1] = group['entries-read']
  end
  redis.call(unpack(create))
  local first = '-'
  while group['pending'] > 0 do
    local pending = redis.call('XPENDING', old, group['name'], first, '+', 1000)
    if #pending == 0 then break end
    for _, row in ipairs(pending) do
      redis.call('XCLAIM', new, group['name'], row[2], 0, row[1],
        'IDLE', row[3], 'RETRYCOUNT', row[4], 'FORCE', 'JUSTID')
      first = '(' .. row[1]
    end
  end
end
redis.call('RENAME', new, old)
return 1
"""
"""A stream with the same entries, groups and pending entries, in new blocks. It runs at once: the server does nothing
else for about a second per 100,000 entries, which is the most that a topic holds."""


class EventErasure:
    """Finds entries by the ids that their fields hold; the topics' other entries stay as they are."""

    def __init__(self, redis: Redis, topics: Sequence[str] = PERSONAL_TOPICS) -> None:
        self._redis: Any = redis
        self._topics = topics
        self._rewrite = redis.register_script(_REWRITE)

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
        """Write the streams anew, and have the server write its file anew.

        A deleted entry's bytes stay in its stream's blocks, and an append-only file tells of all that ever was.
        Returns when it is written; nothing of a file for a server that keeps none, or lets nobody ask for that. Raises
        TimeoutError when it takes longer than SCRUB_TIMEOUT_S.
        """
        for key in await self._streams():
            await self._rewrite(keys=[key, f"{{{key}}}:rewritten"])
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
        keys = [key for topic in self._topics for key in (stream_key(topic), dead_letter_key(topic))]
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
