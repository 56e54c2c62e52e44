"""TitleCatalogue on a relational store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.sql import reading, writing
from subgraphs.playback.adapters.fields import asset_of_fields, fields_of_asset, fields_of_title, title_of_fields
from subgraphs.playback.adapters.instants import to_micros
from subgraphs.playback.adapters.sqlalchemy import tables
from subgraphs.playback.adapters.sqlalchemy.tables import upsert
from subgraphs.playback.domain.titles import Asset, PlayableTitle

__all__ = ["SqlTitleCatalogue"]


class SqlTitleCatalogue:
    """Facts about titles and their films, as the last event of each told them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def titles_by_id(self, title_ids: Collection[TitleId]) -> Mapping[TitleId, PlayableTitle]:
        """The known ones among them, in one query."""
        if not title_ids:
            return {}
        statement = select(tables.titles).where(tables.titles.c.id.in_(sorted(title_ids)))
        async with reading(self._engine) as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return {title.id: title for title in map(title_of_fields, rows)}

    async def episodes_of(self, series_ids: Collection[TitleId]) -> Sequence[PlayableTitle]:
        """All episodes of these series, in order of series, season and number, in one query."""
        if not series_ids:
            return []
        columns = tables.titles.c
        statement = (
            select(tables.titles)
            .where(columns.series_id.in_(sorted(series_ids)))
            .order_by(columns.series_id, columns.season_number, columns.episode_number, columns.id)
        )
        async with reading(self._engine) as connection:
            return [title_of_fields(row) for row in (await connection.execute(statement)).mappings().all()]

    async def asset_of(self, title_id: TitleId) -> Asset | None:
        """The film to play now; None while there is none."""
        return (await self.assets_by_title([title_id])).get(title_id)

    async def assets_by_title(self, title_ids: Collection[TitleId]) -> Mapping[TitleId, Asset]:
        """Films of these titles, in one query."""
        if not title_ids:
            return {}
        statement = select(tables.assets).where(tables.assets.c.title_id.in_(sorted(title_ids)))
        async with reading(self._engine) as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return {asset.title_id: asset for asset in map(asset_of_fields, rows)}

    async def put_titles(self, titles: Sequence[PlayableTitle]) -> None:
        """Insert or replace, in one transaction."""
        if not titles:
            return
        async with writing(self._engine) as connection:
            await connection.execute(upsert(self._engine, tables.titles), [fields_of_title(title) for title in titles])

    async def put_asset(self, asset: Asset, *, only_if_absent: bool = False) -> None:
        """Insert or replace; an asset older than the one that is there changes nothing."""
        published_at = tables.assets.c.published_at
        async with writing(self._engine) as connection:
            there = await connection.scalar(
                select(published_at).where(tables.assets.c.title_id == asset.title_id).with_for_update()
            )
            if there is not None and (only_if_absent or there > to_micros(asset.published_at)):
                return
            await connection.execute(upsert(self._engine, tables.assets), [fields_of_asset(asset)])

    async def withdraw(self, title_ids: Sequence[TitleId]) -> None:
        """Mark as withdrawn; unknown ids are ignored, as they can't be played anyway."""
        if not title_ids:
            return
        statement = update(tables.titles).where(tables.titles.c.id.in_(list(title_ids))).values(is_withdrawn=True)
        async with writing(self._engine) as connection:
            await connection.execute(statement)
