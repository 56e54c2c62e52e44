"""Titles, films, bookmarks with their device cursors, and the outbox."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Integer, String, Text

from subgraphs.kernel.sql import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "titles",
        Column("id", String(200), primary_key=True),
        Column("kind", String(16), nullable=False),
        Column("display_name", Text, nullable=False),
        Column("series_id", String(200)),
        Column("season_number", Integer),
        Column("episode_number", Integer),
        Column("next_episode_id", String(200)),
        Column("duration_s", Float),
        Column("minimum_age", Integer, nullable=False),
        Column("is_kids", Boolean, nullable=False),
        Column("is_withdrawn", Boolean, nullable=False),
        Column("windows", JSON, nullable=False),
        Column("blocked_countries", JSON, nullable=False),
        Column("markers", JSON, nullable=False),
    )
    op.create_index("titles_by_series", "titles", ["series_id", "season_number", "episode_number"])
    op.create_table(
        "assets",
        Column("title_id", String(200), primary_key=True),
        Column("asset_id", String(200), nullable=False),
        Column("variants", JSON, nullable=False),
        Column("duration_s", Float, nullable=False),
        Column("max_height_px", Integer, nullable=False),
        Column("audio_languages", JSON, nullable=False),
        Column("subtitle_languages", JSON, nullable=False),
        Column("thumbnails", Text),
        Column("published_at", BigInteger, nullable=False),
    )
    op.create_table(
        "bookmarks",
        Column("profile_id", String(200), primary_key=True),
        Column("title_id", String(200), primary_key=True),
        Column("account_id", String(200), nullable=False),
        Column("series_id", String(200)),
        Column("position_s", Float, nullable=False),
        Column("duration_s", Float, nullable=False),
        Column("completed", Boolean, nullable=False),
        Column("completed_at", BigInteger),
        Column("last_watched_at", BigInteger, nullable=False),
        Column("announced_at", BigInteger),
    )
    op.create_index("bookmarks_by_recency", "bookmarks", ["profile_id", "last_watched_at", "title_id"])
    op.create_index("bookmarks_by_series", "bookmarks", ["profile_id", "series_id"])
    op.create_table(
        "device_cursors",
        Column("profile_id", String(200), primary_key=True),
        Column("title_id", String(200), primary_key=True),
        Column("device_id", String(200), primary_key=True),
        Column("session_ordinal", BigInteger, nullable=False),
        Column("sequence", BigInteger, nullable=False),
    )
    op.create_table(
        "outbox",
        Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("event_id", String(40), nullable=False, unique=True),
        Column("topic", String(40), nullable=False),
        Column("kind", String(60), nullable=False),
        Column("data", JSON, nullable=False),
        Column("occurred_at", UtcDateTime, nullable=False),
    )


def downgrade() -> None:
    """Back to the empty store."""
    for table in ("outbox", "device_cursors", "bookmarks", "assets", "titles"):
        op.drop_table(table)
