"""The tables of requests for exports and erasures, and of the exports' texts."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from subgraphs.kernel.sql import UtcDateTime
from subgraphs.profiles.adapters.sqlalchemy.tables import ID, metadata

__all__ = ["export_parts", "privacy_requests"]

privacy_requests = Table(
    "privacy_requests",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(16), nullable=False),
    # No foreign key: an erasure outlives the account, and forgets it when it is done.
    Column("account_id", ID, index=True),
    Column("profile_ids", JSON, nullable=False),
    Column("emails", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("steps", JSON, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("problem", String(300)),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("run_at", UtcDateTime, nullable=False),
    Column("leased_until", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("size_bytes", BigInteger, nullable=False),
    Column("part_count", Integer, nullable=False),
    Column("digest", String(64)),
    Index("ix_privacy_requests_due", "state", "run_at"),
)

export_parts = Table(
    "export_parts",
    metadata,
    Column("request_id", ID, ForeignKey("privacy_requests.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", Text, nullable=False),
)
