"""Accounts, plans, profiles, sessions, My List, ratings, title facts and the outbox."""

import sqlalchemy as sa
from alembic import op

from subgraphs.kernel.sql import UtcDateTime

revision = "0001"
down_revision = None

PLANS = [
    # id, display name, height px, streams, download devices, cents, currency
    ("BASIC", "Basic", 480, 1, 1, 799, "USD"),
    ("STANDARD", "Standard", 1080, 2, 2, 1549, "USD"),
    ("PREMIUM", "Premium", 2160, 4, 4, 2299, "USD"),
]


def upgrade() -> None:
    """Create everything and fill the plan table."""
    _create_accounts()
    _create_sessions()
    _create_lists()
    op.create_table(
        "outbox",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.Column("topic", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("occurred_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("event_id", name="uq_outbox_event_id"),
    )


def downgrade() -> None:
    """Drop everything."""
    for table in (
        "outbox",
        "title_facts",
        "ratings",
        "list_entries",
        "refresh_tokens",
        "sessions",
        "profiles",
        "accounts",
        "plans",
    ):
        op.drop_table(table)


def _create_accounts() -> None:
    plans = op.create_table(
        "plans",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("display_name", sa.String(40), nullable=False),
        sa.Column("max_height_px", sa.Integer, nullable=False),
        sa.Column("max_streams", sa.Integer, nullable=False),
        sa.Column("max_download_devices", sa.Integer, nullable=False),
        sa.Column("price_cents", sa.Integer, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
    )
    columns = [column.name for column in plans.columns]
    op.bulk_insert(plans, [dict(zip(columns, row, strict=True)) for row in PLANS])
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("plan_id", sa.String(16), sa.ForeignKey("plans.id", name="fk_accounts_plan_id"), nullable=False),
        sa.Column("subscription_status", sa.String(16), nullable=False),
        sa.Column("period_ends_at", UtcDateTime),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("email", name="uq_accounts_email"),
    )
    op.create_table(
        "profiles",
        sa.Column("id", sa.String(64), primary_key=True),
        _owner("profiles", "account_id", "accounts.id"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("avatar", sa.String(40), nullable=False),
        sa.Column("is_kids", sa.Boolean, nullable=False),
        sa.Column("maturity_limit", sa.Integer, nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_profiles_account_id", "profiles", ["account_id"])


def _create_sessions() -> None:
    selected = sa.ForeignKey("profiles.id", ondelete="SET NULL", name="fk_sessions_profile_id")
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(64), primary_key=True),
        _owner("sessions", "account_id", "accounts.id"),
        sa.Column("profile_id", sa.String(64), selected),
        sa.Column("device_name", sa.String(100), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("revoked_at", UtcDateTime),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"])
    op.create_index("ix_sessions_profile_id", "sessions", ["profile_id"])
    op.create_table(
        "refresh_tokens",
        sa.Column("hash", sa.String(64), primary_key=True),
        _owner("refresh_tokens", "session_id", "sessions.id"),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("used_at", UtcDateTime),
    )
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"])


def _create_lists() -> None:
    op.create_table(
        "list_entries",
        _owner("list_entries", "profile_id", "profiles.id", primary_key=True),
        sa.Column("title_id", sa.String(128), primary_key=True),
        sa.Column("added_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_list_entries_newest", "list_entries", ["profile_id", "added_at"])
    op.create_table(
        "ratings",
        _owner("ratings", "profile_id", "profiles.id", primary_key=True),
        sa.Column("title_id", sa.String(128), primary_key=True),
        sa.Column("stars", sa.Integer, nullable=False),
        sa.Column("rated_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "title_facts",
        sa.Column("title_id", sa.String(128), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("minimum_age", sa.Integer, nullable=False),
        sa.Column("is_kids", sa.Boolean, nullable=False),
        sa.Column("windows", sa.JSON, nullable=False),
        sa.Column("blocked_countries", sa.JSON, nullable=False),
        sa.Column("is_withdrawn", sa.Boolean, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
    )


def _owner(table: str, column: str, target: str, *, primary_key: bool = False) -> "sa.Column[str]":
    key = sa.ForeignKey(target, ondelete="CASCADE", name=f"fk_{table}_{column}")
    return sa.Column(column, sa.String(64), key, nullable=False, primary_key=primary_key)
