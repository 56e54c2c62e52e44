"""The outbox: events are written in the transaction of the change that they tell of, and published after it.

Idea: a table beside the data. `OutboxTable.add` inserts rows with the caller's connection; `OutboxRelay` reads them in
order, appends each to its topic and deletes it. Invariant: no event without its change, no change without its event.
Limit: a crash between publishing and deleting publishes the event again, with the same event id, which is what
consumers tell repetitions by.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from redis.exceptions import RedisError
from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, String, Table, delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from common.background import background
from common.errors import ServiceError
from common.event_catalogue import EventInvalid, check_published
from common.events import Event, EventPublisher
from subgraphs.kernel.ids import new_id
from subgraphs.kernel.sql import UtcDateTime, reading, writing

__all__ = ["OutboxRelay", "OutboxTable"]

log = structlog.get_logger(__name__)

BATCH_SIZE = 100
POLL_S = 1.0
"""How long an event waits when the relay was not woken: only those of another process or of a crash."""
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class OutboxTable:
    """The table, as a subgraph's migration creates it."""

    table: Table

    @classmethod
    def define(cls, metadata: MetaData) -> OutboxTable:
        """The definition: sequence, event_id, topic, kind, data, occurred_at."""
        return cls(
            Table(
                "outbox",
                metadata,
                Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
                Column("event_id", String(40), nullable=False, unique=True),
                Column("topic", String(40), nullable=False),
                Column("kind", String(60), nullable=False),
                Column("data", JSON, nullable=False),
                Column("occurred_at", UtcDateTime, nullable=False),
            )
        )

    async def add(self, connection: AsyncConnection, events: Sequence[Event]) -> None:
        """Insert events in the caller's transaction; ids are given here.

        Raises EventInvalid for what is not in the catalogue: found at publication it would be too late to refuse.
        """
        for event in events:
            check_published(event.topic, event.kind, event.data)
        rows = [
            {
                "event_id": new_id("evt", event.occurred_at),
                "topic": event.topic,
                "kind": event.kind,
                "data": dict(event.data),
                "occurred_at": event.occurred_at,
            }
            for event in events
        ]
        if rows:
            await connection.execute(insert(self.table), rows)

    async def waiting_count(self, connection: AsyncConnection) -> int:
        """Events not published yet."""
        return (await connection.execute(select(func.count()).select_from(self.table))).scalar_one()


class OutboxRelay:
    """Publishes one store's events. Run one per store: two would only repeat each other."""

    def __init__(self, engine: AsyncEngine, outbox: OutboxTable, publisher: EventPublisher) -> None:
        self._engine = engine
        self._table = outbox.table
        self._publisher = publisher
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Say that there may be something to publish; call it after a commit."""
        self._wake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The relay as a background task that ends with the block; what is left is published at the next start."""
        async with background(self._run(), "outbox"):
            yield

    async def publish_waiting(self) -> int:
        """Publish all that waits, oldest first; returns how many. Raises when the store or the stream is away."""
        count = 0
        while rows := await self._oldest():
            published: list[int] = []
            try:
                for row in rows:
                    await self._publish(_event(row))
                    published.append(row["sequence"])
            finally:
                async with writing(self._engine) as connection:
                    await connection.execute(delete(self._table).where(self._table.c.sequence.in_(published)))
            count += len(published)
        return count

    async def _publish(self, event: Event) -> None:
        try:
            await self._publisher.publish(event)
        except EventInvalid:
            # Written by another version of this service; it must not hold up those behind it.
            log.exception("outbox.event_dropped", event_id=event.id, topic=event.topic, kind=event.kind)

    async def _oldest(self) -> Sequence[Mapping[Any, Any]]:
        async with reading(self._engine) as connection:
            found = await connection.execute(select(self._table).order_by(self._table.c.sequence).limit(BATCH_SIZE))
            return found.mappings().all()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.publish_waiting()
            except (ServiceError, RedisError, SQLAlchemyError, OSError) as error:
                log.warning("outbox.waiting", error=str(error), retry_s=RETRY_S)
                await asyncio.sleep(RETRY_S)
                continue
            try:
                async with asyncio.timeout(POLL_S):
                    await self._wake.wait()
            except TimeoutError:
                continue


def _event(row: Mapping[Any, Any]) -> Event:
    return Event(
        topic=row["topic"], kind=row["kind"], data=row["data"], occurred_at=row["occurred_at"], id=row["event_id"]
    )
