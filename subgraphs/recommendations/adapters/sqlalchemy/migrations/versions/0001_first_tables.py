"""Titles' snapshots, and which titles are playable."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column, LargeBinary, String

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "titles",
        Column("id", String(200), primary_key=True),
        Column("snapshot", LargeBinary, nullable=False),
        Column("is_withdrawn", Boolean, nullable=False),
    )
    op.create_table("playable_titles", Column("id", String(200), primary_key=True))


def downgrade() -> None:
    """Back to the empty store."""
    op.drop_table("playable_titles")
    op.drop_table("titles")
