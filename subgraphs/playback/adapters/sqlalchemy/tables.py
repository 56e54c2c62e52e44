"""The tables, as the migrations make them.

Instants are whole microseconds since 1970: they are compared and sorted in hot paths.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.outbox import OutboxTable

__all__ = [
    "assets",
    "bookmarks",
    "downloads",
    "metadata",
    "outbox",
    "titles",
    "upsert",
]

metadata = MetaData()

titles = Table(
    "titles",
    metadata,
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
    # When the event was made that told it: late and repeated ones change nothing.
    Column("changed_at", BigInteger, nullable=False, server_default="0"),
    Index("titles_by_series", "series_id", "season_number", "episode_number"),
)

assets = Table(
    "assets",
    metadata,
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

bookmarks = Table(
    "bookmarks",
    metadata,
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
    Column("watch_count", Integer, nullable=False),
    Column("hidden_at", BigInteger),
    Column("dismissed_at", BigInteger),
    # {device: [session's ordinal, number]}: in the row, so that a heartbeat reads and writes one row.
    Column("cursors", JSON, nullable=False),
    Column("floor_ordinal", BigInteger, nullable=False),
    Column("counted_ordinal", BigInteger, nullable=False),
    Index("bookmarks_by_recency", "profile_id", "last_watched_at", "title_id"),
    Index("bookmarks_by_series", "profile_id", "series_id"),
)

downloads = Table(
    "downloads",
    metadata,
    Column("account_id", String(200), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("records", JSON, nullable=False),
)

outbox = OutboxTable.define(metadata)


def upsert(engine: AsyncEngine, table: Table, *, newest: str | None = None, only: Collection[str] | None = None) -> Any:
    """INSERT … ON CONFLICT (primary key) DO UPDATE of all other columns, or `only` those, for executemany.

    A row whose column `newest` is above the new one's stays as it is.
    """
    insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table)
    keys = [column.name for column in table.primary_key.columns]
    names = [column.name for column in table.columns if column.name not in keys] if only is None else only
    changed = {name: statement.excluded[name] for name in names}
    is_news = None if newest is None else table.c[newest] <= statement.excluded[newest]
    return statement.on_conflict_do_update(index_elements=keys, set_=changed, where=is_news)
