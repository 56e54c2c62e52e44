"""Writes of several documents that are there together or not at all, and the change log, on any MongoDB server.

The problem: a single server has no transactions, so a crash may come between two documents; and numbers for a change
log are given before the write that they belong to, so a follower may read number 8 while number 7 is still under way,
confirm 8, and never hear of 7.

The idea: a redo log. A write is first kept whole in the journal. Then one update of one document, LOG, takes the next
numbers for its titles and names the write as pending: from this moment on it happens. The titles are written, each with
its number; the write is taken off the pending ones and out of the journal. Whoever finds a write pending for longer
than PENDING_S, or at all when a store is opened, does it again from the journal.

Invariants, each held by a test:
- A document is never replaced by a write with a lower number, so doing a write again, late or twice, in any order with
  others, changes nothing that is newer.
- Followers read up to the lowest number that is pending and no further (the horizon), so no number becomes readable
  behind their backs.
- A write that is not named in LOG never happened; one that is, happens, also when its process was killed right then.

Limits: while a write is under way, readers may see some of its titles before others. A title that changes twice before
a follower looks is one change, with the higher number. When writers of several processes meet, the order is that of
their numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from pymongo import ASCENDING, InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError

from common.clock import Clock
from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import TitleId, new_id
from subgraphs.kernel.mongo import Document, MongoCollection, MongoDatabase, mongo_errors
from subgraphs.titles.adapters.mongo import schema
from subgraphs.titles.ports import NO_REVISIONS, Change, ChangeFollowerName, StaleWrite

__all__ = ["Journal", "Write"]

log = structlog.get_logger(__name__)

PENDING_S = timedelta(seconds=10)
"""Doing a write a second time harms nobody, so this may be short; it only spares work."""
ENTRY_TITLES = 200
"""Of one journal document, which must stay below 16 MB."""
REQUESTS_AT_ONCE = 200
"""A request's answer must come in time also from a busy server, which keeps two dozen indexes of each title."""
MAX_TRIES = 200
"""At taking numbers while others do; each try that fails is somebody else's success."""
FORGOTTEN_AFTER = timedelta(days=1)
"""Journal entries of writers that died before their write happened."""
DUPLICATE_KEY = 11000

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Write:
    """What belongs together. `announced` are titles that get a number and stay as they are.

    `others` are documents of other collections, by its name; all of them get the write's first number.
    """

    titles: Sequence[Document] = ()
    announced: Sequence[TitleId] = ()
    others: Mapping[str, Sequence[Document]] = field(default_factory=dict)

    @property
    def number_count(self) -> int:
        """How many numbers it takes."""
        return max(1, len(self.titles) + len(self.announced))


class Journal:
    """The collections LOG, JOURNAL and FOLLOWERS, and the field `sequence` of titles."""

    def __init__(self, database: MongoDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._titles = database.collection(schema.TITLES)
        self._log = database.collection(schema.LOG)
        self._entries = database.collection(schema.JOURNAL)
        self._followers = database.collection(schema.FOLLOWERS)

    async def open(self, followers: Iterable[ChangeFollowerName]) -> None:
        """Begin the log where there is none, and finish what others left unfinished."""
        with mongo_errors():
            await self._log.update_one({"_id": "log"}, {"$setOnInsert": {"last": 0, "pending": []}}, upsert=True)
            for name in followers:
                await self._followers.update_one({"_id": name}, {"$setOnInsert": {"confirmed": 0}}, upsert=True)
            await self._finish_others(timedelta(0))
            long_ago = (self._clock.now() - FORGOTTEN_AFTER).timestamp()
            await self._entries.delete_many({"kept_at": {"$lt": long_ago}})

    async def write(self, write: Write, seen: Mapping[TitleId, int] = NO_REVISIONS) -> None:
        """Returns when it has happened and can be read; raises ServiceError(UNAVAILABLE), after which it may have.

        Raises StaleWrite when a title of `seen` has another revision; then it has not happened.
        """
        with mongo_errors():
            token = new_id("wri", self._clock.now())
            await self._keep(token, write)
            first = await self._take_numbers(token, write.number_count, seen)
            await self._apply(first, write)
            await self._finish(token)

    async def changes_for(self, follower: ChangeFollowerName, limit: int) -> list[Change]:
        """The next changes up to the horizon, in order."""
        with mongo_errors():
            await self._finish_others(PENDING_S)
            position = await self._followers.find_one({"_id": follower})
            if position is None:
                return []
            # First the horizon, then the titles: what is read is at least as new as the horizon.
            horizon = await self._horizon()
            rows = self._titles.find({"sequence": {"$gt": position["confirmed"], "$lte": horizon}}, {"sequence": 1})
            ordered = rows.sort([("sequence", ASCENDING)]).limit(limit)
            return [Change(row["sequence"], TitleId(row["_id"])) for row in await ordered.to_list(limit)]

    async def confirm(self, follower: ChangeFollowerName, up_to: int) -> None:
        """Never back: of two processes that follow under one name, the slower one changes nothing."""
        with mongo_errors():
            await self._followers.update_one({"_id": follower}, {"$max": {"confirmed": up_to}})

    async def follow(self, follower: ChangeFollowerName) -> None:
        """From the horizon on, as it is now."""
        with mongo_errors():
            place = {"confirmed": await self._horizon()}
            await self._followers.update_one({"_id": follower}, {"$set": place}, upsert=True)

    async def unfollow(self, follower: ChangeFollowerName) -> None:
        """No longer."""
        with mongo_errors():
            await self._followers.delete_one({"_id": follower})

    async def followers(self) -> frozenset[ChangeFollowerName]:
        """All of them."""
        with mongo_errors():
            return frozenset([row["_id"] async for row in self._followers.find({}, {"_id": 1})])

    async def _horizon(self) -> int:
        state = await self._state()
        return int(min((pending["first"] - 1 for pending in state["pending"]), default=state["last"]))

    async def _state(self) -> Document:
        state = await self._log.find_one({"_id": "log"})
        assert state is not None, "open() has made it, and nobody deletes it"
        return state

    async def _keep(self, token: str, write: Write) -> None:
        """The write in the journal, in as many entries as it needs."""
        kept_at = self._clock.now().timestamp()
        parts: list[Document] = [{"announced": list(write.announced), "others": dict(write.others), "titles": []}]
        parts += [
            {"titles": list(write.titles[start : start + ENTRY_TITLES])}
            for start in range(0, len(write.titles), ENTRY_TITLES)
        ]
        for number, part in enumerate(parts):
            await self._entries.insert_one(
                {"_id": f"{token}-{number}", "token": token, "number": number, "kept_at": kept_at, **part}
            )

    async def _take_numbers(self, token: str, count: int, seen: Mapping[TitleId, int]) -> int:
        """The first of `count` numbers that nobody else has; with it the write happens."""
        state = await self._state()
        for _ in range(MAX_TRIES):
            if seen and state["pending"]:
                # What has happened must be in the titles before they are looked at.
                await self._finish_others(timedelta(0))
                state = await self._state()
                continue
            # No write can happen between this look and the numbers: it would take them.
            if seen and not await self._are_at(seen):
                await self._entries.delete_many({"token": token})
                raise StaleWrite
            last = state["last"]
            pending = {"token": token, "first": last + 1, "since": self._clock.now().timestamp()}
            taken = await self._log.update_one(
                {"_id": "log", "last": last}, {"$set": {"last": last + count}, "$push": {"pending": pending}}
            )
            if taken.matched_count:
                return int(last) + 1
            state = await self._state()
        raise ServiceError(ErrorKind.UNAVAILABLE, "too many writers of the catalogue at once; try again")

    async def _are_at(self, seen: Mapping[TitleId, int]) -> bool:
        rows = self._titles.find({"_id": {"$in": sorted(seen)}}, {"revision": 1})
        return {row["_id"]: row["revision"] async for row in rows} == dict(seen)

    async def _apply(self, first: int, write: Write) -> None:
        for name, documents in write.others.items():
            await _write_newer(
                self._database.collection(name), [{**document, "sequence": first} for document in documents]
            )
        await _write_newer(
            self._titles, [{**document, "sequence": number} for number, document in enumerate(write.titles, first)]
        )
        numbered = enumerate(write.announced, first + len(write.titles))
        updates = [UpdateOne(_older(title_id, number), {"$set": {"sequence": number}}) for number, title_id in numbered]
        for some in _pieces(updates):
            await self._titles.bulk_write(some, ordered=False)

    async def _finish(self, token: str) -> None:
        await self._log.update_one({"_id": "log"}, {"$pull": {"pending": {"token": token}}})
        await self._entries.delete_many({"token": token})

    async def _finish_others(self, longer_than: timedelta) -> None:
        """Do again what has been pending for long."""
        before = (self._clock.now() - longer_than).timestamp()
        for pending in (await self._state())["pending"]:
            if pending["since"] <= before:
                log.warning("store.write_finished_for_another", token=pending["token"], first=pending["first"])
                await self._apply(pending["first"], await self._kept(pending["token"]))
                await self._finish(pending["token"])

    async def _kept(self, token: str) -> Write:
        """The write of the journal; an empty one when its entries are gone, which means that it was finished."""
        titles: list[Document] = []
        announced: list[TitleId] = []
        others: dict[str, Any] = {}
        async for entry in self._entries.find({"token": token}).sort([("number", ASCENDING)]):
            titles += entry["titles"]
            announced += entry.get("announced", ())
            others |= entry.get("others", {})
        return Write(titles, announced, others)


def _older(document_id: str, sequence: int) -> Document:
    return {"_id": document_id, "sequence": {"$lt": sequence}}


async def _write_newer(collection: MongoCollection, documents: Sequence[Document]) -> None:
    """Insert what is not there and replace what is there in an older form; what is newer stays."""
    for some in _pieces(documents):
        there = await _insert_missing(collection, some)
        if there:
            replaced = [ReplaceOne(_older(each["_id"], each["sequence"]), each) for each in there]
            await collection.bulk_write(replaced, ordered=False)


async def _insert_missing(collection: MongoCollection, documents: Sequence[Document]) -> list[Document]:
    """Insert; answers those whose ids are there already."""
    try:
        await collection.bulk_write([InsertOne(document) for document in documents], ordered=False)
    except BulkWriteError as error:
        refused = error.details.get("writeErrors", ())
        if error.details.get("writeConcernErrors") or any(each["code"] != DUPLICATE_KEY for each in refused):
            raise
        return [documents[each["index"]] for each in refused]
    return []


def _pieces(items: Sequence[ItemT]) -> list[Sequence[ItemT]]:
    return [items[start : start + REQUESTS_AT_ONCE] for start in range(0, len(items), REQUESTS_AT_ONCE)]
