"""The SQL store's forms over time: what the migrations make, what they take over, and the way back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, inspect

from subgraphs.kernel.migrations import downgrade, upgrade
from subgraphs.kernel.sql import open_engine, reading, sqlite_url
from subgraphs.titles.adapters.sql import SqlTitleStore
from subgraphs.titles.adapters.sql.store import MIGRATIONS
from subgraphs.titles.adapters.sql.tables import metadata
from subgraphs.titles.demo import load_demo

UNVERSIONED = Path(__file__).parent / "files" / "unversioned.sql"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return sqlite_url(tmp_path / "titles.sqlite")


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def _table_names(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_migrations_make_what_the_tables_say(url: str) -> None:
    """Up, all the way down, and up again: tables, columns and indexes are those of `tables`."""
    engine = open_engine(url)
    try:
        await upgrade(engine, MIGRATIONS)
        await downgrade(engine, MIGRATIONS, "base")
        async with reading(engine) as connection:
            assert await connection.run_sync(_table_names) == {"alembic_version"}
        await upgrade(engine, MIGRATIONS)
        await upgrade(engine, MIGRATIONS)
        async with reading(engine) as connection:
            assert await connection.run_sync(_differences) == []
    finally:
        await engine.dispose()


async def test_takes_over_a_file_from_before_alembic(tmp_path: Path) -> None:
    """Its titles, its change log and its followers' positions are there, and what follows has the newest form."""
    path = tmp_path / "titles.sqlite"
    with sqlite3.connect(path) as before:
        before.executescript(UNVERSIONED.read_text("utf-8"))
    before.close()
    store = await SqlTitleStore.open(sqlite_url(path))
    try:
        wanted = {title.id: title for title in load_demo().titles if title.id in {"mov_the-kid-1921", "mov_haxan-1922"}}
        found = await store.titles(sorted(wanted))
        assert {title.display_name for title in wanted.values()} == {title.display_name for title in found.values()}
        assert [title.credits for title in found.values()] == [wanted[title_id].credits for title_id in found]
        assert [change.sequence for change in await store.changes_for("events", 10)] == [1, 2]
        assert await store.changes_for("search", 10) == []
        await store.save(list(found.values()))
        assert [change.sequence for change in await store.changes_for("search", 10)] == [3, 4]
        async with reading(store._engine) as connection:
            assert await connection.run_sync(_differences) == []
    finally:
        await store.aclose()


async def test_refuses_a_store_of_a_newer_program(url: str) -> None:
    """By the revision that it does not know; nothing is changed."""
    await (await SqlTitleStore.open(url)).aclose()
    engine = open_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(CommandError, match="9999"):
            await SqlTitleStore.open(url)
    finally:
        await engine.dispose()
