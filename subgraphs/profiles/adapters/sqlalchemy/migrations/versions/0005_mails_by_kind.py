"""Mails that wait, by kind and in the order in which they are sent."""

from alembic import op

revision = "0005_mails_by_kind"
down_revision = "0004_privacy"

INDEX = "ix_notifications_due"


def upgrade() -> None:
    """The index of what is due, with the kind and the whole order."""
    op.drop_index(INDEX, "notifications")
    op.create_index(INDEX, "notifications", ["delivery", "kind", "next_attempt_at", "id"])


def downgrade() -> None:
    """By instants alone."""
    op.drop_index(INDEX, "notifications")
    op.create_index(INDEX, "notifications", ["delivery", "next_attempt_at"])
