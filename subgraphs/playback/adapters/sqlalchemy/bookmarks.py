"""BookmarkStore on a relational store, with the events about watching in the same transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, and_, delete, func, or_, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from common.errors import ErrorKind, ServiceError
from common.events import Event
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.kernel.sql import reading, writing
from subgraphs.playback.adapters.sqlalchemy import tables
from subgraphs.playback.adapters.group_commit import GroupCommit
from subgraphs.playback.adapters.sqlalchemy.tables import from_micros, to_micros, upsert
from subgraphs.playback.domain.bookmarks import (
    Bookmark,
    BookmarkKey,
    PositionReport,
    ReportOrder,
    apply_report,
    is_in_order,
)
from subgraphs.playback.domain.events import watched_event
from subgraphs.playback.ports import HistoryPosition

__all__ = ["SqlBookmarkStore"]

ANNOUNCE_EVERY = timedelta(seconds=30)
"""Progress is told to others at most this often; the first report, reaching the end and the stop always are."""

_CursorKey = tuple[str, str, str]


@dataclass(slots=True)
class _Batch:
    """What a transaction has read and changed so far."""

    bookmarks: dict[BookmarkKey, Bookmark]
    cursors: dict[_CursorKey, ReportOrder]
    changed: dict[BookmarkKey, None]
    moved: dict[_CursorKey, None]
    events: list[Event]


class SqlBookmarkStore:
    """Use inside `running()`, which owns the writer. `on_commit` is called after a commit that left events."""

    def __init__(self, engine: AsyncEngine, on_commit: Callable[[], None] = lambda: None) -> None:
        self._engine = engine
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
        columns = tables.bookmarks.c
        statement = select(tables.bookmarks).where(columns.profile_id == profile_id, columns.title_id == title_id)
        async with reading(self._engine) as connection:
            row = (await connection.execute(statement)).one_or_none()
        return None if row is None else _bookmark_of_row(row)

    async def bookmarks(self, profile_id: ProfileId, title_ids: Collection[TitleId]) -> Sequence[Bookmark]:
        """Bookmarks in these titles or in episodes of these series, most recent first, in one query."""
        if not title_ids:
            return []
        columns, wanted = tables.bookmarks.c, sorted(title_ids)
        statement = (
            select(tables.bookmarks)
            .where(columns.profile_id == profile_id, or_(columns.title_id.in_(wanted), columns.series_id.in_(wanted)))
            .order_by(columns.last_watched_at.desc(), columns.title_id.desc())
        )
        async with reading(self._engine) as connection:
            return [_bookmark_of_row(row) for row in (await connection.execute(statement)).all()]

    async def history(
        self, profile_id: ProfileId, *, limit: int, before: HistoryPosition | None = None
    ) -> Sequence[Bookmark]:
        """At most `limit` bookmarks, most recent first."""
        columns = tables.bookmarks.c
        statement = select(tables.bookmarks).where(columns.profile_id == profile_id)
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
        )
        async with reading(self._engine) as connection:
            return {TitleId(row.title_id) for row in (await connection.execute(statement)).all()}

    async def erase_profile(self, profile_id: ProfileId) -> int:
        """Delete all that is known of a profile and return the number of bookmarks."""
        async with writing(self._engine) as connection:
            count = await connection.scalar(
                select(func.count()).select_from(tables.bookmarks).where(tables.bookmarks.c.profile_id == profile_id)
            )
            for table in (tables.bookmarks, tables.device_cursors):
                await connection.execute(delete(table).where(table.c.profile_id == profile_id))
        return count or 0

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
        cursor_keys = list(dict.fromkeys(_cursor_key(report) for report in reports))
        columns, cursors = tables.bookmarks.c, tables.device_cursors.c
        rows = await connection.execute(
            select(tables.bookmarks)
            .where(tuple_(columns.profile_id, columns.title_id).in_(keys))
            # Two processes on one PostgreSQL: the second waits and sees what the first wrote. SQLite has one writer.
            .with_for_update()
        )
        cursor_rows = await connection.execute(
            select(tables.device_cursors).where(
                tuple_(cursors.profile_id, cursors.title_id, cursors.device_id).in_(cursor_keys)
            )
        )
        return _Batch(
            bookmarks={bookmark.key: bookmark for bookmark in map(_bookmark_of_row, rows.all())},
            cursors={
                (row.profile_id, row.title_id, row.device_id): ReportOrder(row.session_ordinal, row.sequence)
                for row in cursor_rows.all()
            },
            changed={},
            moved={},
            events=[],
        )

    async def _write(self, connection: AsyncConnection, batch: _Batch) -> None:
        if batch.changed:
            rows = [_row_of_bookmark(batch.bookmarks[key]) for key in batch.changed]
            await connection.execute(upsert(self._engine, tables.bookmarks), rows)
        if batch.moved:
            names = ("profile_id", "title_id", "device_id")
            orders = [(key, batch.cursors[key]) for key in batch.moved]
            cursor_rows = [
                {
                    **dict(zip(names, key, strict=True)),
                    "session_ordinal": order.session_ordinal,
                    "sequence": order.sequence,
                }
                for key, order in orders
            ]
            await connection.execute(upsert(self._engine, tables.device_cursors), cursor_rows)
        await tables.outbox.add(connection, batch.events)


def _apply(batch: _Batch, report: PositionReport) -> Bookmark:
    before = batch.bookmarks.get(report.key)
    cursor_key = _cursor_key(report)
    if not is_in_order(batch.cursors.get(cursor_key), report) and before is not None:
        return before
    after = apply_report(before, report)
    if _is_worth_telling(before, after, report):
        after = replace(after, announced_at=report.received_at)
        batch.events.append(watched_event(after))
    batch.bookmarks[report.key] = after
    batch.cursors[cursor_key] = report.order
    batch.changed[report.key] = None
    batch.moved[cursor_key] = None
    return after


def _is_worth_telling(before: Bookmark | None, after: Bookmark, report: PositionReport) -> bool:
    if before is None or before.announced_at is None or report.is_final or after.completed != before.completed:
        return True
    return report.received_at - before.announced_at >= ANNOUNCE_EVERY


def _cursor_key(report: PositionReport) -> _CursorKey:
    return (report.key.profile_id, report.key.title_id, report.device_id)


def _row_of_bookmark(bookmark: Bookmark) -> dict[str, Any]:
    return {
        "profile_id": bookmark.key.profile_id,
        "title_id": bookmark.key.title_id,
        "account_id": bookmark.account_id,
        "series_id": bookmark.series_id,
        "position_s": bookmark.position_s,
        "duration_s": bookmark.duration_s,
        "completed": bookmark.completed,
        "completed_at": None if bookmark.completed_at is None else to_micros(bookmark.completed_at),
        "last_watched_at": to_micros(bookmark.last_watched_at),
        "announced_at": None if bookmark.announced_at is None else to_micros(bookmark.announced_at),
    }


def _bookmark_of_row(row: Row[Any]) -> Bookmark:
    return Bookmark(
        key=BookmarkKey(ProfileId(row.profile_id), TitleId(row.title_id)),
        account_id=AccountId(row.account_id),
        series_id=None if row.series_id is None else TitleId(row.series_id),
        position_s=row.position_s,
        duration_s=row.duration_s,
        completed=row.completed,
        completed_at=None if row.completed_at is None else from_micros(row.completed_at),
        last_watched_at=from_micros(row.last_watched_at),
        announced_at=None if row.announced_at is None else from_micros(row.announced_at),
    )
