"""Requests for exports and erasures, and the exports' texts."""

import sqlalchemy as sa
from alembic import op

from subgraphs.kernel.sql import UtcDateTime

revision = "0004_privacy"
down_revision = "0003_people"


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "privacy_requests",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("account_id", sa.String(64)),
        sa.Column("profile_ids", sa.JSON, nullable=False),
        sa.Column("emails", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("steps", sa.JSON, nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("problem", sa.String(300)),
        sa.Column("requested_at", UtcDateTime, nullable=False),
        sa.Column("run_at", UtcDateTime, nullable=False),
        sa.Column("leased_until", UtcDateTime, nullable=False),
        sa.Column("closed_at", UtcDateTime),
        sa.Column("finished_at", UtcDateTime),
        sa.Column("expires_at", UtcDateTime),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("part_count", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64)),
    )
    op.create_index("ix_privacy_requests_account_id", "privacy_requests", ["account_id"])
    op.create_index("ix_privacy_requests_due", "privacy_requests", ["state", "run_at"])
    op.create_table(
        "export_parts",
        sa.Column(
            "request_id",
            sa.String(64),
            sa.ForeignKey("privacy_requests.id", ondelete="CASCADE", name="fk_export_parts_request_id"),
            primary_key=True,
        ),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Open requests are forgotten with the tables."""
    op.drop_table("export_parts")
    op.drop_table("privacy_requests")
