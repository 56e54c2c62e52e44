"""SearchEvents on Valkey or Redis: topic `searches`, and a key per account that decided on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime

from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.events import Event, EventPublisher
from subgraphs.kernel.refusals import ValkeyRefusals
from subgraphs.titles.ports import ToldSearch

__all__ = ["KEY_PREFIX", "ValkeySearchEvents"]

KEY_PREFIX = "marquee:searches-refused:"


class ValkeySearchEvents:
    """See the SearchEvents port."""

    def __init__(self, redis: Redis, publisher: EventPublisher) -> None:
        self._publisher = publisher
        self._refusals = ValkeyRefusals(redis, KEY_PREFIX)

    async def searched(self, searches: Sequence[ToldSearch]) -> None:
        """See SearchEvents."""
        with _translated_errors():
            await self._publisher.publish_all([_event(search) for search in searches])

    async def decide(self, account_id: str, *, is_refused: bool, at: datetime) -> None:
        """See SearchEvents."""
        with _translated_errors():
            await self._refusals.decide(account_id, is_refused=is_refused, at=at)

    async def forget(self, account_id: str) -> None:
        """See SearchEvents."""
        with _translated_errors():
            await self._refusals.forget(account_id)

    async def refusing(self, account_ids: AbstractSet[str]) -> set[str]:
        """See SearchEvents."""
        with _translated_errors():
            return await self._refusals.refusing(account_ids)


def _event(search: ToldSearch) -> Event:
    data = {
        "searchId": search.search_id,
        "accountId": search.account_id,
        "profileId": search.profile_id,
        "text": search.text,
        "resultCount": search.result_count,
        "occurredAt": search.at.isoformat(),
    }
    return Event(topic="searches", kind="title.searched", data=data, occurred_at=search.at)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise ConnectionError("the event stream does not answer") from error
