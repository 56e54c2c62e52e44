"""ModelChoice on Valkey: a list of the versions that were in use, the present one first, and a lease.

A pointer is swapped by one command on one server: every process sees either the old version or the new. Where Valkey
has lost it, the newest version that may serve is in use (services/follow_training.py).
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

from redis.asyncio import Redis

from subgraphs.recommendations.adapters.valkey.failures import translated_errors
from subgraphs.recommendations.adapters.valkey.lease import ValkeyLease
from subgraphs.recommendations.domain.model_versions import Choice

__all__ = ["ARTWORK_KEY_PREFIX", "ValkeyModelChoice"]

KEY_PREFIX = "marquee:models:"
ARTWORK_KEY_PREFIX = "marquee:artwork:"
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


class ValkeyModelChoice:
    """Keeps nothing in memory. `prefix`: of what is chosen, the models or the policies of artwork."""

    def __init__(self, redis: Redis, prefix: str = KEY_PREFIX) -> None:
        self._redis = redis
        self._uses_key, self._pinned_key = f"{prefix}uses", f"{prefix}pinned"
        self._content_key, self._lease = f"{prefix}content", ValkeyLease(redis, f"{prefix}lease", "models")
        self._choose = redis.register_script(_CHOOSE)
        self._go_back = redis.register_script(_GO_BACK)

    async def choice(self) -> Choice:
        """What is in use now."""
        with translated_errors("models"):
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.lindex(self._uses_key, 0)
                pipeline.exists(self._pinned_key)
                pipeline.get(self._content_key)
                version_id, is_pinned, content_id = await pipeline.execute()
        return Choice(_text(version_id), bool(is_pinned), _text(content_id))

    async def choose(self, version_id: str, *, is_pinned: bool) -> None:
        """Use a version from now on, everywhere, at once."""
        arguments: list[str | int] = [version_id, int(is_pinned), REMEMBERED_USES - 1]
        with translated_errors("models"):
            await cast("Awaitable[int]", self._choose(keys=[self._uses_key, self._pinned_key], args=arguments))

    async def choose_content(self, content_id: str) -> None:
        """Know by this content from now on what titles are about, everywhere."""
        with translated_errors("models"):
            await self._redis.set(self._content_key, content_id)

    async def go_back(self) -> str | None:
        """Use the version that was in use before, and pin it; None when there is none, and nothing changes."""
        with translated_errors("models"):
            found = await cast("Awaitable[bytes | None]", self._go_back(keys=[self._uses_key, self._pinned_key]))
        return _text(found)

    async def take_lease(self, owner: str, life_s: float) -> bool:
        """Become the one that trains, for `life_s`, or stay so; False while another is."""
        return await self._lease.take(owner, life_s)

    async def give_back_lease(self, owner: str) -> None:
        """Let others train; nothing happens when the lease is another's."""
        await self._lease.give_back(owner)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
