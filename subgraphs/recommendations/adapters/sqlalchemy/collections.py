"""CollectionStore on a relational store: each collection as JSON, each edit with what was there before and after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import MetaData, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subgraphs.kernel.sql import reading, writing
from subgraphs.recommendations.adapters.sqlalchemy.edited_records import edited_tables
from subgraphs.recommendations.domain.collections import MAX_COLLECTIONS, Collection

__all__ = ["PERSONAL_TABLES", "SqlCollectionStore", "collection_edits"]

metadata = MetaData()

tables = edited_tables(metadata, "collection")
collections, collection_edits = tables.records, tables.edits

PERSONAL_TABLES = (tables.personal,)


class SqlCollectionStore:
    """Writes the collection and its edit in one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def all_collections(self) -> Sequence[Collection]:
        """In the order of their ids."""
        async with reading(self._engine) as connection:
            rows = (await connection.execute(select(collections.c.content).order_by(collections.c.id))).scalars()
            return [msgspec.json.decode(content, type=Collection) for content in rows]

    async def save(self, collection: Collection, account_id: str, at: datetime) -> bool:
        """Insert or replace; False, and nothing happens, when it would be one too many."""
        content = msgspec.json.encode(collection, order="sorted")
        async with writing(self._engine) as connection:
            await tables.lock(connection)
            before = await _content(connection, collection.id)
            count = (await connection.execute(select(func.count()).select_from(collections))).scalar_one()
            if before is None and count >= MAX_COLLECTIONS:
                return False
            await connection.execute(delete(collections).where(collections.c.id == collection.id))
            await connection.execute(insert(collections).values(id=collection.id, content=content))
            await connection.execute(tables.edit(collection.id, account_id, at, before=before, after=content))
        return True

    async def remove(self, collection_id: str, account_id: str, at: datetime) -> bool:
        """False when there is none of this id."""
        async with writing(self._engine) as connection:
            await tables.lock(connection)
            before = await _content(connection, collection_id)
            if before is None:
                return False
            await connection.execute(delete(collections).where(collections.c.id == collection_id))
            await connection.execute(tables.edit(collection_id, account_id, at, before=before, after=None))
        return True


async def _content(connection: AsyncConnection, collection_id: str) -> bytes | None:
    wanted = select(collections.c.content).where(collections.c.id == collection_id)
    content: bytes | None = (await connection.execute(wanted)).scalar_one_or_none()
    return content
