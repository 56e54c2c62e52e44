"""TitleCatalogue on MongoDB: one document per title, one per film."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from pymongo import ASCENDING, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.mongo import Document, MongoDatabase, mongo_errors
from subgraphs.playback.adapters.fields import asset_of_fields, fields_of_asset, fields_of_title, title_of_fields
from subgraphs.playback.adapters.instants import to_micros
from subgraphs.playback.adapters.mongo.schema import ASSETS, TITLES
from subgraphs.playback.domain.titles import Asset, PlayableTitle, withdrawn_title

__all__ = ["MongoTitleCatalogue"]

DUPLICATE_KEY = 11000


class MongoTitleCatalogue:
    """Facts about titles and their films, as the last event of each told them."""

    def __init__(self, database: MongoDatabase) -> None:
        self._titles = database.collection(TITLES)
        self._assets = database.collection(ASSETS)

    async def titles_by_id(self, title_ids: Collection[TitleId]) -> Mapping[TitleId, PlayableTitle]:
        """The known ones among them, in one query."""
        if not title_ids:
            return {}
        with mongo_errors():
            rows = [row async for row in self._titles.find({"_id": {"$in": sorted(title_ids)}})]
        return {title.id: title for title in map(title_of_fields, rows)}

    async def episodes_of(self, series_ids: Collection[TitleId]) -> Sequence[PlayableTitle]:
        """All episodes of these series, in order of series, season and number, in one query."""
        if not series_ids:
            return []
        order = [(name, ASCENDING) for name in ("series_id", "season_number", "episode_number", "_id")]
        with mongo_errors():
            found = self._titles.find({"series_id": {"$in": sorted(series_ids)}}).sort(order)
            return [title_of_fields(row) async for row in found]

    async def asset_of(self, title_id: TitleId) -> Asset | None:
        """The film to play now; None while there is none."""
        return (await self.assets_by_title([title_id])).get(title_id)

    async def assets_by_title(self, title_ids: Collection[TitleId]) -> Mapping[TitleId, Asset]:
        """Films of these titles, in one query."""
        if not title_ids:
            return {}
        with mongo_errors():
            rows = [row async for row in self._assets.find({"_id": {"$in": sorted(title_ids)}})]
        return {asset.title_id: asset for asset in map(asset_of_fields, rows)}

    async def put_titles(self, titles: Sequence[PlayableTitle], changed_at: datetime) -> None:
        """See TitleCatalogue.put_titles; each title whole, and all again when the event comes again."""
        told_at = to_micros(changed_at)
        # The last one of a title counts, as in a loop.
        latest = {title.id: title for title in titles}
        await self._write_news(
            [
                ReplaceOne(
                    _not_newer(title.id, told_at),
                    {"_id": title.id, **fields_of_title(title), "changed_at": told_at},
                    upsert=True,
                )
                for title in latest.values()
            ]
        )

    async def put_asset(self, asset: Asset) -> None:
        """See TitleCatalogue.put_asset."""
        fields = {"_id": asset.title_id, **fields_of_asset(asset)}
        with mongo_errors():
            try:
                not_newer = {"_id": asset.title_id, "published_at": {"$lte": to_micros(asset.published_at)}}
                await self._assets.replace_one(not_newer, fields, upsert=True)
            except DuplicateKeyError:
                # There is a newer one already.
                return

    async def withdraw(self, title_ids: Sequence[TitleId], changed_at: datetime) -> None:
        """See TitleCatalogue.withdraw."""
        told_at = to_micros(changed_at)
        news = {"is_withdrawn": True, "changed_at": told_at}
        writes = []
        for title_id in dict.fromkeys(title_ids):
            unknown = {
                name: value for name, value in fields_of_title(withdrawn_title(title_id)).items() if name not in news
            }
            writes.append(
                UpdateOne(_not_newer(title_id, told_at), {"$set": news, "$setOnInsert": unknown}, upsert=True)
            )
        await self._write_news(writes)

    async def _write_news(self, writes: Sequence[UpdateOne | ReplaceOne[Document]]) -> None:
        """Upserts that look for what is not newer: where there is newer, they would insert, and the id is taken."""
        if not writes:
            return
        with mongo_errors():
            try:
                await self._titles.bulk_write(writes, ordered=False)
            except BulkWriteError as error:
                if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
                    raise


def _not_newer(title_id: TitleId, told_at: int) -> Document:
    """Matches a title of which nothing later is known; documents of before have no instant and are older than all."""
    return {"_id": title_id, "$or": [{"changed_at": {"$exists": False}}, {"changed_at": {"$lte": told_at}}]}
