"""Reading a SQLite file beside its writers."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.sql import open_engine, sqlite_url
from subgraphs.playback.adapters.sqlalchemy.file_reader import open_file_reader, sqlite_file


def write(path: Path, *statements: str) -> None:
    """In a connection of its own, as another process does."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


async def test_what_another_connection_committed_is_seen_by_the_next_read(tmp_path: Path) -> None:
    """Nothing is kept between reads, and none holds back the writers."""
    path = tmp_path / "a folder #1" / "numbers.sqlite"
    path.parent.mkdir()
    write(path, "CREATE TABLE numbers (number INTEGER)")
    async with open_file_reader(path) as reader:
        for number in range(3):
            write(path, f"INSERT INTO numbers VALUES ({number})")
            found = await reader.rows("SELECT number FROM numbers WHERE number <= :top ORDER BY number", {"top": 9})
            assert [(each,) for each in range(number + 1)] == found
        write(path, "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")


async def test_reads_at_once_are_answered_each_with_its_own(tmp_path: Path) -> None:
    """One thread serves them all; a caller that leaves takes nobody's answer along."""
    path = tmp_path / "numbers.sqlite"
    write(path, "CREATE TABLE numbers (number INTEGER)")
    async with open_file_reader(path) as reader:
        reads = [asyncio.create_task(reader.rows("SELECT :number", {"number": number})) for number in range(20)]
        await asyncio.sleep(0)
        reads[3].cancel()
        answers = await asyncio.gather(*reads, return_exceptions=True)
    assert isinstance(answers.pop(3), asyncio.CancelledError)
    assert [[(number,)] for number in range(20) if number != 3] == answers


async def test_a_file_that_can_not_be_read_is_unavailable_until_it_can(tmp_path: Path) -> None:
    """The caller is told to try again, and the next try opens the file anew."""
    path = tmp_path / "numbers.sqlite"
    async with open_file_reader(path) as reader:
        with pytest.raises(ServiceError) as refused:
            await reader.rows("SELECT 1", {})
        assert refused.value.kind is ErrorKind.UNAVAILABLE
        write(path, "CREATE TABLE numbers (number INTEGER)")
        assert await reader.rows("SELECT 1", {}) == [(1,)]


async def test_reading_never_writes(tmp_path: Path) -> None:
    """The connection is read-only, whatever statement it is given."""
    path = tmp_path / "numbers.sqlite"
    write(path, "CREATE TABLE numbers (number INTEGER)")
    async with open_file_reader(path) as reader:
        with pytest.raises(ServiceError):
            await reader.rows("INSERT INTO numbers VALUES (1)", {})


async def test_only_sqlite_has_a_file(tmp_path: Path) -> None:
    """Other databases are read through their engine."""
    file, server = open_engine(sqlite_url(tmp_path / "a.sqlite")), open_engine("postgresql+asyncpg://127.0.0.1/a")
    try:
        assert sqlite_file(file) == tmp_path / "a.sqlite"
        assert sqlite_file(server) is None
    finally:
        await file.dispose()
        await server.dispose()
