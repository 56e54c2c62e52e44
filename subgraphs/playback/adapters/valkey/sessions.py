"""SessionStore on Valkey: one JSON value per session that ends with the session's playback token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import SessionId
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
        try:
            await self._redis.set(_key(session.id), msgspec.json.encode(session), ex=self._life)
        except (RedisError, OSError) as error:
            raise ServiceError(ErrorKind.UNAVAILABLE, "sessions can't be kept at the moment; try again") from error

    async def get(self, session_id: SessionId) -> PlaybackSession | None:
        """The session; None when unknown or expired."""
        return await self._reads.submit(session_id)

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


def _key(session_id: SessionId) -> str:
    return f"marquee:playback-session:{session_id}"
