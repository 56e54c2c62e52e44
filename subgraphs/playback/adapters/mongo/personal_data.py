"""The collections' personal data: handed out, forgotten and counted."""

from __future__ import annotations

from subgraphs.kernel.mongo import Document, MongoCollection, MongoDatabase, mongo_errors
from subgraphs.kernel.personal_data import (
    MAX_RECORDS_PER_PLACE,
    CountsByPlace,
    RecordsByPlace,
    Subject,
    too_many_records,
)
from subgraphs.playback.adapters.mongo.schema import BOOKMARKS, DOWNLOADS

__all__ = ["MongoPersonalData"]

_HIDDEN = {"_id": 0, "version": 0, "announced_at": 0, "floor_ordinal": 0, "counted_ordinal": 0, "events": 0}


class MongoPersonalData:
    """A PersonalDataStore over bookmarks, with the events that wait in them, and downloads."""

    def __init__(self, database: MongoDatabase) -> None:
        self._collections: dict[str, MongoCollection] = {
            name: database.collection(name) for name in (BOOKMARKS, DOWNLOADS)
        }

    async def export_personal(self, subject: Subject) -> RecordsByPlace:
        """See PersonalDataStore."""
        records: dict[str, list[Document]] = {}
        with mongo_errors():
            for name, collection in self._collections.items():
                found = collection.find(_owned(name, subject), {**_HIDDEN, "events_since": 0})
                rows = [row async for row in found.limit(MAX_RECORDS_PER_PLACE + 1)]
                if len(rows) > MAX_RECORDS_PER_PLACE:
                    raise too_many_records(_place(name))
                records[_place(name)] = rows
        return records

    async def erase_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore; document by document, and again changes nothing more."""
        with mongo_errors():
            return {
                _place(name): (await collection.delete_many(_owned(name, subject))).deleted_count
                for name, collection in self._collections.items()
            }

    async def count_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore."""
        with mongo_errors():
            return {
                _place(name): await collection.count_documents(_owned(name, subject))
                for name, collection in self._collections.items()
            }

    async def scrub(self) -> None:
        """Nothing: the server reuses the room of deleted documents itself."""


def _place(name: str) -> str:
    return f"collection:{name}"


def _owned(name: str, subject: Subject) -> Document:
    return {"_id": subject.account_id} if name == DOWNLOADS else {"account_id": subject.account_id}
