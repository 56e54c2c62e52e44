"""Videos, languages, initials, revisions and hand edits of titles; edits of people; positions; a fuller audit log.

Going back loses what only the newer form can say; videos go with it, as the older form has no such kind.
"""

import json
import re

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_INDEXES = (
    ("titles_by_initial", "titles", ["initial", "sort_name", "id"]),
    ("titles_by_video_of", "titles", ["video_of"]),
    ("titles_by_source", "titles", ["source", "id"]),
    ("credits_by_person", "credits", ["person_id", "title_id"]),
)


def upgrade() -> None:
    """Add what is new; fill the initials from the names, and the new audit log from the old one."""
    for column in _title_columns():
        # Not in a batch: SQLite would make the table anew, and its children refer to it.
        op.add_column("titles", column)
    letter = sa.func.upper(sa.func.substr(sa.column("sort_name"), 1, 1))
    titles_table = sa.table("titles", sa.column("sort_name"), sa.column("initial"))
    op.execute(
        titles_table.update()
        .where(sa.func.substr(titles_table.c.sort_name, 1, 1).in_([chr(code) for code in range(97, 123)]))
        .values(initial=letter)
    )
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)
    op.create_table(
        "person_edits",
        sa.Column("source_id", _id(64), primary_key=True),
        sa.Column("person_id", _id(64), nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
    )
    op.create_table(
        "positions",
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    _renew_audit()


def downgrade() -> None:
    """Back to 0001."""
    _restore_audit()
    op.drop_table("positions")
    op.drop_table("person_edits")
    for name, table, _ in reversed(_INDEXES):
        op.drop_index(name, table)
    _drop_videos()
    for column in _title_columns():
        op.drop_column("titles", column.name)


def _title_columns() -> list[sa.Column[object]]:
    return [
        # Defaults are for the rows of before: new ones say what they mean.
        sa.Column("initial", sa.String(1), nullable=False, server_default="#"),
        sa.Column("original_language", sa.String(16)),
        sa.Column("video_of", _id(120)),
        sa.Column("video_kind", sa.String(20)),
        sa.Column("is_delisted", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("edited_fields", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("artwork_weights", sa.JSON, nullable=False, server_default="[]"),
    ]


def _id(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _renew_audit() -> None:
    old = op.get_bind().execute(sa.text("SELECT id, at, account_id, action, title_id, detail FROM audit")).all()
    op.drop_index("ix_audit_title_id", "audit")
    op.drop_table("audit")
    audit = op.create_table(
        "audit",
        sa.Column("id", _id(40), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject_id", sa.String(120), nullable=False),
        sa.Column("before", sa.JSON, nullable=False),
        sa.Column("after", sa.JSON, nullable=False),
    )
    op.create_index("audit_by_subject", "audit", ["subject_id", "at", "id"])
    op.create_index("audit_by_time", "audit", ["at", "id"])
    rows = [
        {
            # Twelve digits keep the order that the numbers had.
            "id": f"aud_{row.id:012d}",
            "at": row.at,
            "account_id": row.account_id,
            "action": row.action,
            "subject_id": row.title_id,
            "before": {},
            "after": json.loads(row.detail) if isinstance(row.detail, str) else row.detail,
        }
        for row in old
    ]
    if rows:
        op.bulk_insert(audit, rows)


def _restore_audit() -> None:
    new = sa.text("SELECT at, account_id, action, subject_id, after FROM audit ORDER BY at, id")
    rows = op.get_bind().execute(new).all()
    op.drop_table("audit")
    audit = op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("title_id", _id(120), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_index("ix_audit_title_id", "audit", ["title_id"])
    kept = [
        {
            "at": row.at,
            "account_id": row.account_id,
            "action": row.action,
            "title_id": row.subject_id,
            "detail": json.loads(row.after) if isinstance(row.after, str) else row.after,
        }
        for row in rows
        if re.match("(mov|ser|epi)_", row.subject_id)
    ]
    if kept:
        op.bulk_insert(audit, kept)


def _drop_videos() -> None:
    titles = sa.table("titles", sa.column("id"), sa.column("kind"))
    videos = sa.select(titles.c.id).where(titles.c.kind == "VIDEO")
    for name in ("title_genres", "credits", "windows", "blocks", "certificates"):
        children = sa.table(name, sa.column("title_id"))
        op.execute(children.delete().where(children.c.title_id.in_(videos)))
    op.execute(titles.delete().where(titles.c.kind == "VIDEO"))
