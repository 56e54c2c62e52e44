"""TitleStore on a relational store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson
from sqlalchemy import Boolean, Column, LargeBinary, MetaData, String, Table, select, update
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
)

playable = Table("playable_titles", metadata, Column("id", String(200), primary_key=True))


class SqlTitleStore:
    """Snapshots as JSON text; which titles are playable stands beside them, as it comes by another topic."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert

    async def put(self, snapshots: Sequence[Mapping[str, object]]) -> None:
        """Insert or replace snapshots that have been read well, in one transaction."""
        if not snapshots:
            return
        statement = self._insert(titles)
        statement = statement.on_conflict_do_update(
            index_elements=["id"],
            set_={"snapshot": statement.excluded.snapshot, "is_withdrawn": statement.excluded.is_withdrawn},
        )
        rows = [
            {"id": snapshot["id"], "snapshot": orjson.dumps(snapshot), "is_withdrawn": False} for snapshot in snapshots
        ]
        async with writing(self._engine) as connection:
            await connection.execute(statement, rows)

    async def mark_playable(self, title_id: str) -> None:
        """The title has a film; remembered also when the title itself is not known yet."""
        async with writing(self._engine) as connection:
            await connection.execute(self._insert(playable).values(id=title_id).on_conflict_do_nothing())

    async def withdraw(self, title_ids: Sequence[str]) -> None:
        """The titles are there for nobody any more."""
        if not title_ids:
            return
        async with writing(self._engine) as connection:
            await connection.execute(update(titles).where(titles.c.id.in_(list(title_ids))).values(is_withdrawn=True))

    async def load(self) -> Sequence[TitleRecord]:
        """All titles that are kept."""
        async with reading(self._engine) as connection:
            rows = (await connection.execute(select(titles.c.snapshot, titles.c.is_withdrawn))).all()
            playable_ids = set((await connection.execute(select(playable.c.id))).scalars())
        records = []
        for row in rows:
            snapshot = orjson.loads(row.snapshot)
            record = record_from_snapshot(snapshot, is_playable=snapshot["id"] in playable_ids)
            records.append(record.withdrawn() if row.is_withdrawn else record)
        return records
