"""DownloadStore on MongoDB: one document per account, changed at its version only."""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from subgraphs.kernel.ids import AccountId
from subgraphs.kernel.mongo import Document, MongoDatabase, mongo_errors
from subgraphs.playback.adapters.fields import download_of_fields, fields_of_download
from subgraphs.playback.adapters.mongo.schema import DOWNLOADS
from subgraphs.playback.domain.downloads import AccountDownloads

__all__ = ["MongoDownloadStore"]


class MongoDownloadStore:
    """All accounts' downloads."""

    def __init__(self, database: MongoDatabase) -> None:
        self._downloads = database.collection(DOWNLOADS)

    async def of_account(self, account_id: AccountId) -> AccountDownloads:
        """The account's downloads; an empty value when there are none."""
        with mongo_errors():
            found = await self._downloads.find_one({"_id": account_id})
        if found is None:
            return AccountDownloads(account_id)
        return AccountDownloads(account_id, tuple(map(download_of_fields, found["records"])), found["version"])

    async def put(self, downloads: AccountDownloads) -> bool:
        """Replace what was read at `downloads.version`; False when somebody else was faster."""
        document: Document = {
            "_id": downloads.account_id,
            "version": downloads.version + 1,
            "records": [fields_of_download(download) for download in downloads.downloads],
        }
        with mongo_errors():
            try:
                await self._downloads.replace_one(
                    {"_id": downloads.account_id, "version": downloads.version}, document, upsert=True
                )
            except DuplicateKeyError:
                return False
        return True
