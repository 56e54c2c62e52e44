"""SearchEvents on Valkey or Redis: topic `searches`, and a key per account that decided on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.events import Event, EventPublisher
from subgraphs.kernel.personal_data import Owner
from subgraphs.kernel.personal_keys import OWNER_MARK, PersonalKeys
from subgraphs.kernel.refusals import ValkeyRefusals

__all__ = ["PERSONAL_KEYS", "ValkeySearchEvents"]

KEY_PREFIX = "marquee:searches-refused:"

PERSONAL_KEYS = (PersonalKeys(f"{KEY_PREFIX}{OWNER_MARK}", Owner.ACCOUNT),)


class ValkeySearchEvents:
    """See the SearchEvents port."""

    def __init__(self, redis: Redis, publisher: EventPublisher) -> None:
        self._publisher = publisher
        self._refusals = ValkeyRefusals(redis, KEY_PREFIX)

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
        with _translated_errors():
            await self._refusals.decide(account_id, is_refused=is_refused, at=at)

    async def forget(self, account_id: str) -> None:
        """See SearchEvents."""
        with _translated_errors():
            await self._refusals.forget(account_id)

    async def is_refused(self, account_id: str) -> bool:
        """See SearchEvents."""
        with _translated_errors():
            return await self._refusals.is_refused(account_id)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise ConnectionError("the event stream does not answer") from error
