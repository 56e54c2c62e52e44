"""Records that people edit: each as JSON, and every edit with who made it, what was there before and what after."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Insert, LargeBinary, MetaData, String, Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.kernel.personal_data import Owner
from subgraphs.kernel.personal_tables import Ending, PersonalTable
from subgraphs.kernel.sql import UtcDateTime

__all__ = ["EditedTables", "edited_tables"]


@dataclass(frozen=True, slots=True)
class EditedTables:
    """`name`: of one record. `personal`: what was done stays known after an erasure, and by whom no longer."""

    name: str
    records: Table
    edits: Table
    personal: PersonalTable

    async def lock(self, connection: AsyncConnection) -> None:
        """Be the only one that edits until the transaction ends; who reads waits for nobody.

        Before the first look at a record. Locked rows would not do: one that another replaces meanwhile is passed over
        by who waited for it, and one that is not there yet can't be locked. On SQLite a writer is alone anyway.
        """
        if connection.dialect.name == "postgresql":
            await connection.exec_driver_sql(f"LOCK TABLE {self.records.name} IN SHARE ROW EXCLUSIVE MODE")

    def edit(
        self, record_id: str, account_id: str, at: datetime, *, before: bytes | None, after: bytes | None
    ) -> Insert:
        """The statement that keeps one edit; None: it was not there, or is not any more."""
        made = {"id": uuid.uuid4().hex, "at": at, "account_id": account_id, f"{self.name}_id": record_id}
        return insert(self.edits).values(**made, before=before, after=after)


def edited_tables(metadata: MetaData, name: str) -> EditedTables:
    """Of records that are called `name` in the singular."""
    records = Table(
        f"{name}s",
        metadata,
        Column("id", String(64), primary_key=True),
        Column("content", LargeBinary, nullable=False),
    )
    edits = Table(
        f"{name}_edits",
        metadata,
        Column("id", String(64), primary_key=True),
        Column("at", UtcDateTime, nullable=False),
        Column("account_id", String(64), nullable=False),
        Column(f"{name}_id", String(64), nullable=False),
        Column("before", LargeBinary),
        Column("after", LargeBinary),
    )
    hidden = frozenset({"before", "after"})
    personal = PersonalTable(edits.c.account_id, Owner.ACCOUNT, hidden=hidden, ending=Ending.ANONYMISED)
    return EditedTables(name, records, edits, personal)
