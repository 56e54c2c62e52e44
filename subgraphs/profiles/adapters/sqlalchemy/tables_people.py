"""The tables of PINs, preferences, thumbs, rating totals, consents, notifications and one-time tokens."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, String, Table, UniqueConstraint

from subgraphs.kernel.sql import UtcDateTime
from subgraphs.profiles.adapters.sqlalchemy.tables import ID, TITLE_ID, metadata, owner

__all__ = [
    "consents",
    "mail_preferences",
    "notifications",
    "one_time_tokens",
    "preferences",
    "profile_pins",
    "rating_totals",
    "reset_requests",
    "thumbs",
]

SEQUENCE = BigInteger().with_variant(Integer, "sqlite")
EMAIL = String(254)

profile_pins = Table(
    "profile_pins",
    metadata,
    owner("profile_id", "profiles.id", primary_key=True),
    Column("pin_hash", String(255), nullable=False),
    Column("tries", JSON, nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
)

preferences = Table(
    "preferences",
    metadata,
    owner("profile_id", "profiles.id", primary_key=True),
    Column("document", JSON, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

thumbs = Table(
    "thumbs",
    metadata,
    owner("profile_id", "profiles.id", primary_key=True),
    Column("title_id", TITLE_ID, primary_key=True),
    Column("thumb", String(16), nullable=False),
    Column("thumbed_at", UtcDateTime, nullable=False),
)

rating_totals = Table(
    "rating_totals",
    metadata,
    Column("title_id", TITLE_ID, primary_key=True),
    Column("rating_count", Integer, nullable=False),
    Column("stars_sum", BigInteger, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    owner("account_id", "accounts.id"),
    Column("purpose", String(20), nullable=False),
    Column("is_granted", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("source", String(16), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

mail_preferences = Table(
    "mail_preferences",
    metadata,
    owner("account_id", "accounts.id", primary_key=True),
    Column("muted", JSON, nullable=False),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", ID, primary_key=True),
    owner("account_id", "accounts.id"),
    Column("kind", String(24), nullable=False),
    Column("key", String(160), nullable=False),
    Column("recipient", EMAIL, nullable=False),
    Column("language", String(35), nullable=False),
    Column("details", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("read_at", UtcDateTime),
    Column("delivery", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    UniqueConstraint("account_id", "key"),
    # By kind, as thousands of one may wait that come after all others.
    Index("ix_notifications_due", "delivery", "kind", "next_attempt_at", "id"),
)

one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    owner("account_id", "accounts.id"),
    Column("purpose", String(16), nullable=False),
    Column("email", EMAIL, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

reset_requests = Table(
    "reset_requests",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("email", EMAIL, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
)
"""Somebody asked to reset the password of an address, which may be nobody's: looked up later, off the request."""
