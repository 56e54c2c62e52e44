"""The tables as the newest migration leaves them; a test compares the two."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.kernel.outbox import OutboxTable
from subgraphs.kernel.sql import UtcDateTime

__all__ = [
    "ID",
    "MIGRATIONS",
    "OUTBOX",
    "TITLE_ID",
    "accounts",
    "list_entries",
    "metadata",
    "owner",
    "plans",
    "profiles",
    "ratings",
    "refresh_tokens",
    "sessions",
    "title_facts",
    "upsert",
]

MIGRATIONS = Path(__file__).parent / "migrations"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(64)
TITLE_ID = String(128)


def owner(column: str, target: str, *, primary_key: bool = False) -> Column[str]:
    """The id of the account, profile or session that a row goes with, and is deleted with."""
    return Column(
        column,
        ID,
        ForeignKey(target, ondelete="CASCADE"),
        nullable=False,
        primary_key=primary_key,
        index=not primary_key,
    )


plans = Table(
    "plans",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("display_name", String(40), nullable=False),
    Column("max_height_px", Integer, nullable=False),
    Column("max_streams", Integer, nullable=False),
    Column("max_download_devices", Integer, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", ID, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("password_hash", String(255), nullable=False),
    Column("country", String(2), nullable=False),
    Column("plan_id", String(16), ForeignKey("plans.id"), nullable=False),
    Column("subscription_status", String(16), nullable=False),
    Column("is_trial", Boolean, nullable=False),
    Column("period_starts_at", UtcDateTime),
    Column("period_ends_at", UtcDateTime),
    Column("pending_plan_id", String(16)),
    Column("grace_ends_at", UtcDateTime),
    Column("next_attempt_at", UtcDateTime),
    Column("failed_attempts", Integer, nullable=False),
    # When billing has to look at the account next: follows from the columns above, kept for its index.
    Column("billing_due_at", UtcDateTime, index=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

profiles = Table(
    "profiles",
    metadata,
    Column("id", ID, primary_key=True),
    owner("account_id", "accounts.id"),
    Column("name", String(200), nullable=False),
    Column("avatar", String(40), nullable=False),
    Column("is_kids", Boolean, nullable=False),
    Column("maturity_limit", Integer, nullable=False),
    Column("language", String(35), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", ID, primary_key=True),
    owner("account_id", "accounts.id"),
    Column("profile_id", ID, ForeignKey("profiles.id", ondelete="SET NULL"), index=True),
    # No reference: a device that is removed has its sessions revoked, and SQLite could not take the column back.
    Column("device_id", ID, index=True),
    Column("device_name", String(100), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime, index=True),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    owner("session_id", "sessions.id"),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)

list_entries = Table(
    "list_entries",
    metadata,
    owner("profile_id", "profiles.id", primary_key=True),
    Column("title_id", TITLE_ID, primary_key=True),
    Column("added_at", UtcDateTime, nullable=False),
    Index("ix_list_entries_newest", "profile_id", "added_at"),
)

ratings = Table(
    "ratings",
    metadata,
    owner("profile_id", "profiles.id", primary_key=True),
    Column("title_id", TITLE_ID, primary_key=True),
    Column("stars", Integer, nullable=False),
    Column("rated_at", UtcDateTime, nullable=False),
)

title_facts = Table(
    "title_facts",
    metadata,
    Column("title_id", TITLE_ID, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("minimum_age", Integer, nullable=False),
    Column("is_kids", Boolean, nullable=False),
    Column("windows", JSON, nullable=False),
    Column("blocked_countries", JSON, nullable=False),
    Column("is_withdrawn", Boolean, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

OUTBOX = OutboxTable.define(metadata)


def upsert(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can take ON CONFLICT, in the connection's dialect; both spell it alike."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
