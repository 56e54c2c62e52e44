"""A lease on Valkey: one of several processes does what must not be done twice at once."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

from redis.asyncio import Redis

from subgraphs.recommendations.adapters.valkey.failures import translated_errors

__all__ = ["ValkeyLease"]

_TAKE = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_GIVE_BACK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return 1
"""


class ValkeyLease:
    """`what` names in errors what it is for, a plural noun."""

    def __init__(self, redis: Redis, key: str, what: str) -> None:
        self._key = key
        self._what = what
        self._take = redis.register_script(_TAKE)
        self._give_back = redis.register_script(_GIVE_BACK)

    async def take(self, owner: str, life_s: float) -> bool:
        """Get it for `life_s`, or keep it for so long from now on; False while it is another's."""
        with translated_errors(self._what):
            taken = await cast("Awaitable[int]", self._take(keys=[self._key], args=[owner, int(life_s * 1000)]))
        return bool(taken)

    async def give_back(self, owner: str) -> None:
        """Let others have it; nothing happens when it is another's."""
        with translated_errors(self._what):
            await cast("Awaitable[int]", self._give_back(keys=[self._key], args=[owner]))
