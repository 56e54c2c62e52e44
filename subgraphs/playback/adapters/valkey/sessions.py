"""SessionStore on Valkey: one JSON value per session that ends with the session's playback token."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import SessionId
from subgraphs.playback.domain.sessions import PlaybackSession

__all__ = ["ValkeySessionStore"]


class ValkeySessionStore:
    """`life` is a playback token's. Raises ServiceError UNAVAILABLE when Valkey does not answer."""

    def __init__(self, redis: Redis, life: timedelta) -> None:
        self._redis = redis
        self._life = life

    async def put(self, session: PlaybackSession) -> None:
        """Insert or replace."""
        try:
            await self._redis.set(_key(session.id), msgspec.json.encode(session), ex=self._life)
        except (RedisError, OSError) as error:
            raise ServiceError(ErrorKind.UNAVAILABLE, "sessions can't be kept at the moment; try again") from error

    async def get(self, session_id: SessionId) -> PlaybackSession | None:
        """The session; None when unknown or expired."""
        try:
            value = await self._redis.get(_key(session_id))
        except (RedisError, OSError) as error:
            raise ServiceError(ErrorKind.UNAVAILABLE, "sessions can't be read at the moment; try again") from error
        return None if value is None else msgspec.json.decode(value, type=PlaybackSession)


def _key(session_id: SessionId) -> str:
    return f"marquee:playback-session:{session_id}"
