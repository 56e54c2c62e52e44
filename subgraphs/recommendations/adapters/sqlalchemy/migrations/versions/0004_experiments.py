"""Experiments, and who changed them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, LargeBinary, String

from subgraphs.kernel.sql import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "experiments",
        Column("id", String(64), primary_key=True),
        Column("content", LargeBinary, nullable=False),
    )
    op.create_table(
        "experiment_edits",
        Column("id", String(64), primary_key=True),
        Column("at", UtcDateTime, nullable=False),
        Column("account_id", String(64), nullable=False),
        Column("experiment_id", String(64), nullable=False),
        Column("before", LargeBinary),
        Column("after", LargeBinary),
    )


def downgrade() -> None:
    """Without experiments."""
    op.drop_table("experiment_edits")
    op.drop_table("experiments")
