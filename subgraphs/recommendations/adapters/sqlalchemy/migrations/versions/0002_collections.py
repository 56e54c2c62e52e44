"""Editorial collections, and who changed them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, LargeBinary, String

from subgraphs.kernel.sql import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "collections",
        Column("id", String(64), primary_key=True),
        Column("content", LargeBinary, nullable=False),
    )
    op.create_table(
        "collection_edits",
        Column("id", String(64), primary_key=True),
        Column("at", UtcDateTime, nullable=False),
        Column("account_id", String(64), nullable=False),
        Column("collection_id", String(64), nullable=False),
        Column("before", LargeBinary),
        Column("after", LargeBinary),
    )


def downgrade() -> None:
    """Without collections."""
    op.drop_table("collection_edits")
    op.drop_table("collections")
