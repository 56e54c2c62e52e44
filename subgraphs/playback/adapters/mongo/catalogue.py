"""TitleCatalogue on MongoDB: one document per title, one per film."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pymongo import ASCENDING, ReplaceOne
from pymongo.errors import DuplicateKeyError

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.mongo import MongoDatabase, mongo_errors
from subgraphs.playback.adapters.fields import asset_of_fields, fields_of_asset, fields_of_title, title_of_fields
from subgraphs.playback.adapters.instants import to_micros
from subgraphs.playback.adapters.mongo.schema import ASSETS, TITLES
from subgraphs.playback.domain.titles import Asset, PlayableTitle

__all__ = ["MongoTitleCatalogue"]


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

    async def put_titles(self, titles: Sequence[PlayableTitle]) -> None:
        """Insert or replace; each title whole, and all again when the event comes again."""
        if not titles:
            return
        # The last one of a title counts, as in a loop.
        latest = {title.id: title for title in titles}
        writes = [
            ReplaceOne({"_id": title.id}, {"_id": title.id, **fields_of_title(title)}, upsert=True)
            for title in latest.values()
        ]
        with mongo_errors():
            await self._titles.bulk_write(writes, ordered=False)

    async def put_asset(self, asset: Asset, *, only_if_absent: bool = False) -> None:
        """Insert or replace; an asset older than the one that is there changes nothing."""
        fields = {"_id": asset.title_id, **fields_of_asset(asset)}
        with mongo_errors():
            try:
                if only_if_absent:
                    await self._assets.insert_one(fields)
                else:
                    not_newer = {"_id": asset.title_id, "published_at": {"$lte": to_micros(asset.published_at)}}
                    await self._assets.replace_one(not_newer, fields, upsert=True)
            except DuplicateKeyError:
                # There is one already, which is newer or was to be kept.
                return

    async def withdraw(self, title_ids: Sequence[TitleId]) -> None:
        """Mark as withdrawn; unknown ids are ignored, as they can't be played anyway."""
        if title_ids:
            with mongo_errors():
                await self._titles.update_many({"_id": {"$in": list(title_ids)}}, {"$set": {"is_withdrawn": True}})
