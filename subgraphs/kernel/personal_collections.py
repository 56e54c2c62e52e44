"""Personal data in MongoDB collections, by a declaration per collection: the field that holds the owner's id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from subgraphs.kernel.personal_data import (
    MAX_RECORDS_PER_PLACE,
    CountsByPlace,
    Owner,
    RecordsByPlace,
    Subject,
    too_many_records,
)

__all__ = ["MongoPersonalData", "PersonalCollection"]


@dataclass(frozen=True, slots=True)
class PersonalCollection:
    """Documents whose `field` (dotted, such as "_id.profile_id") holds the owner's id; `hidden` ones are not shown."""

    name: str
    field: str
    owner: Owner
    hidden: frozenset[str] = frozenset()
    is_exported: bool = True

    def __post_init__(self) -> None:
        """Raises ValueError for Owner.MENTIONED: give such a collection a field."""
        if self.owner is Owner.MENTIONED:
            raise ValueError(f"{self.name}: a collection needs a field that holds the owner's id")

    @property
    def place(self) -> str:
        """As in the registry."""
        return f"collection:{self.name}"

    def condition(self, subject: Subject) -> dict[str, Any]:
        """The subject's documents."""
        return {self.field: {"$in": list(subject.owned_by(self.owner))}}


class MongoPersonalData:
    """A PersonalDataStore over collections of one database (motor's or PyMongo's asynchronous one).

    The database's own errors pass as they are: kernel.mongo translates them where the database is opened.
    """

    def __init__(self, database: Any, collections: Sequence[PersonalCollection]) -> None:
        self._database = database
        self._collections = tuple(collections)

    async def export_personal(self, subject: Subject) -> RecordsByPlace:
        """See PersonalDataStore."""
        records: dict[str, list[Mapping[str, object]]] = {}
        for each in self._collections:
            if not each.is_exported:
                continue
            found = records.setdefault(each.place, [])
            async for document in self._database[each.name].find(each.condition(subject)):
                found.append({name: _plain(value) for name, value in document.items() if name not in each.hidden})
                if len(found) > MAX_RECORDS_PER_PLACE:
                    raise too_many_records(each.place)
        return records

    async def erase_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore; document by document, so repeat it until nothing is left."""
        counts: dict[str, int] = {}
        for each in self._collections:
            outcome = await self._database[each.name].delete_many(each.condition(subject))
            counts[each.place] = counts.get(each.place, 0) + int(outcome.deleted_count)
        return counts

    async def count_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore."""
        counts: dict[str, int] = {}
        for each in self._collections:
            found = await self._database[each.name].count_documents(each.condition(subject))
            counts[each.place] = counts.get(each.place, 0) + int(found)
        return counts

    async def scrub(self) -> None:
        """The storage engine writes pages anew and reuses the old ones; there is no command to overwrite them."""


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
