"""Which keys hold personal data, and whose it is; and what players reported about the sessions of an account."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.errors import ErrorKind, ServiceError
from common.event_catalogue import SESSION_TOPICS
from common.event_erasure import EventErasure
from subgraphs.kernel.personal_data import CountsByPlace, Owner, RecordsByPlace, Subject
from subgraphs.kernel.personal_keys import OWNER_MARK, PersonalKeys
from subgraphs.playback.adapters.valkey.removed import REMOVED_KEYS

__all__ = ["PERSONAL_KEYS", "ReportedPersonalData"]

PERSONAL_KEYS = (
    # The grant has the tokens that open film and licence.
    PersonalKeys("marquee:playback-session:*", Owner.MENTIONED, hidden=frozenset({"grant"})),
    PersonalKeys(f"marquee:account-sessions:{OWNER_MARK}", Owner.ACCOUNT, is_exported=False),
    PersonalKeys(f"{REMOVED_KEYS}{OWNER_MARK}", Owner.ACCOUNT, is_exported=False),
    PersonalKeys(f"marquee:leases:{{{OWNER_MARK}}}", Owner.ACCOUNT, is_exported=False),
    PersonalKeys(f"marquee:lease-sessions:{{{OWNER_MARK}}}", Owner.ACCOUNT, is_exported=False),
)

SESSION_KEYS = "marquee:playback-session:"
REPORT_KEYS = "marquee:cmcd:"
"""Where delivery keeps what players reported, by playback session, for a day."""


class ReportedPersonalData:
    """A PersonalDataStore over the reports of an account's sessions; list it before the sessions themselves.

    Reports name a session and nobody else: those of each session, for a day, and those on topic `quality`, where an
    event has reports of several sessions and goes as a whole.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._streams = EventErasure(redis, SESSION_TOPICS)

    async def export_personal(self, subject: Subject) -> RecordsByPlace:
        """See PersonalDataStore."""
        records: list[dict[str, object]] = []
        try:
            for key in await self._found(await self._sessions(subject)):
                for entry_id, fields in await self._redis.xrange(key):
                    read = {_text(name): _text(value) for name, value in fields.items()}
                    records.append({"id": _text(entry_id), **read})
        except (RedisError, OSError) as error:
            raise _away() from error
        return {f"keys:{REPORT_KEYS}": records}

    async def erase_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore."""
        try:
            sessions = await self._sessions(subject)
            keys = await self._found(sessions)
            erased = await self._redis.delete(*keys) if keys else 0
            return {f"keys:{REPORT_KEYS}": erased, **(await self._streams.erase(sessions) if sessions else {})}
        except (RedisError, OSError) as error:
            raise _away() from error

    async def count_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore."""
        try:
            return {f"keys:{REPORT_KEYS}": len(await self._found(await self._sessions(subject)))}
        except (RedisError, OSError) as error:
            raise _away() from error

    async def scrub(self) -> None:
        """See PersonalDataStore."""
        try:
            await self._streams.scrub()
        except (RedisError, OSError) as error:
            raise _away() from error

    async def _found(self, sessions: Sequence[str]) -> list[str]:
        keys = [REPORT_KEYS + session_id for session_id in sessions]
        return [key for key in keys if await self._redis.exists(key)]

    async def _sessions(self, subject: Subject) -> list[str]:
        found: list[str] = []
        async for raw in self._redis.scan_iter(match=f"{SESSION_KEYS}*", count=1_000):
            value = await self._redis.get(raw)
            if value is None or json.loads(value).get("account_id") != subject.account_id:
                continue
            found.append(_text(raw).removeprefix(SESSION_KEYS))
        return found


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _away() -> ServiceError:
    return ServiceError(ErrorKind.UNAVAILABLE, "Valkey can't be reached at the moment; try again")
