"""Events between services: Redis streams with consumer groups, delivered at least once.

A topic is a stream. Each consuming service is a group; an event stays pending until its handler returned, is claimed
back after a silence when its consumer died, and goes to the topic's dead letters after three failed deliveries: at
once when it does not have the shape that the catalogue says, after an hour when something is away. Handlers must be
idempotent: the same event id may arrive twice, and out of order.

A stream is not kept for ever: it is trimmed, and a server may lose it. A consumer notices that events passed it by and
calls `on_gap`, so that it can ask the topic's owner to tell everything again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from common.background import background
from common.errors import KIND_TABLE, ServiceError
from common.event_catalogue import EventInvalid, check_published, check_received
from common.idle_members import IDLE_MS, remove_idle

__all__ = [
    "ConsumerLag",
    "Event",
    "EventConsumer",
    "EventHandler",
    "EventPublisher",
    "GapHandler",
    "dead_letter_key",
    "request_republish",
    "stream_key",
]

log = structlog.get_logger(__name__)

MAX_STREAM_LENGTH = 100_000
"""Entries kept per topic, about; older ones are trimmed."""
BATCH_SIZE = 64
BLOCK_MS = 2_000
CLAIM_IDLE_MS = 30_000
"""How long a pending event may be silent before another consumer takes it: longer than any handler may take."""
MAX_DELIVERIES = 3
MAX_DELIVERIES_IN_OUTAGE = 120
"""Of an event whose handler says that something is away: an hour, CLAIM_IDLE_MS apart. An outage is not the event's
fault, and whatever was buried in one would have to be dug out by hand; it ends all the same, should it be."""
RETRY_FOR = "for"
"""Field of an entry that came back from the dead letters: only this group has yet to hear it."""
RECONNECT_S = 1.0
"""Pause after the connection broke; the stream keeps what arrives meanwhile."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `data` is JSON.

    `id` is what repetitions are told by: the publisher's own when it gave one, the stream's entry id otherwise.
    """

    topic: str
    kind: str
    data: Mapping[str, Any]
    occurred_at: datetime
    id: str = ""


@dataclass(frozen=True, slots=True)
class ConsumerLag:
    """How far a group is behind: entries never delivered (None: unknown), and delivered ones not finished."""

    undelivered: int | None
    pending: int


EventHandler = Callable[[Event], Awaitable[None]]
GapHandler = Callable[[str], Awaitable[None]]
"""Told the topic of which events were missed; again for the same gap when it raises ServiceError or was interrupted."""


def stream_key(topic: str) -> str:
    """The stream of a topic."""
    return f"marquee:events:{topic}"


def dead_letter_key(topic: str) -> str:
    """Where events go that failed as often as they may, with the last error."""
    return f"marquee:dead:{topic}"


class EventPublisher:
    """Appends events to their topics' streams."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def publish(self, event: Event) -> str:
        """Append and return the entry id; returns only when the server has it.

        Raises EventInvalid for what is not in the catalogue.
        """
        entry_id = await self._redis.xadd(
            stream_key(event.topic), _fields(event), maxlen=MAX_STREAM_LENGTH, approximate=True
        )
        return entry_id.decode() if isinstance(entry_id, bytes) else str(entry_id)

    async def publish_all(self, events: Sequence[Event]) -> None:
        """As `publish`, one after the other in one round trip."""
        written = [(stream_key(event.topic), _fields(event)) for event in events]
        async with self._redis.pipeline(transaction=False) as pipeline:
            for key, fields in written:
                pipeline.xadd(key, fields, maxlen=MAX_STREAM_LENGTH, approximate=True)
            await pipeline.execute()


def _fields(event: Event) -> dict[Any, Any]:
    """As a stream's entry has them; raises EventInvalid."""
    check_published(event.topic, event.kind, event.data)
    fields: dict[Any, Any] = {
        "kind": event.kind,
        "at": event.occurred_at.isoformat(),
        "data": json.dumps(event.data, separators=(",", ":")),
    }
    if event.id:
        fields["id"] = event.id
    return fields


class EventConsumer:
    """One member of one service's group over some topics.

    `consumer` names this process; after a crash the same name finds its own pending events first. Where the group is
    one process's own, `own_groups` is what the names of all such groups begin with, and of no other.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        group: str,
        consumer: str,
        handlers: Mapping[str, EventHandler],
        on_gap: GapHandler | None = None,
        own_groups: str | None = None,
    ) -> None:
        self._redis = redis
        self._group = group
        self._consumer = consumer
        self._handlers = dict(handlers)
        self._on_gap = on_gap
        self._own_groups = own_groups
        # Topics in which this process has been a member: a group that is not there any more was lost with its server.
        self._joined: set[str] = set()

    async def run(self) -> None:
        """Deliver events until cancelled; a broken connection is retried, nothing is lost meanwhile."""
        while True:
            try:
                await self._create_groups()
                await self._look_for_gaps()
                await self._deliver_own_pending()
                while True:
                    await self._claim_abandoned()
                    if await self._deliver_new() == BATCH_SIZE:
                        # Behind: what is not read soon may be trimmed.
                        await self._look_for_gaps()
            except (RedisConnectionError, RedisTimeoutError, ResponseError, ServiceError) as error:
                log.warning("events.disconnected", group=self._group, error=str(error), retry_s=RECONNECT_S)
                await asyncio.sleep(RECONNECT_S)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The consumer as a background task that ends with the block."""
        async with background(self.run(), f"events:{self._group}"):
            yield

    async def lags(self) -> Mapping[str, ConsumerLag]:
        """How far this group is behind, by topic; a topic that nobody created yet has a lag of its own, unknown."""
        return {topic: await self.lag(topic) for topic in self._handlers if await self._redis.exists(stream_key(topic))}

    async def lag(self, topic: str) -> ConsumerLag:
        """How far this group is behind on a topic."""
        for row in await self._redis.xinfo_groups(stream_key(topic)):
            if _text(row["name"]) == self._group:
                return ConsumerLag(undelivered=row.get("lag"), pending=int(row["pending"]))
        return ConsumerLag(undelivered=None, pending=0)

    async def _create_groups(self) -> None:
        for topic in self._handlers:
            if not await self._has_group(topic):
                # Told first: whoever is killed in between, or can't tell it now, tells it later.
                if topic in self._joined or await self._lost_its_beginning(topic):
                    await self._tell_gap(topic, None)
                await self._create_group(topic)
            self._joined.add(topic)
            await self._remove_idle(topic)

    async def _has_group(self, topic: str) -> bool:
        if not await self._redis.exists(stream_key(topic)):
            return False
        groups: Any = await self._redis.xinfo_groups(stream_key(topic))
        return any(_text(row["name"]) == self._group for row in groups)

    async def _lost_its_beginning(self, topic: str) -> bool:
        """Or all it ever had: an empty stream may be a new one or that of a server that lost everything."""
        if not await self._redis.exists(stream_key(topic)):
            return True
        stream: Any = await self._redis.xinfo_stream(stream_key(topic))
        return bool(stream["length"] == 0 or stream["entries-added"] > stream["length"])

    async def _create_group(self, topic: str) -> None:
        try:
            # From the beginning: a service that is new to a topic hears what is still kept.
            await self._redis.xgroup_create(stream_key(topic), self._group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def _remove_idle(self, topic: str) -> None:
        members, groups = await remove_idle(self._redis, stream_key(topic), self._group, self._own_groups, IDLE_MS)
        if members or groups:
            log.info("events.idle_removed", topic=topic, group=self._group, members=members, groups=groups)

    async def _look_for_gaps(self) -> None:
        """Were entries trimmed that this group never read? Entries that an erasure took count, too, to be safe."""
        for topic in self._handlers:
            stream: Any = await self._redis.xinfo_stream(stream_key(topic))
            groups: Any = await self._redis.xinfo_groups(stream_key(topic))
            read = next((row.get("entries-read") for row in groups if _text(row["name"]) == self._group), None)
            removed = int(stream["entries-added"]) - int(stream["length"])
            if read is not None and removed > int(read):
                await self._tell_gap(topic, removed - int(read))

    async def _tell_gap(self, topic: str, missed_count: int | None) -> None:
        log.warning("events.gap", topic=topic, group=self._group, missed=missed_count)
        if self._on_gap is not None:
            await self._on_gap(topic)

    async def _deliver_own_pending(self) -> None:
        """What this consumer had taken before it died comes first, in order."""
        for topic in self._handlers:
            start = "0"
            while True:
                entries = await self._read({topic: start}, block_ms=None)
                if not entries:
                    break
                for entry_topic, entry_id, fields in entries:
                    await self._deliver(entry_topic, entry_id, fields)
                    start = entry_id

    async def _deliver_new(self) -> int:
        """How many there were."""
        entries = await self._read(dict.fromkeys(self._handlers, ">"), block_ms=BLOCK_MS)
        for topic, entry_id, fields in entries:
            await self._deliver(topic, entry_id, fields)
        return len(entries)

    async def _claim_abandoned(self) -> None:
        for topic in self._handlers:
            _, entries, *_ = await self._redis.xautoclaim(
                stream_key(topic), self._group, self._consumer, min_idle_time=CLAIM_IDLE_MS, count=BATCH_SIZE
            )
            for entry_id, fields in entries:
                await self._deliver(topic, _text(entry_id), _text_map(fields))

    async def _read(self, positions: Mapping[str, str], block_ms: int | None) -> list[tuple[str, str, dict[str, str]]]:
        streams: dict[Any, Any] = {stream_key(topic): position for topic, position in positions.items()}
        topics = {stream_key(topic): topic for topic in positions}
        answer: Any = await self._redis.xreadgroup(
            self._group, self._consumer, streams, count=BATCH_SIZE, block=block_ms
        )
        # Protocol 2 answers [[stream, [(id, fields), …]], …], protocol 3 {stream: [[(id, fields), …]]}.
        pairs = answer.items() if isinstance(answer, dict) else answer or ()
        entries: list[tuple[str, str, dict[str, str]]] = []
        for key, rows in pairs:
            flat = rows[0] if isinstance(answer, dict) and rows else rows
            entries.extend((topics[_text(key)], _text(entry_id), _text_map(fields)) for entry_id, fields in flat)
        return entries

    async def _deliver(self, topic: str, entry_id: str, fields: dict[str, str]) -> None:
        """Run the handler once and acknowledge; on failure leave it pending, or bury it after the last try."""
        if not fields:
            # Pending and trimmed from the stream since: nothing is left to deliver.
            log.error("events.trimmed_before_delivery", topic=topic, event_id=entry_id, group=self._group)
            await self._redis.xack(stream_key(topic), self._group, entry_id)
            return
        if fields.get(RETRY_FOR, self._group) == self._group:
            try:
                await self._handlers[topic](_read_event(topic, entry_id, fields))
            except (RedisConnectionError, RedisTimeoutError):
                raise
            except EventInvalid as error:
                # No later delivery can make it readable.
                log.exception("events.invalid", topic=topic, event_id=entry_id, group=self._group)
                await self._bury(topic, entry_id, fields, error)
                return
            except Exception as error:  # noqa: BLE001  # a task's edge: one bad event must not stop the others
                await self._bury_or_leave(topic, entry_id, fields, error)
                return
        await self._redis.xack(stream_key(topic), self._group, entry_id)

    async def _bury_or_leave(self, topic: str, entry_id: str, fields: dict[str, str], error: Exception) -> None:
        pending = await self._redis.xpending_range(stream_key(topic), self._group, entry_id, entry_id, 1)
        deliveries = int(pending[0]["times_delivered"]) if pending else MAX_DELIVERIES
        log.error(
            "events.handler_failed",
            topic=topic,
            event_id=entry_id,
            deliveries=deliveries,
            error=str(error),
            exc_info=error,
        )
        is_outage = isinstance(error, ServiceError) and KIND_TABLE[error.kind].retryable
        if deliveries >= (MAX_DELIVERIES_IN_OUTAGE if is_outage else MAX_DELIVERIES):
            await self._bury(topic, entry_id, fields, error)

    async def _bury(self, topic: str, entry_id: str, fields: dict[str, str], error: Exception) -> None:
        buried: dict[Any, Any] = {**fields, "group": self._group, "event_id": entry_id, "error": str(error)[:500]}
        await self._redis.xadd(dead_letter_key(topic), buried, maxlen=MAX_STREAM_LENGTH, approximate=True)
        await self._redis.xack(stream_key(topic), self._group, entry_id)


async def request_republish(publisher: EventPublisher, topic: str, group: str, now: datetime) -> None:
    """Ask the owner of a topic to tell everything again; what a consumer's `on_gap` does."""
    data = {"topic": topic, "group": group}
    await publisher.publish(Event(topic="requests", kind="republish.requested", data=data, occurred_at=now))


def _read_event(topic: str, entry_id: str, fields: Mapping[str, str]) -> Event:
    """Raises EventInvalid."""
    try:
        event = Event(
            topic=topic,
            kind=fields["kind"],
            data=json.loads(fields["data"]),
            occurred_at=datetime.fromisoformat(fields["at"]),
            id=fields.get("id", entry_id),
        )
    except (KeyError, ValueError) as error:
        raise EventInvalid(f"entry {entry_id} of topic {topic} is no event: {error!r}") from error
    if not isinstance(event.data, dict):
        raise EventInvalid(f"entry {entry_id} of topic {topic}: data is {type(event.data).__name__}, wanted an object")
    check_received(topic, event.kind, event.data)
    return event


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _text_map(fields: Mapping[Any, Any] | None) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in (fields or {}).items()}
