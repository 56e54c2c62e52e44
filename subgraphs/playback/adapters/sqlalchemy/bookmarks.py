"""BookmarkStore on a relational store, with the events about watching in the same transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ARRAY, Row, Select, String, and_, bindparam, delete, func, or_, select, text, tuple_, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from common.errors import ErrorKind, ServiceError
from common.events import Event
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.kernel.sql import reading, writing
from subgraphs.playback.adapters.group_commit import GroupCommit
from subgraphs.playback.adapters.instants import from_micros, optional_instant, optional_micros, to_micros
from subgraphs.playback.adapters.sqlalchemy import tables
from subgraphs.playback.adapters.sqlalchemy.file_reader import SqliteFileReader
from subgraphs.playback.adapters.sqlalchemy.tables import upsert
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

__all__ = ["SqlBookmarkStore", "row_of_record"]


_LOCK_PROFILES = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(profile, 0)) FROM unnest(:profiles) AS profile"
).bindparams(bindparam("profiles", type_=ARRAY(String)))


class _BookmarkRow(NamedTuple):
    """What a bookmark is made of: the table's columns without those that only order reports."""

    profile_id: str
    title_id: str
    account_id: str
    series_id: str | None
    position_s: float
    duration_s: float
    completed: bool
    completed_at: int | None
    last_watched_at: int
    announced_at: int | None
    watch_count: int
    hidden_at: int | None
    dismissed_at: int | None


def _bookmarks_among(wanted: Any) -> Select[Any]:
    """A profile's bookmarks in titles, or in episodes of series, that are among `wanted`, most recent first."""
    columns = tables.bookmarks.c
    return (
        select(*(columns[name] for name in _BookmarkRow._fields))
        .where(
            columns.profile_id == bindparam("profile_id"),
            or_(columns.title_id.in_(wanted), columns.series_id.in_(wanted)),
        )
        .order_by(columns.last_watched_at.desc(), columns.title_id.desc())
    )


_AMONG_LISTED = _bookmarks_among(bindparam("wanted", expanding=True))
_AMONG_JSON = str(
    # One parameter for all ids: the same text for any number of them.
    _bookmarks_among(select(func.json_each(bindparam("wanted")).table_valued("value").c.value)).compile(
        dialect=sqlite.dialect(paramstyle="named")
    )
)


@dataclass(slots=True)
class _Batch:
    """What a transaction has read and changed so far."""

    records: dict[BookmarkKey, WatchRecord]
    changed: dict[BookmarkKey, None]
    events: list[Event]


class SqlBookmarkStore:
    """Use inside `running()`, which owns the writer. `on_commit` is called after a commit that left events.

    `reader` reads the same file as the engine, where that is SQLite's; without one the engine reads everything.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        on_commit: Callable[[], None] = lambda: None,
        reader: SqliteFileReader | None = None,
    ) -> None:
        self._engine = engine
        self._on_commit = on_commit
        self._reader = reader
        self._upsert = upsert(engine, tables.bookmarks)
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
        columns = tables.bookmarks.c
        statement = select(tables.bookmarks).where(columns.profile_id == profile_id, columns.title_id == title_id)
        async with reading(self._engine) as connection:
            row = (await connection.execute(statement)).one_or_none()
        return None if row is None else _bookmark_of_row(row)

    async def bookmarks(self, profile_id: ProfileId, title_ids: Collection[TitleId]) -> Sequence[Bookmark]:
        """Bookmarks in these titles or in episodes of these series, most recent first, in one query."""
        if not title_ids:
            return []
        wanted = sorted(title_ids)
        if self._reader is not None:
            rows = await self._reader.rows(
                _AMONG_JSON, {"profile_id": profile_id, "wanted": orjson.dumps(wanted).decode()}
            )
            return [_bookmark_of_row(_BookmarkRow._make(row)) for row in rows]
        async with reading(self._engine) as connection:
            found = await connection.execute(_AMONG_LISTED, {"profile_id": profile_id, "wanted": wanted})
            return [_bookmark_of_row(row) for row in found.all()]

    async def history(
        self, profile_id: ProfileId, *, limit: int, before: HistoryPosition | None = None
    ) -> Sequence[Bookmark]:
        """At most `limit` bookmarks, most recent first."""
        columns = tables.bookmarks.c
        statement = select(tables.bookmarks).where(columns.profile_id == profile_id, columns.hidden_at.is_(None))
        if before is not None:
            at = to_micros(before.last_watched_at)
            statement = statement.where(
                or_(
                    columns.last_watched_at < at,
                    and_(columns.last_watched_at == at, columns.title_id < before.title_id),
                )
            )
        statement = statement.order_by(columns.last_watched_at.desc(), columns.title_id.desc()).limit(limit)
        async with reading(self._engine) as connection:
            return [_bookmark_of_row(row) for row in (await connection.execute(statement)).all()]

    async def seen_episodes(self, profile_id: ProfileId, series_ids: Collection[TitleId]) -> set[TitleId]:
        """Episodes of these series that were ever completed."""
        if not series_ids:
            return set()
        columns = tables.bookmarks.c
        statement = select(columns.title_id).where(
            columns.profile_id == profile_id,
            columns.series_id.in_(sorted(series_ids)),
            columns.completed_at.is_not(None),
            columns.hidden_at.is_(None),
        )
        async with reading(self._engine) as connection:
            return {TitleId(row.title_id) for row in (await connection.execute(statement)).all()}

    async def mark(
        self, profile_id: ProfileId, title_ids: Collection[TitleId], mark: Mark, at: datetime, *, is_set: bool
    ) -> Sequence[TitleId]:
        """Set or take away a mark on these titles and the episodes of these series, with the event that tells of it."""
        columns, wanted = tables.bookmarks.c, sorted(title_ids)
        statement = (
            update(tables.bookmarks)
            .where(columns.profile_id == profile_id, or_(columns.title_id.in_(wanted), columns.series_id.in_(wanted)))
            .values({mark.value: to_micros(at) if is_set else None})
            .returning(columns.title_id, columns.account_id)
        )
        async with writing(self._engine) as connection:
            rows = sorted((await connection.execute(statement)).all(), key=lambda row: str(row.title_id))
            title_ids = [TitleId(row.title_id) for row in rows]
            if rows:
                account_id = AccountId(rows[0].account_id)
                events = history_events(profile_id, account_id, title_ids, mark, at, is_set=is_set)
                await tables.outbox.add(connection, events)
        if rows:
            self._on_commit()
        return title_ids

    async def erase_profile(self, profile_id: ProfileId) -> int:
        """Delete all that is known of a profile and return the number of bookmarks."""
        statement = delete(tables.bookmarks).where(tables.bookmarks.c.profile_id == profile_id)
        async with writing(self._engine) as connection:
            return (await connection.execute(statement)).rowcount

    async def _commit(self, reports: Sequence[PositionReport]) -> list[Bookmark]:
        """Apply reports in the order of their arrival and write only what came out: one row per bookmark and device."""
        try:
            async with writing(self._engine) as connection:
                batch = await self._read(connection, reports)
                answers = [_apply(batch, report) for report in reports]
                await self._write(connection, batch)
        except SQLAlchemyError as error:
            raise ServiceError(
                ErrorKind.UNAVAILABLE, "the position could not be written; send it again in a few seconds"
            ) from error
        if batch.events:
            self._on_commit()
        return answers

    async def _read(self, connection: AsyncConnection, reports: Sequence[PositionReport]) -> _Batch:
        keys = list(dict.fromkeys((report.key.profile_id, report.key.title_id) for report in reports))
        columns = tables.bookmarks.c
        if self._engine.dialect.name == "postgresql":
            # Two processes on one PostgreSQL: the second waits and sees what the first wrote, also where there is no
            # row to lock yet. In one order, so that they never wait for each other. SQLite has one writer.
            profiles = sorted({report.key.profile_id for report in reports})
            await connection.execute(_LOCK_PROFILES, {"profiles": profiles})
        rows = await connection.execute(
            select(tables.bookmarks)
            .where(tuple_(columns.profile_id, columns.title_id).in_(keys))
            .order_by(columns.profile_id, columns.title_id)
            .with_for_update()
        )
        records = {record.bookmark.key: record for record in map(_record_of_row, rows.all())}
        return _Batch(records, changed={}, events=[])

    async def _write(self, connection: AsyncConnection, batch: _Batch) -> None:
        if batch.changed:
            rows = [row_of_record(batch.records[key]) for key in batch.changed]
            await connection.execute(self._upsert, rows)
        await tables.outbox.add(connection, batch.events)


def _apply(batch: _Batch, report: PositionReport) -> Bookmark:
    heard = hear_report(batch.records.get(report.key), report)
    bookmark = heard.record.bookmark
    if heard.is_new:
        batch.records[report.key] = heard.record
        batch.changed[report.key] = None
    if heard.is_news:
        batch.events.append(watched_event(bookmark))
    return bookmark


def row_of_record(record: WatchRecord) -> dict[str, Any]:
    """A record as `tables.bookmarks` holds it, for those who bring in very many at once."""
    return {
        **_row_of_bookmark(record.bookmark),
        "cursors": {device: [order.session_ordinal, order.sequence] for device, order in record.cursors.items()},
        "floor_ordinal": record.floor_ordinal,
        "counted_ordinal": record.counted_ordinal,
    }


def _record_of_row(row: Row[Any]) -> WatchRecord:
    cursors = {device: ReportOrder(ordinal, sequence) for device, (ordinal, sequence) in row.cursors.items()}
    return WatchRecord(_bookmark_of_row(row), cursors, row.floor_ordinal, row.counted_ordinal)


def _row_of_bookmark(bookmark: Bookmark) -> dict[str, Any]:
    return {
        "profile_id": bookmark.key.profile_id,
        "title_id": bookmark.key.title_id,
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
    }


def _bookmark_of_row(row: Row[Any] | _BookmarkRow) -> Bookmark:
    return Bookmark(
        key=BookmarkKey(ProfileId(row.profile_id), TitleId(row.title_id)),
        account_id=AccountId(row.account_id),
        series_id=None if row.series_id is None else TitleId(row.series_id),
        position_s=row.position_s,
        duration_s=row.duration_s,
        completed=bool(row.completed),  # SQLite itself knows 0 and 1
        completed_at=optional_instant(row.completed_at),
        last_watched_at=from_micros(row.last_watched_at),
        announced_at=optional_instant(row.announced_at),
        watch_count=row.watch_count,
        hidden_at=optional_instant(row.hidden_at),
        dismissed_at=optional_instant(row.dismissed_at),
    )
