"""TitleCatalogue on a relational store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.sql import reading, writing
from subgraphs.playback.adapters.fields import asset_of_fields, fields_of_asset, fields_of_title, title_of_fields
from subgraphs.playback.adapters.instants import to_micros
from subgraphs.playback.adapters.sqlalchemy import tables
from subgraphs.playback.adapters.sqlalchemy.tables import upsert
from subgraphs.playback.domain.titles import Asset, PlayableTitle, withdrawn_title

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

    async def put_titles(self, titles: Sequence[PlayableTitle], changed_at: datetime) -> None:
        """See TitleCatalogue.put_titles; in one transaction."""
        if not titles:
            return
        told_at = to_micros(changed_at)
        rows = [{**fields_of_title(title), "changed_at": told_at} for title in titles]
        async with writing(self._engine) as connection:
            await connection.execute(upsert(self._engine, tables.titles, newest="changed_at"), rows)

    async def put_asset(self, asset: Asset) -> None:
        """See TitleCatalogue.put_asset."""
        async with writing(self._engine) as connection:
            await connection.execute(
                upsert(self._engine, tables.assets, newest="published_at"), [fields_of_asset(asset)]
            )

    async def withdraw(self, title_ids: Sequence[TitleId], changed_at: datetime) -> None:
        """See TitleCatalogue.withdraw."""
        if not title_ids:
            return
        told_at = to_micros(changed_at)
        rows = [{**fields_of_title(withdrawn_title(title_id)), "changed_at": told_at} for title_id in title_ids]
        async with writing(self._engine) as connection:
            await connection.execute(
                upsert(self._engine, tables.titles, newest="changed_at", only=("is_withdrawn", "changed_at")), rows
            )
