"""ProfileTastes on Valkey or Redis: the last taste of each profile, or that its account refused, for a month."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from subgraphs.titles.domain.personal import ProfileTaste

__all__ = ["KEY_PREFIX", "ValkeyProfileTastes"]

KEY_PREFIX = "marquee:search-taste:"
LIFE = timedelta(days=30)
"""Of a profile that does nothing for so long nothing is known any more; its next watching tells it anew."""
GONE_FOR = timedelta(hours=2)
"""Longer than an event waits behind others: who deletes a profile tells that once, and nobody would tell it again."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# KEYS: the profile's. ARGV: when it was said in microseconds, the value with the same number in front, seconds to live,
# whether it is a decision. Tastes never take the place of a refusal.
_PUT = """
local known = redis.call('GET', KEYS[1])
local at = known and tonumber(string.match(known, '^{"at":(%d+)'))
if at and at > tonumber(ARGV[1]) then return 0 end
if known and ARGV[4] == '0' and string.find(known, '"refused":true', 1, true) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


class ValkeyProfileTastes:
    """See the ProfileTastes port."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._script = redis.register_script(_PUT)

    async def taste(self, profile_id: str) -> ProfileTaste | None:
        """See ProfileTastes."""
        try:
            raw: Any = await self._redis.get(KEY_PREFIX + profile_id)
        except (RedisError, OSError) as error:
            raise ConnectionError("tastes can't be read") from error
        value = None if raw is None else orjson.loads(raw)
        if value is None or "refused" in value:
            return None
        return ProfileTaste(value["genres"], value["people"], value["titles"])

    async def put(self, profile_id: str, taste: ProfileTaste, at: datetime) -> None:
        """See ProfileTastes."""
        value = {"genres": taste.genres, "people": taste.people, "titles": taste.titles}
        await self._put(profile_id, at, value, is_decision=False)

    async def decide(self, profile_id: str, at: datetime, *, is_refused: bool) -> None:
        """See ProfileTastes."""
        await self._put(profile_id, at, {"refused": is_refused}, is_decision=True)

    async def end(self, profile_id: str, at: datetime) -> None:
        """See ProfileTastes."""
        mark = orjson.dumps({"at": (at - _EPOCH) // _MICROSECOND, "refused": True})
        try:
            await self._redis.set(KEY_PREFIX + profile_id, mark, ex=GONE_FOR)
        except (RedisError, OSError) as error:
            raise ConnectionError("tastes can't be erased") from error

    async def forget(self, profile_id: str) -> None:
        """See ProfileTastes."""
        try:
            await self._redis.delete(KEY_PREFIX + profile_id)
        except (RedisError, OSError) as error:
            raise ConnectionError("tastes can't be erased") from error

    async def _put(self, profile_id: str, at: datetime, value: Mapping[str, Any], *, is_decision: bool) -> None:
        micros = (at - _EPOCH) // _MICROSECOND
        encoded = orjson.dumps({"at": micros, **value})
        try:
            args: list[bytes | int] = [micros, encoded, int(LIFE.total_seconds()), int(is_decision)]
            await self._script(keys=[KEY_PREFIX + profile_id], args=args)
        except (RedisError, OSError) as error:
            raise ConnectionError("tastes can't be kept") from error
