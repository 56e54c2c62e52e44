"""TasteStore on Valkey: one hash per profile.

Fields: `w:<title>` a place, `o:<aspect>:<title>` an opinion, `m:<mark>:<title>` whether it was taken out of the
history or of continue watching, `s:<title>` that it was opened from a search, `k` what it picked when it was new, `c`
the country, `p` whether personalisation is allowed, `a` whether what it does may be counted, each as JSON [at, value];
`v` the version. A field is replaced only by one that is not older, so that events may come late, twice or out of
order; each change raises the version, by which readers know that what they hold in memory is still right. Of a deleted
profile only `gone` stays for GONE_FOR_S, and nothing is written beside it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import orjson
from redis.asyncio import Redis

from subgraphs.recommendations.adapters.valkey.failures import translated_errors
from subgraphs.recommendations.domain.taste import Feedback, HistoryMark, Opinion, Taste, Watched

__all__ = ["ValkeyTasteStore"]

KEY_PREFIX = "marquee:taste:"
MAX_FIELDS = 4_000
"""Per profile: two thousand titles and as many opinions; what comes beyond is not learned from."""
TASTES_IN_MEMORY = 2_000
READ_AT_ONCE = 200
"""Tastes per request of a reader of all: a few megabytes."""

GONE_FOR_S = 2 * 3600
"""Longer than any access token lives, or an event waits behind others: what a device says meanwhile for a profile that
was deleted would stay for good, as nobody would ever delete it again."""

_WRITE = """
if redis.call('HEXISTS', KEYS[1], 'gone') == 1 then
  return 0
end
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and cjson.decode(known)[1] > tonumber(ARGV[2]) then
  return 0
end
if not known and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  return 0
end
if known == ARGV[3] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('HINCRBY', KEYS[1], 'v', 1)
return 1
"""


_END = """
local version = tonumber(redis.call('HGET', KEYS[1], 'v') or 0)
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'v', version + 1, 'gone', 1)
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""


class ValkeyTasteStore:
    """Keeps the tastes read last in memory; one small read per look-up says whether they are still right."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._write = redis.register_script(_WRITE)
        self._end = redis.register_script(_END)
        self._in_memory: OrderedDict[str, Taste] = OrderedDict()

    async def taste(self, profile_id: str) -> Taste:
        """What is known of a profile; empty for an unknown one."""
        key = KEY_PREFIX + profile_id
        with translated_errors("tastes"):
            known = self._in_memory.get(profile_id)
            if known is not None:
                version = int(await cast("Awaitable[bytes | None]", self._redis.hget(key, "v")) or 0)
                if known.version == version:
                    if profile_id in self._in_memory:
                        self._in_memory.move_to_end(profile_id)
                    return known
            fields = await cast("Awaitable[dict[bytes, bytes]]", self._redis.hgetall(key))
        taste = _read(fields)
        if taste.version == 0:
            return Taste()
        self._in_memory[profile_id] = taste
        if len(self._in_memory) > TASTES_IN_MEMORY:
            self._in_memory.popitem(last=False)
        return taste

    async def watched(self, profile_id: str, title_id: str, watched: Watched) -> None:
        """The profile's place in a title."""
        value = [watched.position_s, watched.duration_s, watched.completed, watched.ever_completed]
        await self._put(profile_id, f"w:{title_id}", watched.at_s, value)

    async def marked(
        self, profile_id: str, title_ids: Sequence[str], mark: HistoryMark, at: datetime, *, is_set: bool
    ) -> None:
        """Taken out of the history or of continue watching, or put back; watching later ends it."""
        for title_id in title_ids:
            await self._put(profile_id, f"m:{mark.value}:{title_id}", at.timestamp(), is_set)

    async def rated(self, profile_id: str, title_id: str, stars: int | None, at: datetime) -> None:
        """Stars 1 to 5; None clears."""
        await self._put(profile_id, f"o:stars:{title_id}", at.timestamp(), stars)

    async def listed(self, profile_id: str, title_id: str, at: datetime, *, in_list: bool) -> None:
        """On or off the profile's list."""
        await self._put(profile_id, f"o:list:{title_id}", at.timestamp(), in_list)

    async def fed_back(self, profile_id: str, title_id: str, feedback: Feedback | None, at: datetime) -> None:
        """A thumb, or not interested; None clears."""
        await self._put(profile_id, f"o:thumb:{title_id}", at.timestamp(), None if feedback is None else feedback.value)

    async def picked(self, profile_id: str, title_ids: Sequence[str], at: datetime) -> None:
        """What the profile named when it was asked, in place of what it named before; none is an answer too."""
        await self._put(profile_id, "k", at.timestamp(), list(title_ids))

    async def sought(self, profile_id: str, title_id: str, at: datetime) -> None:
        """The profile opened the title from a search."""
        await self._put(profile_id, f"s:{title_id}", at.timestamp(), value=True)

    async def allow(self, profile_id: str, at: datetime, *, is_personal: bool) -> None:
        """Whether the profile's account allows personalisation."""
        await self._put(profile_id, "p", at.timestamp(), is_personal)

    async def measure(self, profile_id: str, at: datetime, *, is_measured: bool) -> None:
        """Whether the profile's account agreed that what it does is counted."""
        await self._put(profile_id, "a", at.timestamp(), is_measured)

    async def locate(self, profile_id: str, country: str, at: datetime) -> None:
        """The profile's country, for counting views."""
        await self._put(profile_id, "c", at.timestamp(), country)

    async def erase(self, profile_id: str) -> None:
        """Forget a profile."""
        self._in_memory.pop(profile_id, None)
        with translated_errors("tastes"):
            await self._redis.delete(KEY_PREFIX + profile_id)

    async def end(self, profile_id: str) -> None:
        """See TasteStore."""
        self._in_memory.pop(profile_id, None)
        with translated_errors("tastes"):
            await cast("Awaitable[int]", self._end(keys=[KEY_PREFIX + profile_id], args=[GONE_FOR_S]))

    async def all_tastes(self) -> AsyncIterator[Taste]:
        """Every profile's taste, for learning; a profile that changes meanwhile may come twice."""
        with translated_errors("tastes"):
            keys: list[bytes] = []
            async for key in self._redis.scan_iter(match=f"{KEY_PREFIX}*", count=READ_AT_ONCE):
                keys.append(key)
                if len(keys) == READ_AT_ONCE:
                    for taste in await self._read_all(keys):
                        yield taste
                    keys = []
            for taste in await self._read_all(keys):
                yield taste

    async def _read_all(self, keys: Sequence[bytes]) -> list[Taste]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.hgetall(key)
            return [_read(fields) for fields in await pipeline.execute()]

    async def _put(self, profile_id: str, field: str, at_s: float, value: object) -> None:
        with translated_errors("tastes"):
            await cast(
                "Awaitable[int]",
                self._write(
                    keys=[KEY_PREFIX + profile_id], args=[field, at_s, orjson.dumps([at_s, value]), MAX_FIELDS]
                ),
            )


def _read(fields: Mapping[bytes, bytes]) -> Taste:
    watched: dict[str, Watched] = {}
    opinions: dict[str, dict[str, Any]] = {}
    marked_at_s: dict[HistoryMark, dict[str, float]] = {mark: {} for mark in HistoryMark}
    version, country, is_personal, is_measured = 0, None, True, False
    picks: tuple[str, ...] = ()
    picked_at_s: float | None = None
    sought: dict[str, float] = {}
    for name, raw in fields.items():
        field = name.decode()
        if field == "v":
            version = int(raw)
            continue
        if field == "gone":
            is_personal = False
            continue
        at_s, value = orjson.loads(raw)
        if field == "c":
            country = value
        elif field == "p":
            is_personal = value
        elif field == "a":
            is_measured = value
        elif field == "k":
            picks, picked_at_s = tuple(value), at_s
        elif field.startswith("w:"):
            position_s, duration_s, completed, ever_completed = value
            watched[field[2:]] = Watched(position_s, duration_s, completed, ever_completed, at_s)
        elif field.startswith("s:"):
            sought[field[2:]] = at_s
        elif field.startswith("m:"):
            _, mark, title_id = field.split(":", 2)
            if value:
                marked_at_s[HistoryMark(mark)][title_id] = at_s
        else:
            _, aspect, title_id = field.split(":", 2)
            _add_opinion(opinions.setdefault(title_id, {}), aspect, value, at_s)
    hidden, dismissed = (
        {title_id for title_id, at_s in titles.items() if title_id in watched and watched[title_id].at_s <= at_s}
        for titles in marked_at_s.values()
    )
    return Taste(
        version=version,
        watched={title_id: each for title_id, each in watched.items() if title_id not in hidden},
        opinions={title_id: Opinion(**said) for title_id, said in opinions.items()},
        dismissed=frozenset(dismissed),
        country=country,
        is_personal=is_personal,
        is_measured=is_measured,
        picks=picks,
        picked_at_s=picked_at_s,
        sought=sought,
    )


def _add_opinion(said: dict[str, Any], aspect: str, value: Any, at_s: float) -> None:
    if aspect == "stars":
        said["stars"] = value
    elif aspect == "thumb":
        said["feedback"] = None if value is None else Feedback(value)
    elif value:
        said["listed_at_s"] = at_s
