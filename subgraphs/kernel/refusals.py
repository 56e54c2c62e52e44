"""Which accounts refused a use of their data, in Valkey or Redis: the last word of each, as a service heard it.

Decisions are heard as events, at times twice and out of order, so that each keeps its instant, a permission as well as
a refusal. Calls raise redis.exceptions.RedisError or OSError when the server is away.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import Redis

__all__ = ["ValkeyRefusals"]

_REFUSED, _ALLOWED = "refused", "allowed"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# KEYS: the account's. ARGV: the word, its instant in microseconds. The value is "<word> <instant>".
_DECIDE = """
local known = redis.call('GET', KEYS[1])
local at = known and tonumber(string.match(known, ' (%d+)$'))
if at and at > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2])
return 1
"""


class ValkeyRefusals:
    """A key per account that ever decided, below `prefix`."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix
        self._decide = redis.register_script(_DECIDE)

    async def decide(self, account_id: str, *, is_refused: bool, at: datetime) -> None:
        """What was decided later than `at` stays."""
        word, micros = _REFUSED if is_refused else _ALLOWED, (at - _EPOCH) // _MICROSECOND
        await self._decide(keys=[self._prefix + account_id], args=[word, micros])

    async def forget(self, account_id: str) -> None:
        """There is no such account any more."""
        await self._redis.delete(self._prefix + account_id)

    async def is_refused(self, account_id: str) -> bool:
        """By the last word of the account; False when it never said any."""
        return bool(await self.refusing({account_id}))

    async def refusing(self, account_ids: AbstractSet[str]) -> set[str]:
        """Those of some accounts that refuse, in one round trip."""
        asked = sorted(account_ids)
        known: Any = await self._redis.mget([self._prefix + account_id for account_id in asked]) if asked else []
        return {
            account_id
            for account_id, word in zip(asked, known, strict=True)
            if word is not None and not word.startswith(_ALLOWED.encode())
        }
