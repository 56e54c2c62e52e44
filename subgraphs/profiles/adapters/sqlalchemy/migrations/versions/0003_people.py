"""PINs, preferences, thumbs, rating totals with their triggers, consents, notifications and one-time tokens."""

import sqlalchemy as sa
from alembic import op

from subgraphs.kernel.sql import UtcDateTime

revision = "0003_people"
down_revision = "0002_billing"

TABLES = (
    "reset_requests",
    "one_time_tokens",
    "notifications",
    "mail_preferences",
    "consents",
    "rating_totals",
    "thumbs",
    "preferences",
    "profile_pins",
)
SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")

ADD_NEW = """
    INSERT INTO rating_totals (title_id, rating_count, stars_sum) VALUES (NEW.title_id, 1, NEW.stars)
    ON CONFLICT (title_id) DO UPDATE SET rating_count = rating_totals.rating_count + 1,
                                         stars_sum = rating_totals.stars_sum + excluded.stars_sum;"""
TAKE_OLD = """
    UPDATE rating_totals SET rating_count = rating_count - 1, stars_sum = stars_sum - OLD.stars
    WHERE title_id = OLD.title_id;"""
CHANGE = """
    UPDATE rating_totals SET stars_sum = stars_sum + NEW.stars - OLD.stars WHERE title_id = NEW.title_id;"""
TRIGGERS = {"INSERT": ADD_NEW, "DELETE": TAKE_OLD, "UPDATE OF stars": CHANGE}


def upgrade() -> None:
    """New tables; the totals of the ratings that are there."""
    _create_profile_tables()
    _create_account_tables()
    # What the gateway asks for every few seconds: sessions that ended of late.
    op.create_index("ix_sessions_revoked_at", "sessions", ["revoked_at"])
    op.execute(
        "INSERT INTO rating_totals (title_id, rating_count, stars_sum) "
        "SELECT title_id, count(*), sum(stars) FROM ratings GROUP BY title_id"
    )
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for event, action in TRIGGERS.items():
        name = f"ratings_count_{event.split()[0].lower()}"
        if is_postgresql:
            op.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {action} RETURN NULL; END $$"
            )
            op.execute(f"CREATE TRIGGER {name} AFTER {event} ON ratings FOR EACH ROW EXECUTE FUNCTION {name}()")
        else:
            op.execute(f"CREATE TRIGGER {name} AFTER {event} ON ratings FOR EACH ROW BEGIN {action} END")


def downgrade() -> None:
    """All of it is lost, except the ratings that the totals came from."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for event in TRIGGERS:
        name = f"ratings_count_{event.split()[0].lower()}"
        op.execute(f"DROP TRIGGER {name}" + (" ON ratings" if is_postgresql else ""))
        if is_postgresql:
            op.execute(f"DROP FUNCTION {name}()")
    op.drop_index("ix_sessions_revoked_at", "sessions")
    for table in TABLES:
        op.drop_table(table)


def _create_profile_tables() -> None:
    op.create_table(
        "profile_pins",
        _owner("profile_pins", "profile_id", "profiles.id", primary_key=True),
        sa.Column("pin_hash", sa.String(255), nullable=False),
        sa.Column("tries", sa.JSON, nullable=False),
        sa.Column("set_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "preferences",
        _owner("preferences", "profile_id", "profiles.id", primary_key=True),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "thumbs",
        _owner("thumbs", "profile_id", "profiles.id", primary_key=True),
        sa.Column("title_id", sa.String(128), primary_key=True),
        sa.Column("thumb", sa.String(16), nullable=False),
        sa.Column("thumbed_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "rating_totals",
        sa.Column("title_id", sa.String(128), primary_key=True),
        sa.Column("rating_count", sa.Integer, nullable=False),
        sa.Column("stars_sum", sa.BigInteger, nullable=False),
    )


def _create_account_tables() -> None:
    op.create_table(
        "consents",
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
        _owner("consents", "account_id", "accounts.id"),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("is_granted", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("recorded_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_consents_account_id", "consents", ["account_id"])
    op.create_table(
        "mail_preferences",
        _owner("mail_preferences", "account_id", "accounts.id", primary_key=True),
        sa.Column("muted", sa.JSON, nullable=False),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.String(64), primary_key=True),
        _owner("notifications", "account_id", "accounts.id"),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("key", sa.String(160), nullable=False),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("read_at", UtcDateTime),
        sa.Column("delivery", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("account_id", "key", name="uq_notifications_account_id_key"),
    )
    op.create_index("ix_notifications_account_id", "notifications", ["account_id"])
    op.create_index("ix_notifications_due", "notifications", ["delivery", "next_attempt_at"])
    op.create_table(
        "one_time_tokens",
        sa.Column("hash", sa.String(64), primary_key=True),
        _owner("one_time_tokens", "account_id", "accounts.id"),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_one_time_tokens_account_id", "one_time_tokens", ["account_id"])
    op.create_table(
        "reset_requests",
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("requested_at", UtcDateTime, nullable=False),
    )


def _owner(table: str, column: str, target: str, *, primary_key: bool = False) -> "sa.Column[str]":
    key = sa.ForeignKey(target, ondelete="CASCADE", name=f"fk_{table}_{column}")
    return sa.Column(column, sa.String(64), key, nullable=False, primary_key=primary_key)
