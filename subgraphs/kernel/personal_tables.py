"""Personal data in SQL tables, by a declaration per table: whose a row is, and what of it nobody is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Delete,
    String,
    Table,
    Update,
    cast,
    delete,
    false,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.personal_data import (
    MAX_RECORDS_PER_PLACE,
    CountsByPlace,
    Owner,
    RecordsByPlace,
    Subject,
    too_many_records,
)
from subgraphs.kernel.sql import reading, rewrite_file, writing

__all__ = ["ERASED_OWNER", "Ending", "PersonalTable", "SqlPersonalData"]


ERASED_OWNER = "erased"
"""Stands for the owner where a row stays without one."""


class Ending(StrEnum):
    """What an erasure does to rows."""

    DELETED = "deleted"
    ANONYMISED = "anonymised"
    """The row stays, and its owner is ERASED_OWNER."""
    UNLINKED = "unlinked"
    """The row stays, as a law wants; `via` names the row whose end makes that nobody can tell whose it was."""


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """Rows whose `column` holds the owner's id, or a reference `via` = (key, owner's column) of another table.

    `hidden` columns are left out of exports: what is secret, or says nothing to anybody. Rows of a table with
    `is_exported` False are erased all the same.
    """

    column: Column[Any]
    owner: Owner
    via: tuple[Column[Any], Column[Any]] | None = None
    hidden: frozenset[str] = frozenset()
    is_exported: bool = True
    ending: Ending = Ending.DELETED

    @property
    def table(self) -> Table:
        """Where the rows are."""
        return self.column.table

    @property
    def place(self) -> str:
        """As in the registry."""
        return f"table:{self.table.name}"

    def condition(self, subject: Subject) -> ColumnElement[bool]:
        """The subject's rows."""
        ids = subject.owned_by(self.owner)
        if not ids:
            return false()
        if self.owner is Owner.MENTIONED:
            content = cast(self.column, String)
            return or_(*(content.contains(each, autoescape=True) for each in ids))
        if self.via is None:
            return self.column.in_(ids)
        key, owner_column = self.via
        return self.column.in_(select(key).where(owner_column.in_(ids)))


class SqlPersonalData:
    """A PersonalDataStore over some tables of one database; a table stands before the one that its `via` names."""

    def __init__(self, engine: AsyncEngine, tables: Sequence[PersonalTable]) -> None:
        self._engine = engine
        self._tables = tuple(tables)

    async def export_personal(self, subject: Subject) -> RecordsByPlace:
        """See PersonalDataStore; all tables as of one instant."""
        records: dict[str, list[Mapping[str, object]]] = {}
        async with reading(self._engine) as connection:
            for each in self._tables:
                if not each.is_exported:
                    continue
                shown = [column for column in each.table.columns if column.name not in each.hidden]
                wanted = select(*shown).where(each.condition(subject)).order_by(*each.table.primary_key.columns)
                rows = (await connection.execute(wanted.limit(MAX_RECORDS_PER_PLACE + 1))).mappings().all()
                if len(rows) > MAX_RECORDS_PER_PLACE:
                    raise too_many_records(each.place)
                records.setdefault(each.place, []).extend(
                    {str(name): _plain(value) for name, value in row.items()} for row in rows
                )
        return records

    async def erase_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore; all tables or none."""
        counts: dict[str, int] = {}
        async with writing(self._engine) as connection:
            for each in self._tables:
                match each.ending:
                    case Ending.UNLINKED:
                        continue
                    case Ending.DELETED:
                        statement: Delete | Update = delete(each.table)
                    case Ending.ANONYMISED:
                        statement = update(each.table).values({each.column: ERASED_OWNER})
                outcome = await connection.execute(statement.where(each.condition(subject)))
                counts[each.place] = counts.get(each.place, 0) + outcome.rowcount
        return counts

    async def count_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore."""
        counts: dict[str, int] = {}
        async with reading(self._engine) as connection:
            for each in self._tables:
                wanted = select(func.count()).select_from(each.table).where(each.condition(subject))
                found = (await connection.execute(wanted)).scalar_one()
                counts[each.place] = counts.get(each.place, 0) + found
        return counts

    async def scrub(self) -> None:
        """See PersonalDataStore."""
        await rewrite_file(self._engine)


def _plain(value: object) -> object:
    """As JSON can say it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value
