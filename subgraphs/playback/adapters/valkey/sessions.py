"""SessionStore on Valkey: one JSON value per session that ends with the session's playback token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import AccountId, SessionId
from subgraphs.playback.adapters.group_commit import GroupCommit
from subgraphs.playback.domain.sessions import PlaybackSession

__all__ = ["ValkeySessionStore"]


class ValkeySessionStore:
    """`life` is a playback token's. Raises ServiceError UNAVAILABLE when Valkey does not answer.

    Use inside `running()`: sessions asked for while a round trip is under way share the next one.
    """

    def __init__(self, redis: Redis, life: timedelta) -> None:
        self._redis = redis
        self._life = life
        self._reads: GroupCommit[SessionId, PlaybackSession | None] = GroupCommit(self._read)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The reader's life."""
        async with self._reads.running():
            yield

    async def put(self, session: PlaybackSession) -> None:
        """Insert or replace."""
        index = _account_key(session.account_id)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.set(_key(session.id), msgspec.json.encode(session), ex=self._life)
        pipeline.sadd(index, session.id)
        pipeline.expire(index, self._life)
        try:
            await pipeline.execute()
        except (RedisError, OSError) as error:
            raise ServiceError(ErrorKind.UNAVAILABLE, "sessions can't be kept at the moment; try again") from error

    async def get(self, session_id: SessionId) -> PlaybackSession | None:
        """The session; None when unknown or expired."""
        return await self._reads.submit(session_id)

    async def of_account(self, account_id: AccountId) -> list[PlaybackSession]:
        """All that have not expired, ended ones included; the index forgets the others."""
        index = _account_key(account_id)
        try:
            members = await self._redis.smembers(index)
            ids = sorted(SessionId(each.decode() if isinstance(each, bytes) else each) for each in members)
            found = await self._read(ids) if ids else []
            gone = [session_id for session_id, session in zip(ids, found, strict=True) if session is None]
            if gone:
                await self._redis.srem(index, *gone)
        except (RedisError, OSError) as error:
            raise ServiceError(ErrorKind.UNAVAILABLE, "sessions can't be read at the moment; try again") from error
        return [session for session in found if session is not None]

    async def _read(self, session_ids: Sequence[SessionId]) -> list[PlaybackSession | None]:
        # Not MGET: the keys lie on several nodes of a cluster.
        pipeline = self._redis.pipeline(transaction=False)
        for session_id in session_ids:
            pipeline.get(_key(session_id))
        try:
            values = await pipeline.execute()
        except (RedisError, OSError) as error:
            raise ServiceError(ErrorKind.UNAVAILABLE, "sessions can't be read at the moment; try again") from error
        return [None if value is None else msgspec.json.decode(value, type=PlaybackSession) for value in values]


def _account_key(account_id: AccountId) -> str:
    return f"marquee:account-sessions:{account_id}"


def _key(session_id: SessionId) -> str:
    return f"marquee:playback-session:{session_id}"
