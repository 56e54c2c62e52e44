"""StreamLeases on Valkey: who streams now, decided atomically by scripts with the server's clock.

Per account one sorted set of devices by expiry and one hash of the session that each device runs; both keys share a
hash tag, so that they lie on one node of a cluster. One device has one slot: a new session takes it over from the old
one. A lease without heartbeats ends by itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import AccountId, SessionId
from subgraphs.playback.adapters.group_commit import GroupCommit
from subgraphs.playback.ports import LeaseAnswer

__all__ = ["ValkeyStreamLeases", "lease_keys"]

UNCOUNTED = "streams can't be counted at the moment; try again"

_PROLOGUE = """
local leases, sessions = KEYS[1], KEYS[2]
local device, session = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local expired = redis.call('ZRANGEBYSCORE', leases, '-inf', now)
for _, gone in ipairs(expired) do
  redis.call('ZREM', leases, gone)
  redis.call('HDEL', sessions, gone)
end
local function grant(life)
  redis.call('ZADD', leases, now + life, device)
  redis.call('HSET', sessions, device, session)
  redis.call('PEXPIRE', leases, life)
  redis.call('PEXPIRE', sessions, life)
end
"""

_ACQUIRE = (
    _PROLOGUE
    + """
local life, limit = tonumber(ARGV[3]), tonumber(ARGV[4])
if redis.call('HEXISTS', sessions, device) == 0 and redis.call('ZCARD', leases) >= limit then
  local first = redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')
  return {0, first[2] - now}
end
grant(life)
return {1, 0}
"""
)

_RENEW = (
    _PROLOGUE
    + """
local life, limit = tonumber(ARGV[3]), tonumber(ARGV[4])
local holder = redis.call('HGET', sessions, device)
if holder and holder ~= session then
  return 0
end
if not holder and redis.call('ZCARD', leases) >= limit then
  return 0
end
grant(life)
return 1
"""
)

_RELEASE = (
    _PROLOGUE
    + """
if redis.call('HGET', sessions, device) == session then
  redis.call('ZREM', leases, device)
  redis.call('HDEL', sessions, device)
  return 1
end
return 0
"""
)


def lease_keys(account_id: AccountId) -> tuple[str, str]:
    """The sorted set and the hash of an account."""
    return f"marquee:leases:{{{account_id}}}", f"marquee:lease-sessions:{{{account_id}}}"


@dataclass(frozen=True, slots=True)
class _Renewal:
    account_id: AccountId
    device_id: str
    session_id: SessionId
    limit: int


class ValkeyStreamLeases:
    """Use inside `running()`; `life` is how long a lease lasts without a heartbeat.

    Every failure is a ServiceError UNAVAILABLE.
    """

    def __init__(self, redis: Redis, life: timedelta) -> None:
        self._life_ms = int(life / timedelta(milliseconds=1))
        self._acquire = redis.register_script(_ACQUIRE)
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)
        self._redis = redis
        self._renewals: GroupCommit[_Renewal, bool] = GroupCommit(self._renew_all)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The renewer's life: renewals asked for while a round trip is under way share the next one."""
        async with self._renewals.running():
            yield

    async def acquire(self, account_id: AccountId, device_id: str, session_id: SessionId, limit: int) -> LeaseAnswer:
        """A slot for a session; a device that holds one already gives it to its new session."""
        granted, wait_ms = await self._run(self._acquire, account_id, device_id, session_id, self._life_ms, limit)
        return LeaseAnswer(granted=bool(granted), retry_after_s=-(-int(wait_ms) // 1000))

    async def renew(self, account_id: AccountId, device_id: str, session_id: SessionId, limit: int) -> bool:
        """Keep the slot, or take a free one when it had expired; False when the player must stop."""
        return await self._renewals.submit(_Renewal(account_id, device_id, session_id, limit))

    async def release(self, account_id: AccountId, device_id: str, session_id: SessionId) -> None:
        """Give the slot back, unless a newer session of the device has it."""
        await self._run(self._release, account_id, device_id, session_id)

    async def _renew_all(self, renewals: Sequence[_Renewal]) -> list[bool]:
        pipeline = self._redis.pipeline(transaction=False)
        try:
            for renewal in renewals:
                arguments: list[str | int] = [renewal.device_id, renewal.session_id, self._life_ms, renewal.limit]
                await self._renew(keys=list(lease_keys(renewal.account_id)), args=arguments, client=pipeline)
            return [bool(kept) for kept in await pipeline.execute()]
        except (RedisError, OSError) as error:
            raise ServiceError(ErrorKind.UNAVAILABLE, UNCOUNTED) from error

    async def _run(self, script: Any, account_id: AccountId, *arguments: str | int) -> Any:
        try:
            return await cast("Awaitable[Any]", script(keys=list(lease_keys(account_id)), args=list(arguments)))
        except (RedisError, OSError) as error:
            raise ServiceError(ErrorKind.UNAVAILABLE, UNCOUNTED) from error
