"""SQL stores: SQLite embedded, PostgreSQL by URL, with the same promises from both.

SQLite runs in WAL mode with foreign keys on, and a writing transaction takes the write lock at its start (BEGIN
IMMEDIATE), so that reading before writing in one transaction is safe, as SELECT … FOR UPDATE makes it on PostgreSQL.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Connection, DateTime, Dialect, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.types import TypeDecorator

from common.errors import ErrorKind, ServiceError

__all__ = ["UtcDateTime", "check_store", "open_engine", "reading", "rewrite_file", "sqlite_url", "writing"]

log = structlog.get_logger(__name__)

BUSY_TIMEOUT_S = 5.0
"""How long a writer waits for another's lock; longer means something hangs."""
STATEMENT_TIMEOUT_S = 5.0
POOL_SIZE = 8
POOL_WAIT_S = 2.0

_PASSING_STATES = ("08", "40", "53", "55P03", "57")
"""SQLSTATEs, or their classes, that another try may not meet: connections that broke, deadlocks, a server that has
no room, locks that took too long, statements and servers that were stopped."""

_WRITING = {"marquee_writing": True}

_TURNS: WeakKeyDictionary[AsyncEngine, asyncio.Lock] = WeakKeyDictionary()


@asynccontextmanager
async def _turn(engine: AsyncEngine) -> AsyncIterator[None]:
    """A process's turn to write to its SQLite file, in the order of asking; PostgreSQL needs none.

    SQLite's own lock is asked for again and again with pauses: a writer that pauses never gets it from one that writes
    without pause. Raises TimeoutError when the turn does not come within BUSY_TIMEOUT_S.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    turn = _TURNS.setdefault(engine, asyncio.Lock())
    async with asyncio.timeout(BUSY_TIMEOUT_S):
        await turn.acquire()
    try:
        yield
    finally:
        turn.release()


class _SqliteConnection(sqlite3.Connection):
    """One that never takes a transaction with it when it closes.

    A cancelled statement closes its connection, and SQLite keeps a closed one, with its lock on the file, for as long
    as anything still refers to the statement, such as the traceback of the cancellation.
    """

    def close(self) -> None:
        """Roll back, then close."""
        with suppress(sqlite3.Error):
            self.rollback()
        super().close()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, to the microsecond; SQLite, which knows no zones, keeps it as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware in; raises ValueError for a naive one, whose zone nobody knows."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant needs a time zone, got {value.isoformat()}")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware UTC out."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file; its folder is made when missing, for the owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return f"sqlite+aiosqlite:///{path.absolute()}"


def open_engine(url: str, statement_timeout_s: float | None = None) -> AsyncEngine:
    """An engine for `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`; raises ValueError for another scheme.

    It connects when first used. Dispose of it when done. `statement_timeout_s` is PostgreSQL's, None:
    STATEMENT_TIMEOUT_S.
    """
    timeout_s = STATEMENT_TIMEOUT_S if statement_timeout_s is None else statement_timeout_s
    scheme = make_url(url).drivername
    if scheme == "sqlite+aiosqlite":
        engine = create_async_engine(
            url,
            connect_args={"timeout": BUSY_TIMEOUT_S, "factory": _SqliteConnection},
            pool_size=POOL_SIZE,
            pool_timeout=POOL_WAIT_S,
            # Errors go to logs, and parameters are people's names, addresses and hashes.
            hide_parameters=True,
        )
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    if scheme == "postgresql+asyncpg":
        return create_async_engine(
            url,
            connect_args={
                "command_timeout": timeout_s,
                "server_settings": {"statement_timeout": str(int(timeout_s * 1000))},
            },
            pool_size=POOL_SIZE,
            pool_timeout=POOL_WAIT_S,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    raise ValueError(f"database URL has scheme {scheme!r}; wanted sqlite+aiosqlite or postgresql+asyncpg")


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for reading one consistent state; raises ServiceError(UNAVAILABLE) when the store is away."""
    with _translating():
        async with engine.connect() as connection:
            yield connection


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction that commits when the block ends and rolls back when it raises.

    Raises ServiceError(UNAVAILABLE) when the store is away, or when another writer held its lock too long.
    """
    with _translating():
        async with _turn(engine), engine.connect() as connection:
            await connection.execution_options(**_WRITING)
            async with connection.begin():
                yield connection


async def rewrite_file(engine: AsyncEngine) -> None:
    """SQLite: write the file anew without what deleted rows left behind, and empty its write-ahead log.

    Nothing on PostgreSQL, whose autovacuum reuses the room. Raises ServiceError(UNAVAILABLE) as `writing` does.
    """
    if engine.dialect.name != "sqlite":
        return
    with _translating():
        async with _turn(engine), engine.connect() as connection:
            # VACUUM runs in no transaction, and every execute() of SQLAlchemy's would begin one.
            driver: Any = (await connection.get_raw_connection()).driver_connection
            for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                await (await driver.execute(statement)).close()


async def check_store(engine: AsyncEngine) -> None:
    """A health check: returns when the store answers."""
    async with reading(engine) as connection:
        await connection.execute(text("SELECT 1"))


@contextmanager
def _translating() -> Iterator[None]:
    """What only time can mend becomes UNAVAILABLE; broken constraints and programming errors pass as they are."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError, OSError) as error:
        # OSError: the database's driver could not connect, or waited too long for an answer.
        raise _unavailable(error) from error
    except DBAPIError as error:
        # What asyncpg tells comes in no class of its own; PostgreSQL's code says what it is.
        if error.connection_invalidated or str(getattr(error.orig, "sqlstate", "")).startswith(_PASSING_STATES):
            raise _unavailable(error) from error
        raise


def _unavailable(error: Exception) -> ServiceError:
    log.warning("store.unavailable", error=str(error), error_type=type(error).__name__)
    return ServiceError(ErrorKind.UNAVAILABLE, "the store can't be reached or is busy; try again")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Without this the driver begins transactions by its own rules, late and never IMMEDIATE; see _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    # secure_delete: what is deleted is overwritten with zeros, and not left in free pages.
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    is_writing = connection.get_execution_options().get("marquee_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")
