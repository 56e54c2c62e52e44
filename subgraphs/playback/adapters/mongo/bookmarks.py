"""BookmarkStore on MongoDB: one document per profile and title, with its events, written at its version only.

A batch of reports is one read and one bulk write. Each document is replaced where it still has the version that was
read; where it has not, the upsert meets the document's own id and fails, and only that document is read and applied
again. So concurrent processes never undo each other, without transactions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, ReplaceOne
from pymongo.errors import BulkWriteError, PyMongoError

from common.errors import ErrorKind, ServiceError
from common.events import Event
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId, new_id
from subgraphs.kernel.mongo import Document, MongoDatabase, mongo_errors
from subgraphs.playback.adapters.group_commit import GroupCommit
from subgraphs.playback.adapters.instants import from_micros, optional_instant, optional_micros, to_micros
from subgraphs.playback.adapters.mongo.schema import BOOKMARKS
from subgraphs.playback.domain.bookmarks import (
    Bookmark,
    BookmarkKey,
    Mark,
    PositionReport,
    ReportOrder,
    WatchRecord,
    hear_report,
)
from subgraphs.playback.domain.events import history_events, watched_event
from subgraphs.playback.ports import HistoryPosition

__all__ = ["MongoBookmarkStore"]

DUPLICATE_KEY = 11_000
MAX_ROUNDS = 20
"""Times that a document may be in another process's hands before the writer gives up and says so."""


class MongoBookmarkStore:
    """Use inside `running()`, which owns the writer. `on_commit` is called after a write that left events."""

    def __init__(self, database: MongoDatabase, on_commit: Callable[[], None] = lambda: None) -> None:
        self._bookmarks = database.collection(BOOKMARKS)
        self._on_commit = on_commit
        self._writer: GroupCommit[PositionReport, Bookmark] = GroupCommit(self._commit)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The writer's life; what waits at the end is still written."""
        async with self._writer.running():
            yield

    async def record(self, report: PositionReport) -> Bookmark:
        """Apply a report and return the bookmark after it; returns only when that is durable."""
        return await self._writer.submit(report)

    async def bookmark(self, profile_id: ProfileId, title_id: TitleId) -> Bookmark | None:
        """Where a profile is in one title."""
        with mongo_errors():
            found = await self._bookmarks.find_one({"profile_id": profile_id, "title_id": title_id})
        return None if found is None else _bookmark_of(found)

    async def bookmarks(self, profile_id: ProfileId, title_ids: Collection[TitleId]) -> Sequence[Bookmark]:
        """Bookmarks in these titles or in episodes of these series, most recent first, in one query."""
        if not title_ids:
            return []
        return await self._find(_in_titles(profile_id, title_ids))

    async def history(
        self, profile_id: ProfileId, *, limit: int, before: HistoryPosition | None = None
    ) -> Sequence[Bookmark]:
        """At most `limit` bookmarks that are not hidden, most recent first."""
        wanted: Document = {"profile_id": profile_id, "hidden_at": None}
        if before is not None:
            at = to_micros(before.last_watched_at)
            wanted["$or"] = [
                {"last_watched_at": {"$lt": at}},
                {"last_watched_at": at, "title_id": {"$lt": before.title_id}},
            ]
        return await self._find(wanted, limit)

    async def seen_episodes(self, profile_id: ProfileId, series_ids: Collection[TitleId]) -> set[TitleId]:
        """Episodes of these series that were ever completed and are not hidden."""
        if not series_ids:
            return set()
        wanted: Document = {
            "profile_id": profile_id,
            "series_id": {"$in": sorted(series_ids)},
            "completed_at": {"$ne": None},
            "hidden_at": None,
        }
        with mongo_errors():
            return {TitleId(row["title_id"]) async for row in self._bookmarks.find(wanted, {"title_id": 1})}

    async def mark(
        self, profile_id: ProfileId, title_ids: Collection[TitleId], mark: Mark, at: datetime, *, is_set: bool
    ) -> Sequence[TitleId]:
        """Set or take away a mark on these titles and the episodes of these series, with the event that tells of it."""
        wanted = _in_titles(profile_id, title_ids)
        change: Document = {"$set": {mark.value: to_micros(at) if is_set else None}, "$inc": {"version": 1}}
        with mongo_errors():
            found = self._bookmarks.find(wanted, {"title_id": 1, "account_id": 1}).sort("title_id", ASCENDING)
            rows = [row async for row in found]
            marked = [TitleId(row["title_id"]) for row in rows]
            if not marked:
                return []
            account_id = AccountId(rows[0]["account_id"])
            # The first of each event's titles is marked together with the event. One document at a time is atomic,
            # and who saw this fail half-way does all of it again, which changes nothing more.
            for event in history_events(profile_id, account_id, marked, mark, at, is_set=is_set):
                first = {"_id": _id(BookmarkKey(profile_id, event.data["titleIds"][0])), "profile_id": profile_id}
                waiting = {"$push": {"events": _document_of_event(event)}, "$min": {"events_since": to_micros(at)}}
                await self._bookmarks.update_one(first, change | waiting)
            await self._bookmarks.update_many(wanted, change)
        self._on_commit()
        return marked

    async def erase_profile(self, profile_id: ProfileId) -> int:
        """Delete all that is known of a profile and return the number of bookmarks."""
        with mongo_errors():
            return (await self._bookmarks.delete_many({"profile_id": profile_id})).deleted_count

    async def _find(self, wanted: Document, limit: int = 0) -> list[Bookmark]:
        order = [("last_watched_at", DESCENDING), ("title_id", DESCENDING)]
        with mongo_errors():
            return [_bookmark_of(row) async for row in self._bookmarks.find(wanted).sort(order).limit(limit)]

    async def _commit(self, reports: Sequence[PositionReport]) -> list[Bookmark]:
        """Apply reports in the order of their arrival, one write per document."""
        answers: list[Bookmark | None] = [None] * len(reports)
        waiting: dict[BookmarkKey, list[int]] = {}
        for place, report in enumerate(reports):
            waiting.setdefault(report.key, []).append(place)
        has_events = False
        try:
            with mongo_errors():
                for _ in range(MAX_ROUNDS):
                    has_events |= await self._write_round(reports, waiting, answers)
                    if not waiting:
                        break
        except PyMongoError as error:
            raise ServiceError(
                ErrorKind.UNAVAILABLE, "the position could not be written; send it again in a few seconds"
            ) from error
        if has_events:
            self._on_commit()
        done = [bookmark for bookmark in answers if bookmark is not None]
        if len(done) < len(reports):
            raise ServiceError(ErrorKind.UNAVAILABLE, "too many write this bookmark at once; send the position again")
        return done

    async def _write_round(
        self, reports: Sequence[PositionReport], waiting: dict[BookmarkKey, list[int]], answers: list[Bookmark | None]
    ) -> bool:
        """Try all that waits once; what went through leaves `waiting`. Whether events were written."""
        ids = [_id(key) for key in waiting]
        profiles = sorted({key.profile_id for key in waiting})
        cursor = self._bookmarks.find({"profile_id": {"$in": profiles}, "_id": {"$in": ids}})
        found = {row["_id"]: row async for row in cursor}
        writes: list[ReplaceOne[Document]] = []
        keys: list[BookmarkKey] = []
        outcomes: dict[BookmarkKey, list[Bookmark]] = {}
        has_events = False
        for key, places in waiting.items():
            stored = found.get(_id(key))
            record = None if stored is None else _record_of(stored)
            events: list[Document] = [] if stored is None else list(stored.get("events", ()))
            is_changed, outcomes[key] = False, []
            for place in places:
                heard = hear_report(record, reports[place])
                record, is_changed = heard.record, is_changed or heard.is_new
                outcomes[key].append(record.bookmark)
                if heard.is_news:
                    events.append(_document_of_event(watched_event(record.bookmark)))
            if record is not None and is_changed:
                version = 0 if stored is None else int(stored["version"])
                at_version = {"_id": _id(key), "profile_id": key.profile_id, "version": version}
                writes.append(ReplaceOne(at_version, _document_of(record, version + 1, events), upsert=True))
                keys.append(key)
                has_events |= bool(events)
        lost_places, new_places = await self._write(writes)
        lost = {keys[place] for place in lost_places}
        for key in (keys[place] for place in new_places if _id(keys[place]) in found):
            # Its profile was erased after it was read: what was known stays forgotten, and the report is the first.
            version = int(found[_id(key)]["version"]) + 1
            await self._bookmarks.delete_one({"_id": _id(key), "profile_id": key.profile_id, "version": version})
            lost.add(key)
        for key in [key for key in waiting if key not in lost]:
            for place, bookmark in zip(waiting.pop(key), outcomes[key], strict=True):
                answers[place] = bookmark
        return has_events

    async def _write(self, writes: list[ReplaceOne[Document]]) -> tuple[list[int], list[int]]:
        """Places of the writes that met another version, and of those that met no document and made one."""
        if not writes:
            return [], []
        try:
            written = await self._bookmarks.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            failures = error.details.get("writeErrors", ())
            if error.details.get("writeConcernErrors") or any(row["code"] != DUPLICATE_KEY for row in failures):
                raise
            made = error.details.get("upserted", ())
            return [int(row["index"]) for row in failures], [int(row["index"]) for row in made]
        return [], list(written.upserted_ids or ())


def _id(key: BookmarkKey) -> str:
    return f"{key.profile_id}/{key.title_id}"


def _in_titles(profile_id: ProfileId, title_ids: Collection[TitleId]) -> Document:
    wanted = {"$in": sorted(title_ids)}
    return {"profile_id": profile_id, "$or": [{"title_id": wanted}, {"series_id": wanted}]}


def _document_of_event(event: Event) -> Document:
    return {
        "id": new_id("evt", event.occurred_at),
        "topic": event.topic,
        "kind": event.kind,
        "data": dict(event.data),
        "at": to_micros(event.occurred_at),
    }


def _document_of(record: WatchRecord, version: int, events: list[Document]) -> Document:
    bookmark = record.bookmark
    document: Document = {
        "_id": _id(bookmark.key),
        "profile_id": bookmark.key.profile_id,
        "title_id": bookmark.key.title_id,
        "version": version,
        "account_id": bookmark.account_id,
        "series_id": bookmark.series_id,
        "position_s": bookmark.position_s,
        "duration_s": bookmark.duration_s,
        "completed": bookmark.completed,
        "completed_at": optional_micros(bookmark.completed_at),
        "last_watched_at": to_micros(bookmark.last_watched_at),
        "announced_at": optional_micros(bookmark.announced_at),
        "watch_count": bookmark.watch_count,
        "hidden_at": optional_micros(bookmark.hidden_at),
        "dismissed_at": optional_micros(bookmark.dismissed_at),
        # A list, not an object: names of devices may hold dots and dollars, which are no field names.
        "cursors": [[device, order.session_ordinal, order.sequence] for device, order in record.cursors.items()],
        "floor_ordinal": record.floor_ordinal,
        "counted_ordinal": record.counted_ordinal,
        "events": events,
    }
    if events:
        document["events_since"] = events[0]["at"]
    return document


def _record_of(row: Document) -> WatchRecord:
    cursors = {device: ReportOrder(ordinal, sequence) for device, ordinal, sequence in row["cursors"]}
    return WatchRecord(_bookmark_of(row), cursors, row["floor_ordinal"], row["counted_ordinal"])


def _bookmark_of(row: Document) -> Bookmark:
    series_id: Any = row["series_id"]
    return Bookmark(
        key=BookmarkKey(ProfileId(row["profile_id"]), TitleId(row["title_id"])),
        account_id=AccountId(row["account_id"]),
        series_id=None if series_id is None else TitleId(series_id),
        position_s=row["position_s"],
        duration_s=row["duration_s"],
        completed=row["completed"],
        completed_at=optional_instant(row["completed_at"]),
        last_watched_at=from_micros(row["last_watched_at"]),
        announced_at=optional_instant(row["announced_at"]),
        watch_count=row["watch_count"],
        hidden_at=optional_instant(row["hidden_at"]),
        dismissed_at=optional_instant(row["dismissed_at"]),
    )
