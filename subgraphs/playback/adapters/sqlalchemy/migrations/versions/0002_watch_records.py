"""Device cursors move into the bookmarks' rows; watch counts, hidden and dismissed bookmarks; downloads."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import JSON, BigInteger, Column, Integer, String

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BATCH_SIZE = 1_000

_KEYS = ("profile_id", "title_id")


def upgrade() -> None:
    """Keep every cursor; whatever was completed counts as watched once."""
    with op.batch_alter_table("bookmarks") as table:
        table.add_column(Column("watch_count", Integer, nullable=False, server_default="0"))
        table.add_column(Column("hidden_at", BigInteger))
        table.add_column(Column("dismissed_at", BigInteger))
        table.add_column(Column("cursors", JSON, nullable=False, server_default="{}"))
        table.add_column(Column("floor_ordinal", BigInteger, nullable=False, server_default="0"))
        table.add_column(Column("counted_ordinal", BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE bookmarks SET watch_count = 1 WHERE completed_at IS NOT NULL")
    bookmarks, cursors = _bookmarks(), _cursors()
    connection = op.get_bind()
    rows = connection.execute(sa.select(cursors).order_by(*(cursors.c[key] for key in _KEYS))).mappings()
    changed = (
        {
            "of_profile": key[0],
            "of_title": key[1],
            "cursors": {row["device_id"]: [row["session_ordinal"], row["sequence"]] for row in group},
        }
        for key, group in groupby(list(rows), key=lambda row: (row["profile_id"], row["title_id"]))
    )
    statement = sa.update(bookmarks).where(
        bookmarks.c.profile_id == sa.bindparam("of_profile"), bookmarks.c.title_id == sa.bindparam("of_title")
    )
    for batch in _batches(changed):
        connection.execute(statement.values(cursors=sa.bindparam("cursors")), batch)
    op.drop_table("device_cursors")
    op.create_table(
        "downloads",
        Column("account_id", String(200), primary_key=True),
        Column("version", BigInteger, nullable=False),
        Column("records", JSON, nullable=False),
    )


def downgrade() -> None:
    """Cursors become rows again; downloads and what was hidden or dismissed are lost."""
    op.drop_table("downloads")
    op.create_table(
        "device_cursors",
        Column("profile_id", String(200), primary_key=True),
        Column("title_id", String(200), primary_key=True),
        Column("device_id", String(200), primary_key=True),
        Column("session_ordinal", BigInteger, nullable=False),
        Column("sequence", BigInteger, nullable=False),
    )
    bookmarks, cursors = _bookmarks(), _cursors()
    connection = op.get_bind()
    found = connection.execute(sa.select(bookmarks)).mappings().all()
    rows = (
        {**{key: row[key] for key in _KEYS}, "device_id": device_id, "session_ordinal": order[0], "sequence": order[1]}
        for row in found
        for device_id, order in row["cursors"].items()
    )
    for batch in _batches(rows):
        connection.execute(sa.insert(cursors), batch)
    with op.batch_alter_table("bookmarks") as table:
        for name in ("counted_ordinal", "floor_ordinal", "cursors", "dismissed_at", "hidden_at", "watch_count"):
            table.drop_column(name)


def _bookmarks() -> sa.TableClause:
    return sa.table("bookmarks", sa.column("profile_id"), sa.column("title_id"), sa.column("cursors", JSON))


def _cursors() -> sa.TableClause:
    names = (*_KEYS, "device_id", "session_ordinal", "sequence")
    return sa.table("device_cursors", *(sa.column(name) for name in names))


def _batches(rows: Iterable[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH_SIZE:
            yield batch
            batch = []
    if batch:
        yield batch
