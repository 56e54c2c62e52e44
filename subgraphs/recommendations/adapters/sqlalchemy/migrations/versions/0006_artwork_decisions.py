"""What was shown of titles' artwork, and what was opened."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column, Integer, LargeBinary, String

from subgraphs.kernel.sql import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "artwork_decisions",
        Column("profile_id", String(64), primary_key=True),
        Column("title_id", String(200), primary_key=True),
        Column("role", String(16), primary_key=True),
        Column("variant", String(32), primary_key=True),
        Column("policy_id", String(64), primary_key=True),
        Column("epoch", Integer, primary_key=True),
        Column("shown_at", UtcDateTime, nullable=False, index=True),
        Column("is_opened", Boolean, nullable=False),
        Column("details", LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Without them."""
    op.drop_table("artwork_decisions")
