"""CollectionStore on a relational store: each collection as JSON, each edit with what was there before and after."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Column, Insert, LargeBinary, MetaData, String, Table, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subgraphs.kernel.personal_data import Owner
from subgraphs.kernel.personal_tables import Ending, PersonalTable
from subgraphs.kernel.sql import UtcDateTime, reading, writing
from subgraphs.recommendations.domain.collections import MAX_COLLECTIONS, Collection

__all__ = ["PERSONAL_TABLES", "SqlCollectionStore"]

metadata = MetaData()

collections = Table(
    "collections",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

collection_edits = Table(
    "collection_edits",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("account_id", String(64), nullable=False),
    Column("collection_id", String(64), nullable=False),
    Column("before", LargeBinary),
    Column("after", LargeBinary),
)

PERSONAL_TABLES = (
    # What was done stays known, and by whom no longer.
    PersonalTable(
        collection_edits.c.account_id, Owner.ACCOUNT, hidden=frozenset({"before", "after"}), ending=Ending.ANONYMISED
    ),
)


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
            before = await _content(connection, collection.id)
            count = (await connection.execute(select(func.count()).select_from(collections))).scalar_one()
            if before is None and count >= MAX_COLLECTIONS:
                return False
            await connection.execute(delete(collections).where(collections.c.id == collection.id))
            await connection.execute(insert(collections).values(id=collection.id, content=content))
            await connection.execute(_edit(collection.id, account_id, at, before, content))
        return True

    async def remove(self, collection_id: str, account_id: str, at: datetime) -> bool:
        """False when there is none of this id."""
        async with writing(self._engine) as connection:
            before = await _content(connection, collection_id)
            if before is None:
                return False
            await connection.execute(delete(collections).where(collections.c.id == collection_id))
            await connection.execute(_edit(collection_id, account_id, at, before, None))
        return True


async def _content(connection: AsyncConnection, collection_id: str) -> bytes | None:
    wanted = select(collections.c.content).where(collections.c.id == collection_id)
    content: bytes | None = (await connection.execute(wanted)).scalar_one_or_none()
    return content


def _edit(collection_id: str, account_id: str, at: datetime, before: bytes | None, after: bytes | None) -> Insert:
    return insert(collection_edits).values(
        id=uuid.uuid4().hex, at=at, account_id=account_id, collection_id=collection_id, before=before, after=after
    )
