"""DownloadStore on a relational store: one row per account, changed at its version only."""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.ids import AccountId
from subgraphs.kernel.sql import reading, writing
from subgraphs.playback.adapters.fields import download_of_fields, fields_of_download
from subgraphs.playback.adapters.sqlalchemy import tables
from subgraphs.playback.domain.downloads import AccountDownloads

__all__ = ["SqlDownloadStore"]


class SqlDownloadStore:
    """All accounts' downloads."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_account(self, account_id: AccountId) -> AccountDownloads:
        """The account's downloads; an empty value when there are none."""
        statement = select(tables.downloads).where(tables.downloads.c.account_id == account_id)
        async with reading(self._engine) as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return AccountDownloads(account_id)
        return AccountDownloads(account_id, tuple(map(download_of_fields, row.records)), row.version)

    async def put(self, downloads: AccountDownloads) -> bool:
        """Replace what was read at `downloads.version`; False when somebody else was faster."""
        columns = tables.downloads.c
        values = {
            "version": downloads.version + 1,
            "records": [fields_of_download(download) for download in downloads.downloads],
        }
        try:
            async with writing(self._engine) as connection:
                if downloads.version == 0:
                    await connection.execute(insert(tables.downloads).values(account_id=downloads.account_id, **values))
                    return True
                outcome = await connection.execute(
                    update(tables.downloads)
                    .where(columns.account_id == downloads.account_id, columns.version == downloads.version)
                    .values(**values)
                )
        except IntegrityError:
            # Another process made the account's first row in between.
            return False
        return outcome.rowcount == 1
