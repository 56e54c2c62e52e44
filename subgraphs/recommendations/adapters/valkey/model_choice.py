"""ModelChoice on Valkey: a list of the versions that were in use, the present one first, and a lease.

A pointer is swapped by one command on one server: every process sees either the old version or the new. Where Valkey
has lost it, the newest version that may serve is in use (services/follow_training.py).
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

from redis.asyncio import Redis

from subgraphs.recommendations.adapters.valkey.failures import translated_errors
from subgraphs.recommendations.domain.model_versions import Choice

__all__ = ["ValkeyModelChoice"]

USES_KEY = "marquee:models:uses"
PINNED_KEY = "marquee:models:pinned"
LEASE_KEY = "marquee:models:lease"
REMEMBERED_USES = 20

_CHOOSE = """
if redis.call('LINDEX', KEYS[1], 0) ~= ARGV[1] then
  redis.call('LPUSH', KEYS[1], ARGV[1])
  redis.call('LTRIM', KEYS[1], 0, ARGV[3])
end
if ARGV[2] == '1' then
  redis.call('SET', KEYS[2], 1)
else
  redis.call('DEL', KEYS[2])
end
return 1
"""
_GO_BACK = """
if redis.call('LLEN', KEYS[1]) < 2 then
  return false
end
redis.call('LPOP', KEYS[1])
redis.call('SET', KEYS[2], 1)
return redis.call('LINDEX', KEYS[1], 0)
"""
_TAKE_LEASE = """
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


class ValkeyModelChoice:
    """Keeps nothing in memory."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._choose = redis.register_script(_CHOOSE)
        self._go_back = redis.register_script(_GO_BACK)
        self._take = redis.register_script(_TAKE_LEASE)
        self._give_back = redis.register_script(_GIVE_BACK)

    async def choice(self) -> Choice:
        """What is in use now."""
        with translated_errors("models"):
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.lindex(USES_KEY, 0)
                pipeline.exists(PINNED_KEY)
                version_id, is_pinned = await pipeline.execute()
        return Choice(None if version_id is None else version_id.decode(), bool(is_pinned))

    async def choose(self, version_id: str, *, is_pinned: bool) -> None:
        """Use a version from now on, everywhere, at once."""
        arguments: list[str | int] = [version_id, int(is_pinned), REMEMBERED_USES - 1]
        with translated_errors("models"):
            await cast("Awaitable[int]", self._choose(keys=[USES_KEY, PINNED_KEY], args=arguments))

    async def go_back(self) -> str | None:
        """Use the version that was in use before, and pin it; None when there is none, and nothing changes."""
        with translated_errors("models"):
            found = await cast("Awaitable[bytes | None]", self._go_back(keys=[USES_KEY, PINNED_KEY]))
        return None if found is None else found.decode()

    async def take_lease(self, owner: str, life_s: float) -> bool:
        """Become the one that trains, for `life_s`, or stay so; False while another is."""
        with translated_errors("models"):
            taken = await cast("Awaitable[int]", self._take(keys=[LEASE_KEY], args=[owner, int(life_s * 1000)]))
        return bool(taken)

    async def give_back_lease(self, owner: str) -> None:
        """Let others train; nothing happens when the lease is another's."""
        with translated_errors("models"):
            await cast("Awaitable[int]", self._give_back(keys=[LEASE_KEY], args=[owner]))
