"""Titles say when the event was made that told them, so that late and repeated events change nothing."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is there counts as older than any news."""
    with op.batch_alter_table("titles") as table:
        table.add_column(Column("changed_at", BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    """The titles stay as they are, but for those of which only the withdrawal was heard."""
    op.execute("DELETE FROM titles WHERE length(snapshot) = 0")
    with op.batch_alter_table("titles") as table:
        table.drop_column("changed_at")
