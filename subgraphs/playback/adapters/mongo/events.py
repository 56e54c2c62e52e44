"""Publishes the events that wait in documents: read, append to the stream, take out of the document.

A crash between publishing and taking out publishes an event again, with the same id, by which consumers tell
repetitions. Taking out raises the document's version, so that a writer that had read the events starts over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from pymongo import ASCENDING
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from common.background import background
from common.errors import ServiceError
from common.event_catalogue import EventInvalid
from common.events import Event, EventPublisher
from subgraphs.kernel.mongo import Document, MongoDatabase, mongo_errors
from subgraphs.playback.adapters.instants import from_micros
from subgraphs.playback.adapters.mongo.schema import BOOKMARKS

__all__ = ["MongoEventRelay"]

log = structlog.get_logger(__name__)

BATCH_SIZE = 100
POLL_S = 1.0
"""How long an event waits when the relay was not woken: only those of another process or of a crash."""
RETRY_S = 1.0


class MongoEventRelay:
    """One store's events, oldest document first and in order within each."""

    def __init__(self, database: MongoDatabase, publisher: EventPublisher) -> None:
        self._bookmarks = database.collection(BOOKMARKS)
        self._publisher = publisher
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Say that there may be something to publish; call it after a write."""
        self._wake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The relay as a background task that ends with the block; what is left is published at the next start."""
        async with background(self._run(), "mongo-events"):
            yield

    async def publish_waiting(self) -> int:
        """Publish all that waits; returns how many. Raises when the store or the stream is away."""
        count = 0
        while documents := await self._oldest():
            for document in documents:
                published = []
                try:
                    for row in document["events"]:
                        await self._publish(_event_of(row))
                        published.append(row["id"])
                finally:
                    await self._take_out(document, published)
                count += len(published)
        return count

    async def _publish(self, event: Event) -> None:
        try:
            await self._publisher.publish(event)
        except EventInvalid:
            # Written by another version of this service; it must not hold up those behind it.
            log.exception("outbox.event_dropped", event_id=event.id, topic=event.topic, kind=event.kind)

    async def _oldest(self) -> list[Document]:
        cursor = self._bookmarks.find({"events_since": {"$exists": True}}, {"profile_id": 1, "events": 1})
        with mongo_errors():
            return [row async for row in cursor.sort("events_since", ASCENDING).limit(BATCH_SIZE)]

    async def _take_out(self, document: Document, event_ids: list[str]) -> None:
        this: Document = {"_id": document["_id"], "profile_id": document["profile_id"]}
        with mongo_errors():
            await self._bookmarks.update_one(
                this, {"$pull": {"events": {"id": {"$in": event_ids}}}, "$inc": {"version": 1}}
            )
            # Only while nothing has come since; a crash before this leaves a document that is looked at once more.
            await self._bookmarks.update_one(
                {**this, "events": {"$size": 0}}, {"$unset": {"events_since": ""}, "$inc": {"version": 1}}
            )

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.publish_waiting()
            except (ServiceError, RedisError, PyMongoError, OSError) as error:
                log.warning("outbox.waiting", error=str(error), retry_s=RETRY_S)
                await asyncio.sleep(RETRY_S)
                continue
            try:
                async with asyncio.timeout(POLL_S):
                    await self._wake.wait()
            except TimeoutError:
                continue


def _event_of(row: Document) -> Event:
    return Event(
        topic=row["topic"], kind=row["kind"], data=row["data"], occurred_at=from_micros(row["at"]), id=row["id"]
    )
