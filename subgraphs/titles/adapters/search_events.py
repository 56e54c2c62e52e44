"""SearchEvents on Valkey or Redis: topic `searches`, and a key per account that refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.events import Event, EventPublisher
from subgraphs.kernel.personal_data import Owner
from subgraphs.kernel.personal_keys import OWNER_MARK, PersonalKeys

__all__ = ["PERSONAL_KEYS", "ValkeySearchEvents"]

KEY_PREFIX = "marquee:searches-refused:"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_REFUSED, _ALLOWED = "refused", "allowed"
# KEYS: the account's. ARGV: the word, its instant in microseconds. The value is "<word> <instant>".
_DECIDE = """
local known = redis.call('GET', KEYS[1])
local at = known and tonumber(string.match(known, ' (%d+)$'))
if at and at > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2])
return 1
"""

PERSONAL_KEYS = (PersonalKeys(f"{KEY_PREFIX}{OWNER_MARK}", Owner.ACCOUNT),)


class ValkeySearchEvents:
    """See the SearchEvents port."""

    def __init__(self, redis: Redis, publisher: EventPublisher) -> None:
        self._redis = redis
        self._publisher = publisher
        self._decide = redis.register_script(_DECIDE)

    async def searched(self, *, account_id: str, profile_id: str, text: str, result_count: int, at: datetime) -> None:
        """See SearchEvents."""
        data = {
            "accountId": account_id,
            "profileId": profile_id,
            "text": text,
            "resultCount": result_count,
            "occurredAt": at.isoformat(),
        }
        with _translated_errors():
            await self._publisher.publish(Event(topic="searches", kind="title.searched", data=data, occurred_at=at))

    async def decide(self, account_id: str, *, is_refused: bool, at: datetime) -> None:
        """See SearchEvents."""
        word, micros = _REFUSED if is_refused else _ALLOWED, (at - _EPOCH) // _MICROSECOND
        with _translated_errors():
            await self._decide(keys=[KEY_PREFIX + account_id], args=[word, micros])

    async def forget(self, account_id: str) -> None:
        """See SearchEvents."""
        with _translated_errors():
            await self._redis.delete(KEY_PREFIX + account_id)

    async def is_refused(self, account_id: str) -> bool:
        """See SearchEvents."""
        with _translated_errors():
            known: Any = await self._redis.get(KEY_PREFIX + account_id)
        return known is not None and not known.startswith(_ALLOWED.encode())


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise ConnectionError("the event stream does not answer") from error
