"""TitleCatalogue on a relational store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import TitleFacts, Window
from subgraphs.kernel.sql import reading, writing
from subgraphs.playback.adapters.sqlalchemy import tables
from subgraphs.playback.adapters.sqlalchemy.tables import from_micros, to_micros, upsert
from subgraphs.playback.domain.titles import (
    Asset,
    AssetVariant,
    Encryption,
    Marker,
    MarkerKind,
    PlayableTitle,
    TitleKind,
)

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
            rows = (await connection.execute(statement)).all()
        return {title.id: title for title in map(_title_of_row, rows)}

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
            return [_title_of_row(row) for row in (await connection.execute(statement)).all()]

    async def asset_of(self, title_id: TitleId) -> Asset | None:
        """The film to play now; None while there is none."""
        return (await self.assets_by_title([title_id])).get(title_id)

    async def assets_by_title(self, title_ids: Collection[TitleId]) -> Mapping[TitleId, Asset]:
        """Films of these titles, in one query."""
        if not title_ids:
            return {}
        statement = select(tables.assets).where(tables.assets.c.title_id.in_(sorted(title_ids)))
        async with reading(self._engine) as connection:
            rows = (await connection.execute(statement)).all()
        return {asset.title_id: asset for asset in map(_asset_of_row, rows)}

    async def put_titles(self, titles: Sequence[PlayableTitle]) -> None:
        """Insert or replace, in one transaction."""
        if not titles:
            return
        async with writing(self._engine) as connection:
            await connection.execute(upsert(self._engine, tables.titles), [_row_of_title(title) for title in titles])

    async def put_asset(self, asset: Asset, *, only_if_absent: bool = False) -> None:
        """Insert or replace; an asset older than the one that is there changes nothing."""
        published_at = tables.assets.c.published_at
        async with writing(self._engine) as connection:
            there = await connection.scalar(
                select(published_at).where(tables.assets.c.title_id == asset.title_id).with_for_update()
            )
            if there is not None and (only_if_absent or there > to_micros(asset.published_at)):
                return
            await connection.execute(upsert(self._engine, tables.assets), [_row_of_asset(asset)])

    async def withdraw(self, title_ids: Sequence[TitleId]) -> None:
        """Mark as withdrawn; unknown ids are ignored, as they can't be played anyway."""
        if not title_ids:
            return
        statement = update(tables.titles).where(tables.titles.c.id.in_(list(title_ids))).values(is_withdrawn=True)
        async with writing(self._engine) as connection:
            await connection.execute(statement)


def _row_of_title(title: PlayableTitle) -> dict[str, Any]:
    return {
        "id": title.id,
        "kind": title.kind.value,
        "display_name": title.display_name,
        "series_id": title.series_id,
        "season_number": title.season_number,
        "episode_number": title.episode_number,
        "next_episode_id": title.next_episode_id,
        "duration_s": title.duration_s,
        "minimum_age": title.facts.minimum_age,
        "is_kids": title.facts.is_kids,
        "is_withdrawn": title.facts.is_withdrawn,
        "windows": [
            [
                window.country,
                None if window.opens_at is None else to_micros(window.opens_at),
                None if window.closes_at is None else to_micros(window.closes_at),
            ]
            for window in title.facts.windows
        ],
        "blocked_countries": sorted(title.facts.blocked_countries),
        "markers": [[marker.kind.value, marker.start_s, marker.end_s] for marker in title.markers],
    }


def _title_of_row(row: Row[Any]) -> PlayableTitle:
    return PlayableTitle(
        id=TitleId(row.id),
        kind=TitleKind(row.kind),
        facts=TitleFacts(
            minimum_age=row.minimum_age,
            is_kids=row.is_kids,
            windows=tuple(
                Window(
                    country,
                    None if opens_at is None else from_micros(opens_at),
                    None if closes_at is None else from_micros(closes_at),
                )
                for country, opens_at, closes_at in row.windows
            ),
            blocked_countries=frozenset(row.blocked_countries),
            is_withdrawn=row.is_withdrawn,
        ),
        display_name=row.display_name,
        duration_s=row.duration_s,
        series_id=None if row.series_id is None else TitleId(row.series_id),
        season_number=row.season_number,
        episode_number=row.episode_number,
        next_episode_id=None if row.next_episode_id is None else TitleId(row.next_episode_id),
        markers=tuple(Marker(MarkerKind(kind), start, end) for kind, start, end in row.markers),
    )


def _row_of_asset(asset: Asset) -> dict[str, Any]:
    return {
        "title_id": asset.title_id,
        "asset_id": asset.asset_id,
        "variants": [[variant.encryption.value, variant.hls, variant.dash] for variant in asset.variants],
        "duration_s": asset.duration_s,
        "max_height_px": asset.max_height_px,
        "audio_languages": list(asset.audio_languages),
        "subtitle_languages": list(asset.subtitle_languages),
        "thumbnails": asset.thumbnails,
        "published_at": to_micros(asset.published_at),
    }


def _asset_of_row(row: Row[Any]) -> Asset:
    return Asset(
        title_id=TitleId(row.title_id),
        asset_id=row.asset_id,
        variants=tuple(AssetVariant(Encryption(encryption), hls, dash) for encryption, hls, dash in row.variants),
        duration_s=row.duration_s,
        max_height_px=row.max_height_px,
        audio_languages=tuple(row.audio_languages),
        subtitle_languages=tuple(row.subtitle_languages),
        thumbnails=row.thumbnails,
        published_at=from_micros(row.published_at),
    )
