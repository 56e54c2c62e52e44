"""Single SELECTs on a SQLite file, each with one turn to a thread and back.

The problem: through the engine a read takes nine such turns (connect, BEGIN, cursor, execute, fetch, close, ROLLBACK
and so on), and SQLAlchemy writes the statement anew for every length of a list. For a page's bookmarks that was 0.85 ms
of processor time, of which SQLite's own work is 0.04 ms. The idea: one thread has a read-only connection of its own,
takes statements that are ready from a queue, and gives back all rows. A single SELECT outside of a transaction sees one
consistent state, and all that was committed before it began, by whichever process; `reading` promises no more.

Known limit: reads wait for each other. Each takes tens of microseconds; long ones belong to the engine.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeAlias

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.sql import BUSY_TIMEOUT_S

__all__ = ["Rows", "SqliteFileReader", "open_file_reader", "sqlite_file"]

log = structlog.get_logger(__name__)

Rows: TypeAlias = list[tuple[Any, ...]]
"""Values as SQLite has them: truth is 0 or 1, JSON is text."""


@dataclass(frozen=True, slots=True)
class _Read:
    statement: str
    parameters: Mapping[str, Any]
    loop: asyncio.AbstractEventLoop
    rows: asyncio.Future[Rows]


def sqlite_file(engine: AsyncEngine) -> Path | None:
    """The file that an engine works on; None for other databases."""
    return Path(str(engine.url.database)) if engine.dialect.name == "sqlite" else None


@asynccontextmanager
async def open_file_reader(path: Path) -> AsyncIterator[SqliteFileReader]:
    """A reader of an existing file, which it opens when first used; closed at the block's end."""
    reader = SqliteFileReader(path)
    try:
        yield reader
    finally:
        await reader.aclose()


class SqliteFileReader:
    """A thread that reads; concurrent reads are answered in the order of asking."""

    def __init__(self, path: Path) -> None:
        self._address = f"{path.absolute().as_uri()}?mode=ro"
        self._connection: sqlite3.Connection | None = None
        # A queue and a future, not an executor: that one costs four times as much for each turn (measured, 80 µs).
        self._reads: SimpleQueue[_Read | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="sqlite-reader", daemon=True)
        self._thread.start()

    async def rows(self, statement: str, parameters: Mapping[str, Any]) -> Rows:
        """All rows of one SELECT; raises ServiceError(UNAVAILABLE) when the file can't be read for the moment."""
        loop = asyncio.get_running_loop()
        read = _Read(statement, parameters, loop, loop.create_future())
        self._reads.put(read)
        try:
            return await read.rows
        except (sqlite3.OperationalError, sqlite3.InterfaceError) as error:
            log.warning("store.unavailable", error=str(error), error_type=type(error).__name__)
            raise ServiceError(ErrorKind.UNAVAILABLE, "the store can't be reached or is busy; try again") from error

    async def aclose(self) -> None:
        """Answer what waits, then end the thread. Called once, after the last read was asked for."""
        self._reads.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (read := self._reads.get()) is not None:
            rows: Rows | BaseException
            try:
                rows = self._connected().execute(read.statement, read.parameters).fetchall()
            except Exception as error:  # noqa: BLE001  # the thread's edge: handed to whoever asked
                self._disconnect()
                rows = error
            try:
                read.loop.call_soon_threadsafe(_settle, read.rows, rows)
            except RuntimeError:  # the loop is closed: nobody waits any more
                continue
        self._disconnect()

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._address, BUSY_TIMEOUT_S, isolation_level=None, uri=True)
        return self._connection

    def _disconnect(self) -> None:
        """After an error, too: the next read opens the file anew."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _settle(future: asyncio.Future[Rows], rows: Rows | BaseException) -> None:
    if future.done():  # its caller was cancelled
        return
    if isinstance(rows, BaseException):
        future.set_exception(rows)
    else:
        future.set_result(rows)
