"""Brings a subgraph's SQL store to its newest form with Alembic, when the subgraph starts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.sql import open_engine, writing

__all__ = ["downgrade", "run_environment", "upgrade"]

log = structlog.get_logger(__name__)

MIGRATION_TIMEOUT_S = 600.0
"""Of one statement; what takes longer on a store that is in use wants a plan, and not a start."""
_ADVISORY_LOCK = 0x4D415251
"""PostgreSQL's lock that lets one process at a time migrate; any number that nobody else uses."""


async def upgrade(engine: AsyncEngine, folder: Path, revision: str = "head") -> None:
    """Run the missing revisions of an Alembic folder, all in one transaction."""
    async with _patient(engine) as patient, writing(patient) as connection:
        await connection.run_sync(_run, command.upgrade, folder, revision)


async def downgrade(engine: AsyncEngine, folder: Path, revision: str) -> None:
    """Go back to a revision; "base" is the empty store."""
    async with _patient(engine) as patient, writing(patient) as connection:
        await connection.run_sync(_run, command.downgrade, folder, revision)


def run_environment() -> None:
    """All that an Alembic folder's env.py does: run the revisions on the connection that upgrade() opened."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, render_as_batch=connection.dialect.name == "sqlite")
    with context.begin_transaction():
        context.run_migrations()


@asynccontextmanager
async def _patient(engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """The same store with the time that a large table's new index takes, or a neighbour's migration."""
    if engine.dialect.name == "sqlite":
        yield engine
        return
    patient = open_engine(engine.url.render_as_string(hide_password=False), MIGRATION_TIMEOUT_S)
    try:
        yield patient
    finally:
        await patient.dispose()


def _run(connection: Connection, action: object, folder: Path, revision: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    assert callable(action)
    action(config, revision)
    log.info("store.migrated", folder=str(folder), revision=revision)
