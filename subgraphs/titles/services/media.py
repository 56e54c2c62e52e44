"""What the media side reports: a title's asset was published, or could not be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from common.events import Event
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.domain.title import Asset, Media, MediaStatus
from subgraphs.titles.services.writing import CatalogueWriter

__all__ = ["MediaReports"]

log = structlog.get_logger(__name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class MediaReports:
    """Handles topic `assets`. Events may come twice and out of order: the asset that was published last is played."""

    def __init__(self, writer: CatalogueWriter) -> None:
        self._writer = writer

    async def handle(self, event: Event) -> None:
        """Raises KeyError, TypeError or ValueError for an event of another shape."""
        match event.kind:
            case "asset.published":
                asset = read_asset(event.data, event.occurred_at)
                is_known = await self._writer.set_media(
                    TitleId(str(event.data["titleId"])), lambda media: _published(media, asset)
                )
            case "asset.processing":
                is_known = await self._writer.set_media(TitleId(str(event.data["titleId"])), _processing)
            case "asset.failed":
                # A title that could be played before stays playable: only the new upload failed.
                is_known = await self._writer.set_media(TitleId(str(event.data["titleId"])), _failed)
            case _:
                return
        if not is_known:
            log.warning("titles.asset_of_unknown_title", kind=event.kind, title_id=str(event.data["titleId"]))


def read_asset(data: Mapping[str, Any], published_at: datetime) -> Asset:
    """The asset in an `asset.published` event: the encrypted version where there is one."""
    variants = data["variants"]
    encryption = "clearkey" if "clearkey" in variants else "clear"
    paths = variants[encryption]
    poster = data.get("posterFrameObject")
    return Asset(
        asset_id=str(data["assetId"]),
        hls=str(paths["hls"]),
        dash=str(paths["dash"]),
        duration_seconds=float(data["durationSeconds"]),
        max_height_px=int(data["maxHeightPx"]),
        encryption=encryption,
        poster_frame_object=None if poster is None else str(poster),
        published_micros=(published_at - _EPOCH) // _MICROSECOND,
    )


def _published(media: Media, asset: Asset) -> Media:
    if media.asset is not None and media.asset.published_micros > asset.published_micros:
        return media
    return replace(media, status=MediaStatus.READY, asset=asset)


def _processing(media: Media) -> Media:
    return media if media.asset is not None else replace(media, status=MediaStatus.PROCESSING)


def _failed(media: Media) -> Media:
    return media if media.asset is not None else replace(media, status=MediaStatus.NONE)
