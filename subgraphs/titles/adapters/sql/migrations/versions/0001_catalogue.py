"""Titles with their genres, credits, windows, blocks and certificates, seasons, the change log and the audit log.

Files from before Alembic have these very tables, and `schema_version` beside them: they are taken over as they are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

UNVERSIONED = 1
"""What `schema_version` says in a file that has these tables."""
FOLLOWERS = ("events", "search")

_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Compared letter by letter on every server, as Python does."""


def upgrade() -> None:
    """Create everything, or take over what is there."""
    if sa.inspect(op.get_bind()).has_table("schema_version"):
        _take_over()
        return
    _create_titles()
    _create_genres()
    _create_children()
    _create_logs()


def downgrade() -> None:
    """Drop everything."""
    for table in (
        "audit",
        "followers",
        "changes",
        "seasons",
        "certificates",
        "blocks",
        "windows",
        "credits",
        "people",
        "title_genres",
        "genres",
        "titles",
    ):
        op.drop_table(table)


def _take_over() -> None:
    version = op.get_bind().execute(sa.text("SELECT version FROM schema_version")).scalar()
    if version != UNVERSIONED:
        raise ValueError(f"schema_version says {version}; only {UNVERSIONED} was ever written")
    op.drop_table("schema_version")


def _id(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _create_titles() -> None:
    op.create_table(
        "titles",
        sa.Column("id", _id(120), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("sort_name", _EXACT, nullable=False),
        sa.Column("match_key", _EXACT, nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("source_key", sa.Text, nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("synopsis", sa.Text, nullable=False),
        sa.Column("release_year", sa.Integer, nullable=False),
        sa.Column("duration_seconds", sa.Integer),
        sa.Column("minimum_age", sa.Integer, nullable=False),
        sa.Column("is_age_certified", sa.Boolean, nullable=False),
        sa.Column("is_kids", sa.Boolean, nullable=False),
        sa.Column("popularity", sa.Float, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("origin_country", sa.String(2)),
        sa.Column("series_id", _id(120)),
        sa.Column("season_id", _id(120)),
        sa.Column("season_number", sa.Integer),
        sa.Column("episode_number", sa.Integer),
        sa.Column("is_withdrawn", sa.Boolean, nullable=False),
        sa.Column("media_status", sa.String(10), nullable=False),
        sa.Column("asset", sa.JSON),
        sa.Column("markers", sa.JSON, nullable=False),
    )
    op.create_index("titles_by_popularity", "titles", ["popularity", "id"])
    op.create_index("titles_by_added", "titles", ["added_at", "id"])
    op.create_index("titles_by_year", "titles", ["release_year", "id"])
    op.create_index("titles_by_name", "titles", ["sort_name", "id"])
    op.create_index("titles_by_match", "titles", ["match_key"])
    op.create_index("titles_by_series", "titles", ["series_id", "season_number", "episode_number"])


def _create_genres() -> None:
    op.create_table(
        "genres", sa.Column("id", _id(64), primary_key=True), sa.Column("display_name", _EXACT, nullable=False)
    )
    op.create_table(
        "title_genres",
        sa.Column("title_id", _id(120), sa.ForeignKey("titles.id"), primary_key=True),
        sa.Column("genre_id", _id(64), sa.ForeignKey("genres.id"), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("popularity", sa.Float, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("release_year", sa.Integer, nullable=False),
        sa.Column("sort_name", _EXACT, nullable=False),
        sqlite_with_rowid=False,
    )
    for name, column in (
        ("popularity", "popularity"),
        ("added", "added_at"),
        ("year", "release_year"),
        ("name", "sort_name"),
    ):
        op.create_index(f"title_genres_by_{name}", "title_genres", ["genre_id", column, "title_id"])


def _create_children() -> None:
    op.create_table(
        "people", sa.Column("id", _id(64), primary_key=True), sa.Column("display_name", sa.Text, nullable=False)
    )
    op.create_table(
        "credits",
        sa.Column("title_id", _id(120), sa.ForeignKey("titles.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("person_id", _id(64), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("character", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "windows",
        sa.Column("title_id", _id(120), sa.ForeignKey("titles.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("opens_at", sa.BigInteger),
        sa.Column("closes_at", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blocks",
        sa.Column("title_id", _id(120), sa.ForeignKey("titles.id"), primary_key=True),
        sa.Column("country", sa.String(2), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "certificates",
        sa.Column("title_id", _id(120), sa.ForeignKey("titles.id"), primary_key=True),
        sa.Column("country", sa.String(2), primary_key=True),
        sa.Column("code", sa.String(16), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "seasons",
        sa.Column("id", _id(120), primary_key=True),
        sa.Column("series_id", _id(120), sa.ForeignKey("titles.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
    )
    op.create_index("seasons_by_series", "seasons", ["series_id", "number"])


def _create_logs() -> None:
    sequence = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "changes",
        sa.Column("sequence", sequence, primary_key=True, autoincrement=True),
        sa.Column("title_id", _id(120), nullable=False),
        sqlite_autoincrement=True,
    )
    followers = op.create_table(
        "followers",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("confirmed", sequence, nullable=False),
    )
    op.bulk_insert(followers, [{"name": name, "confirmed": 0} for name in FOLLOWERS])
    op.create_table(
        "audit",
        sa.Column("id", sequence, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("title_id", _id(120), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_index("ix_audit_title_id", "audit", ["title_id"])
