"""Dead letters: events that a group could not digest, kept with the error until a person retries or drops them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from common.event_catalogue import TOPICS
from common.events import MAX_STREAM_LENGTH, RETRY_FOR, ConsumerLag, dead_letter_key, stream_key

__all__ = ["DeadLetter", "DeadLetters", "GroupLag", "read_group_lags"]

EXCERPT_LENGTH = 120


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`id` names the letter; `event_id` the entry of the topic that it was. `data` is JSON text as it came."""

    id: str
    topic: str
    group: str
    kind: str
    event_id: str
    error: str
    data: str

    @property
    def excerpt(self) -> str:
        """The beginning of the data."""
        return self.data if len(self.data) <= EXCERPT_LENGTH else f"{self.data[: EXCERPT_LENGTH - 1]}…"


@dataclass(frozen=True, slots=True)
class GroupLag:
    """How far a group is behind in a topic."""

    topic: str
    group: str
    lag: ConsumerLag
    consumer_count: int


class DeadLetters:
    """Reads and empties the dead letters of one topic."""

    def __init__(self, redis: Redis, topic: str) -> None:
        self._redis: Any = redis
        self._topic = topic

    async def count(self) -> int:
        """How many there are."""
        return int(await self._redis.xlen(dead_letter_key(self._topic)))

    async def list(self, limit: int) -> Sequence[DeadLetter]:
        """The newest `limit`, newest first."""
        rows = await self._redis.xrevrange(dead_letter_key(self._topic), count=limit)
        return [self._letter(entry_id, fields) for entry_id, fields in rows]

    async def retry(self, letter_id: str) -> bool:
        """Put the event back for the group that could not digest it; False when there is no such letter.

        It comes behind what is in the stream by now, with the id that it had.
        """
        rows = await self._redis.xrange(dead_letter_key(self._topic), letter_id, letter_id)
        if not rows:
            return False
        fields = {_text(name): _text(value) for name, value in rows[0][1].items()}
        group, event_id = fields.pop("group"), fields.pop("event_id")
        fields.pop("error", None)
        again = {"id": event_id, **fields, RETRY_FOR: group}
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.xadd(stream_key(self._topic), again, maxlen=MAX_STREAM_LENGTH, approximate=True)
            pipeline.xdel(dead_letter_key(self._topic), letter_id)
            await pipeline.execute()
        return True

    async def drop(self, letter_id: str) -> bool:
        """Forget a letter; False when there is none of this id."""
        return bool(await self._redis.xdel(dead_letter_key(self._topic), letter_id))

    def _letter(self, entry_id: bytes | str, raw: dict[bytes | str, bytes | str]) -> DeadLetter:
        fields = {_text(name): _text(value) for name, value in raw.items()}
        return DeadLetter(
            id=_text(entry_id),
            topic=self._topic,
            group=fields.get("group", ""),
            kind=fields.get("kind", ""),
            event_id=fields.get("id", fields.get("event_id", "")),
            error=fields.get("error", ""),
            data=fields.get("data", ""),
        )


async def read_group_lags(redis: Redis) -> Sequence[GroupLag]:
    """All groups of all topics, as the server counts them; topics that nobody uses are left out."""
    found: list[GroupLag] = []
    for topic in TOPICS:
        if not await redis.exists(stream_key(topic)):
            continue
        groups: Any = await redis.xinfo_groups(stream_key(topic))
        found += [
            GroupLag(
                topic=topic,
                group=_text(row["name"]),
                lag=ConsumerLag(undelivered=row.get("lag"), pending=int(row["pending"])),
                consumer_count=int(row["consumers"]),
            )
            for row in groups
        ]
    return found


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
