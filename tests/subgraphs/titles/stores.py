"""Title stores for the contract's tests: each one opened empty, on a file or on a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import update

from subgraphs.kernel.sql import sqlite_url, writing
from subgraphs.titles.adapters.mongo import MongoTitleStore, schema
from subgraphs.titles.adapters.sql import SqlTitleStore, tables
from subgraphs.titles.ports import TitleStore

STORES = ("sqlite", "postgres", "mongodb")


@asynccontextmanager
async def opened_store(kind: str, request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[TitleStore]:
    """Skips the test when the store's server is not there."""
    if kind == "mongodb":
        async with MongoTitleStore.open(request.getfixturevalue("mongodb_url")) as store:
            yield store
        return
    url = sqlite_url(folder / "titles.sqlite") if kind == "sqlite" else str(request.getfixturevalue("postgres_url"))
    sql_store = await SqlTitleStore.open(url)
    try:
        yield sql_store
    finally:
        await sql_store.aclose()


async def empty(store: TitleStore) -> None:
    """Whatever is in it is gone, as for the next example of a property."""
    if isinstance(store, SqlTitleStore):
        async with writing(store._engine) as connection:
            await connection.execute(update(tables.followers).values(confirmed=0))
            for table in reversed(tables.metadata.sorted_tables):
                if table.name != tables.followers.name:
                    await connection.execute(table.delete())
        return
    assert isinstance(store, MongoTitleStore)
    for name in schema.SCHEMA.indexes:
        if name not in {schema.FOLLOWERS, schema.LOG}:
            await store._database.collection(name).delete_many({})
