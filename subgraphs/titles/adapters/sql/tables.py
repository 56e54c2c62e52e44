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
from sqlalchemy.types import TypeEngine

__all__ = [
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
    "person_edits",
    "positions",
    "seasons",
    "title_genres",
    "titles",
    "to_micros",
    "windows",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(instant: datetime | None) -> int | None:
    """An aware instant as stored."""
    return None if instant is None else (instant - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int | None) -> datetime | None:
    """A stored instant, aware, in UTC."""
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)


metadata = MetaData()
"""What the migrations create, newest form; a test compares the two."""

EXACT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared and ordered letter by letter on every server, as Python does it."""
SEQUENCE = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts by itself in columns of exactly this type."""


def exact(length: int) -> TypeEngine[str]:
    """EXACT, of at most so many letters."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


titles = Table(
    "titles",
    metadata,
    Column("id", exact(120), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("display_name", Text, nullable=False),
    Column("sort_name", EXACT, nullable=False),
    Column("initial", String(1), nullable=False),
    Column("match_key", EXACT, nullable=False),
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
    Column("original_language", String(16)),
    Column("series_id", exact(120)),
    Column("season_id", exact(120)),
    Column("season_number", Integer),
    Column("episode_number", Integer),
    Column("video_of", exact(120)),
    Column("video_kind", String(20)),
    Column("is_withdrawn", Boolean, nullable=False),
    Column("is_delisted", Boolean, nullable=False),
    Column("media_status", String(10), nullable=False),
    Column("asset", JSON),
    Column("markers", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("edited_fields", JSON, nullable=False),
    Column("artwork_weights", JSON, nullable=False),
    Index("titles_by_popularity", "popularity", "id"),
    Index("titles_by_added", "added_at", "id"),
    Index("titles_by_year", "release_year", "id"),
    Index("titles_by_name", "sort_name", "id"),
    Index("titles_by_initial", "initial", "sort_name", "id"),
    Index("titles_by_match", "match_key"),
    Index("titles_by_series", "series_id", "season_number", "episode_number"),
    Index("titles_by_video_of", "video_of"),
    Index("titles_by_source", "source", "id"),
)

genres = Table(
    "genres", metadata, Column("id", exact(64), primary_key=True), Column("display_name", EXACT, nullable=False)
)

title_genres = Table(
    "title_genres",
    metadata,
    Column("title_id", exact(120), ForeignKey("titles.id"), primary_key=True),
    Column("genre_id", exact(64), ForeignKey("genres.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("popularity", Float, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("release_year", Integer, nullable=False),
    Column("sort_name", EXACT, nullable=False),
    Index("title_genres_by_popularity", "genre_id", "popularity", "title_id"),
    Index("title_genres_by_added", "genre_id", "added_at", "title_id"),
    Index("title_genres_by_year", "genre_id", "release_year", "title_id"),
    Index("title_genres_by_name", "genre_id", "sort_name", "title_id"),
    sqlite_with_rowid=False,
)

people = Table(
    "people", metadata, Column("id", exact(64), primary_key=True), Column("display_name", Text, nullable=False)
)

credits_ = Table(
    "credits",
    metadata,
    Column("title_id", exact(120), ForeignKey("titles.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("person_id", exact(64), ForeignKey("people.id"), nullable=False),
    Column("role", String(10), nullable=False),
    Column("character", Text),
    Index("credits_by_person", "person_id", "title_id"),
    sqlite_with_rowid=False,
)

# Who was renamed or merged by hand: the person that an id of the sources stands for now.
person_edits = Table(
    "person_edits",
    metadata,
    Column("source_id", exact(64), primary_key=True),
    Column("person_id", exact(64), nullable=False),
    Column("display_name", Text, nullable=False),
)

windows = Table(
    "windows",
    metadata,
    Column("title_id", exact(120), ForeignKey("titles.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("country", String(2), nullable=False),
    Column("opens_at", BigInteger),
    Column("closes_at", BigInteger),
    sqlite_with_rowid=False,
)

blocks = Table(
    "blocks",
    metadata,
    Column("title_id", exact(120), ForeignKey("titles.id"), primary_key=True),
    Column("country", String(2), primary_key=True),
    sqlite_with_rowid=False,
)

certificates = Table(
    "certificates",
    metadata,
    Column("title_id", exact(120), ForeignKey("titles.id"), primary_key=True),
    Column("country", String(2), primary_key=True),
    Column("code", String(16), nullable=False),
    sqlite_with_rowid=False,
)

seasons = Table(
    "seasons",
    metadata,
    Column("id", exact(120), primary_key=True),
    Column("series_id", exact(120), ForeignKey("titles.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("display_name", Text, nullable=False),
    Index("seasons_by_series", "series_id", "number"),
)

changes = Table(
    "changes",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("title_id", exact(120), nullable=False),
    # AUTOINCREMENT: a follower's position must never meet a number that was used before.
    sqlite_autoincrement=True,
)

followers = Table(
    "followers",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("confirmed", SEQUENCE, nullable=False),
)

positions = Table(
    "positions",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", exact(40), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("account_id", String(64), nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject_id", String(120), nullable=False),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
    Index("audit_by_subject", "subject_id", "at", "id"),
    Index("audit_by_time", "at", "id"),
)
