"""Which of the tables hold personal data, and whose it is."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.personal_data import Owner
from subgraphs.kernel.personal_tables import PersonalTable, SqlPersonalData
from subgraphs.playback.adapters.sqlalchemy import tables

__all__ = ["personal_data_of"]


def personal_data_of(engine: AsyncEngine) -> SqlPersonalData:
    """Bookmarks and downloads of the account's profiles, and events that still wait."""
    return SqlPersonalData(
        engine,
        [
            PersonalTable(
                tables.bookmarks.c.account_id,
                Owner.ACCOUNT,
                hidden=frozenset({"announced_at", "floor_ordinal", "counted_ordinal"}),
            ),
            PersonalTable(tables.downloads.c.account_id, Owner.ACCOUNT, hidden=frozenset({"version"})),
            PersonalTable(tables.outbox.table.c.data, Owner.MENTIONED, is_exported=False),
        ],
    )
