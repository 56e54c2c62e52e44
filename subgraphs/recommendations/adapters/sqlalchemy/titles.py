"""TitleStore on a relational store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, MetaData, String, Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.sql import reading, writing
from subgraphs.recommendations.domain.titles import TitleRecord, record_from_snapshot

__all__ = ["SqlTitleStore"]

metadata = MetaData()

titles = Table(
    "titles",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("snapshot", LargeBinary, nullable=False),
    Column("is_withdrawn", Boolean, nullable=False),
    # Whole microseconds since 1970: when the event was made that told the row.
    Column("changed_at", BigInteger, nullable=False, server_default="0"),
)

playable = Table("playable_titles", metadata, Column("id", String(200), primary_key=True))

_NOTHING = b""
"""Instead of a snapshot: of a title of which only its withdrawal was heard."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


READ_AT_ONCE = 1_000


class SqlTitleStore:
    """Snapshots as JSON text; which titles are playable stands beside them, as it comes by another topic."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert

    async def put(self, snapshots: Sequence[Mapping[str, object]], changed_at: datetime) -> frozenset[str]:
        """See TitleStore.put; in one transaction."""
        rows = [{"id": each["id"], "snapshot": orjson.dumps(each), "is_withdrawn": False} for each in snapshots]
        return await self._upsert(rows, changed_at, ("snapshot", "is_withdrawn"))

    async def mark_playable(self, title_id: str) -> None:
        """The title has a film; remembered also when the title itself is not known yet."""
        async with writing(self._engine) as connection:
            await connection.execute(self._insert(playable).values(id=title_id).on_conflict_do_nothing())

    async def withdraw(self, title_ids: Sequence[str], changed_at: datetime) -> frozenset[str]:
        """See TitleStore.withdraw; in one transaction."""
        rows = [{"id": each, "snapshot": _NOTHING, "is_withdrawn": True} for each in title_ids]
        return await self._upsert(rows, changed_at, ("is_withdrawn",))

    async def load(self) -> Sequence[TitleRecord]:
        """All titles that are kept."""
        records, parts = list[TitleRecord](), dict[Any, Any]()
        async with reading(self._engine) as connection:
            playable_ids = set((await connection.execute(select(playable.c.id))).scalars())
            told = select(titles.c.snapshot, titles.c.is_withdrawn).where(titles.c.snapshot != _NOTHING)
            # In pieces: all snapshots at once are as large as what is made of them, and what they took stays taken.
            async for rows in (await connection.stream(told)).partitions(READ_AT_ONCE):
                for row in rows:
                    snapshot = orjson.loads(row.snapshot)
                    record = record_from_snapshot(snapshot, is_playable=snapshot["id"] in playable_ids, known=parts)
                    records.append(record.withdrawn() if row.is_withdrawn else record)
        return records

    async def _upsert(
        self, rows: Sequence[Mapping[str, object]], changed_at: datetime, replaced: Collection[str]
    ) -> frozenset[str]:
        """The ids of the rows that were written: a row that is newer than the news stays as it is."""
        if not rows:
            return frozenset()
        # PostgreSQL refuses to write a row twice in one statement.
        by_id = {row["id"]: row for row in rows}
        told_at = (changed_at - _EPOCH) // _MICROSECOND
        statement = self._insert(titles)
        excluded: Any = statement.excluded
        changing = statement.on_conflict_do_update(
            index_elements=["id"],
            set_={name: excluded[name] for name in (*replaced, "changed_at")},
            where=titles.c.changed_at <= excluded.changed_at,
        )
        async with writing(self._engine) as connection:
            written = await connection.execute(
                changing.returning(titles.c.id), [{**row, "changed_at": told_at} for row in by_id.values()]
            )
            return frozenset(written.scalars())
