"""Brings a subgraph's SQL store to its newest form with Alembic, when the subgraph starts."""

from __future__ import annotations

from pathlib import Path

import structlog
from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.sql import writing

__all__ = ["downgrade", "run_environment", "upgrade"]

log = structlog.get_logger(__name__)

_ADVISORY_LOCK = 0x4D415251
"""PostgreSQL's lock that lets one process at a time migrate; any number that nobody else uses."""


async def upgrade(engine: AsyncEngine, folder: Path, revision: str = "head") -> None:
    """Run the missing revisions of an Alembic folder, all in one transaction."""
    async with writing(engine) as connection:
        await connection.run_sync(_run, command.upgrade, folder, revision)


async def downgrade(engine: AsyncEngine, folder: Path, revision: str) -> None:
    """Go back to a revision; "base" is the empty store."""
    async with writing(engine) as connection:
        await connection.run_sync(_run, command.downgrade, folder, revision)


def run_environment() -> None:
    """All that an Alembic folder's env.py does: run the revisions on the connection that upgrade() opened."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, render_as_batch=connection.dialect.name == "sqlite")
    with context.begin_transaction():
        context.run_migrations()


def _run(connection: Connection, action: object, folder: Path, revision: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    assert callable(action)
    action(config, revision)
    log.info("store.migrated", folder=str(folder), revision=revision)
