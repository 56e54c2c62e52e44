"""The audit log's personal data: it says who edited what."""

from __future__ import annotations

from subgraphs.kernel.mongo import Document, MongoDatabase, mongo_errors
from subgraphs.kernel.personal_data import (
    MAX_RECORDS_PER_PLACE,
    CountsByPlace,
    RecordsByPlace,
    Subject,
    too_many_records,
)
from subgraphs.kernel.personal_tables import ERASED_OWNER
from subgraphs.titles.adapters.mongo.schema import AUDIT

__all__ = ["MongoPersonalData"]

_PLACE = f"collection:{AUDIT}"


class MongoPersonalData:
    """A PersonalDataStore. What was done to the catalogue stays known, and by whom no longer."""

    def __init__(self, database: MongoDatabase) -> None:
        self._audit = database.collection(AUDIT)

    async def export_personal(self, subject: Subject) -> RecordsByPlace:
        """See PersonalDataStore."""
        with mongo_errors():
            found = self._audit.find(_by(subject), {"sequence": 0}).limit(MAX_RECORDS_PER_PLACE + 1)
            rows = [row async for row in found]
        if len(rows) > MAX_RECORDS_PER_PLACE:
            raise too_many_records(_PLACE)
        return {_PLACE: rows}

    async def erase_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore."""
        with mongo_errors():
            outcome = await self._audit.update_many(_by(subject), {"$set": {"account_id": ERASED_OWNER}})
        return {_PLACE: outcome.modified_count}

    async def count_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore."""
        with mongo_errors():
            return {_PLACE: await self._audit.count_documents(_by(subject))}

    async def scrub(self) -> None:
        """Nothing: the server reuses the room of changed documents itself."""


def _by(subject: Subject) -> Document:
    return {"account_id": subject.account_id}
