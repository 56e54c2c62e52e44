"""The tables. Instants are whole microseconds since 1970 in UTC: exact, and compared as numbers.

`title_genres` repeats the sort keys of its title, so that browsing a genre in any order walks one index and stops after
a page; they are written together with the title and never alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

__all__ = [
    "SCHEMA_VERSION",
    "audit",
    "blocks",
    "certificates",
    "changes",
    "credits_",
    "followers",
    "from_micros",
    "genres",
    "metadata",
    "people",
    "schema_version",
    "seasons",
    "title_genres",
    "titles",
    "to_micros",
    "windows",
]

SCHEMA_VERSION = 1
"""Of the tables below; a file of another version is refused by name, never read wrongly."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(instant: datetime | None) -> int | None:
    """An aware instant as stored."""
    return None if instant is None else (instant - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int | None) -> datetime | None:
    """A stored instant, aware, in UTC."""
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)


metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

titles = Table(
    "titles",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("display_name", Text, nullable=False),
    Column("sort_name", Text, nullable=False),
    Column("match_key", Text, nullable=False),
    Column("source", String(32), nullable=False),
    Column("source_key", Text, nullable=False),
    Column("digest", String(32), nullable=False),
    Column("synopsis", Text, nullable=False),
    # 0 stands for an unknown year, so that every order is total.
    Column("release_year", Integer, nullable=False),
    Column("duration_seconds", Integer),
    Column("minimum_age", Integer, nullable=False),
    Column("is_age_certified", Boolean, nullable=False),
    Column("is_kids", Boolean, nullable=False),
    Column("popularity", Float, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("origin_country", String(2)),
    Column("series_id", String(120)),
    Column("season_id", String(120)),
    Column("season_number", Integer),
    Column("episode_number", Integer),
    Column("is_withdrawn", Boolean, nullable=False),
    Column("media_status", String(10), nullable=False),
    Column("asset", JSON),
    Column("markers", JSON, nullable=False),
    Index("titles_by_popularity", "popularity", "id"),
    Index("titles_by_added", "added_at", "id"),
    Index("titles_by_year", "release_year", "id"),
    Index("titles_by_name", "sort_name", "id"),
    Index("titles_by_match", "match_key"),
    Index("titles_by_series", "series_id", "season_number", "episode_number"),
)

genres = Table(
    "genres", metadata, Column("id", String(64), primary_key=True), Column("display_name", Text, nullable=False)
)

title_genres = Table(
    "title_genres",
    metadata,
    Column("title_id", String(120), ForeignKey("titles.id"), primary_key=True),
    Column("genre_id", String(64), ForeignKey("genres.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("popularity", Float, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("release_year", Integer, nullable=False),
    Column("sort_name", Text, nullable=False),
    Index("title_genres_by_popularity", "genre_id", "popularity", "title_id"),
    Index("title_genres_by_added", "genre_id", "added_at", "title_id"),
    Index("title_genres_by_year", "genre_id", "release_year", "title_id"),
    Index("title_genres_by_name", "genre_id", "sort_name", "title_id"),
    sqlite_with_rowid=False,
)

people = Table(
    "people", metadata, Column("id", String(64), primary_key=True), Column("display_name", Text, nullable=False)
)

credits_ = Table(
    "credits",
    metadata,
    Column("title_id", String(120), ForeignKey("titles.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("person_id", String(64), ForeignKey("people.id"), nullable=False),
    Column("role", String(10), nullable=False),
    Column("character", Text),
    sqlite_with_rowid=False,
)

windows = Table(
    "windows",
    metadata,
    Column("title_id", String(120), ForeignKey("titles.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("country", String(2), nullable=False),
    Column("opens_at", BigInteger),
    Column("closes_at", BigInteger),
    sqlite_with_rowid=False,
)

blocks = Table(
    "blocks",
    metadata,
    Column("title_id", String(120), ForeignKey("titles.id"), primary_key=True),
    Column("country", String(2), primary_key=True),
    sqlite_with_rowid=False,
)

certificates = Table(
    "certificates",
    metadata,
    Column("title_id", String(120), ForeignKey("titles.id"), primary_key=True),
    Column("country", String(2), primary_key=True),
    Column("code", String(16), nullable=False),
    sqlite_with_rowid=False,
)

seasons = Table(
    "seasons",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("series_id", String(120), ForeignKey("titles.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("display_name", Text, nullable=False),
    Index("seasons_by_series", "series_id", "number"),
)

changes = Table(
    "changes",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("title_id", String(120), nullable=False),
    # AUTOINCREMENT: a follower's position must never meet a number that was used before.
    sqlite_autoincrement=True,
)

followers = Table(
    "followers",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("confirmed", Integer, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("account_id", String(64), nullable=False),
    Column("action", String(32), nullable=False),
    Column("title_id", String(120), nullable=False, index=True),
    Column("detail", JSON, nullable=False),
)
