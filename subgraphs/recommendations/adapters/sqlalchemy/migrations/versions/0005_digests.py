"""Profiles that get a weekly digest."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, Boolean, Column, Integer, String

from subgraphs.kernel.sql import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "digest_subscribers",
        Column("profile_id", String(64), primary_key=True),
        Column("account_id", String(64), nullable=False),
        Column("country", String(2), nullable=False),
        Column("maturity", Integer, nullable=False),
        Column("is_wanted", Boolean, nullable=False),
        Column("told_at", UtcDateTime, nullable=False),
        Column("last_week", String(10), nullable=False),
        Column("mailed", JSON, nullable=False),
    )
    op.create_index("ix_digest_subscribers_due", "digest_subscribers", ["is_wanted", "last_week", "profile_id"])


def downgrade() -> None:
    """Without digests."""
    op.drop_table("digest_subscribers")
