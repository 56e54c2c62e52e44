"""Titles, films and downloads as both stores keep them: plain values by field name, instants in microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from subgraphs.kernel.ids import ProfileId, TitleId
from subgraphs.kernel.policy import TitleFacts, Window
from subgraphs.playback.adapters.instants import from_micros, optional_instant, optional_micros, to_micros
from subgraphs.playback.domain.downloads import Download
from subgraphs.playback.domain.titles import (
    Asset,
    AssetVariant,
    Encryption,
    Marker,
    MarkerKind,
    PlayableTitle,
    TitleKind,
)

__all__ = [
    "asset_of_fields",
    "download_of_fields",
    "fields_of_asset",
    "fields_of_download",
    "fields_of_title",
    "title_of_fields",
]


def fields_of_title(title: PlayableTitle) -> dict[str, Any]:
    """JSON values by field."""
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
                optional_micros(window.opens_at),
                optional_micros(window.closes_at),
            ]
            for window in title.facts.windows
        ],
        "blocked_countries": sorted(title.facts.blocked_countries),
        "markers": [[marker.kind.value, marker.start_s, marker.end_s] for marker in title.markers],
    }


def title_of_fields(row: Mapping[Any, Any]) -> PlayableTitle:
    """What fields_of_title wrote."""
    return PlayableTitle(
        id=TitleId(row["id"]),
        kind=TitleKind(row["kind"]),
        facts=TitleFacts(
            minimum_age=row["minimum_age"],
            is_kids=row["is_kids"],
            windows=tuple(
                Window(
                    country,
                    optional_instant(opens_at),
                    optional_instant(closes_at),
                )
                for country, opens_at, closes_at in row["windows"]
            ),
            blocked_countries=frozenset(row["blocked_countries"]),
            is_withdrawn=row["is_withdrawn"],
        ),
        display_name=row["display_name"],
        duration_s=row["duration_s"],
        series_id=None if row["series_id"] is None else TitleId(row["series_id"]),
        season_number=row["season_number"],
        episode_number=row["episode_number"],
        next_episode_id=None if row["next_episode_id"] is None else TitleId(row["next_episode_id"]),
        markers=tuple(Marker(MarkerKind(kind), start, end) for kind, start, end in row["markers"]),
    )


def fields_of_asset(asset: Asset) -> dict[str, Any]:
    """JSON values by field."""
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


def asset_of_fields(row: Mapping[Any, Any]) -> Asset:
    """What fields_of_asset wrote."""
    return Asset(
        title_id=TitleId(row["title_id"]),
        asset_id=row["asset_id"],
        variants=tuple(AssetVariant(Encryption(encryption), hls, dash) for encryption, hls, dash in row["variants"]),
        duration_s=row["duration_s"],
        max_height_px=row["max_height_px"],
        audio_languages=tuple(row["audio_languages"]),
        subtitle_languages=tuple(row["subtitle_languages"]),
        thumbnails=row["thumbnails"],
        published_at=from_micros(row["published_at"]),
    )


def fields_of_download(download: Download) -> dict[str, Any]:
    """JSON values by field."""
    return {
        "id": download.id,
        "profile_id": download.profile_id,
        "title_id": download.title_id,
        "asset_id": download.asset_id,
        "device_id": download.device_id,
        "authorised_at": to_micros(download.authorised_at),
        "expires_at": to_micros(download.expires_at),
        "completed_at": optional_micros(download.completed_at),
    }


def download_of_fields(row: Mapping[Any, Any]) -> Download:
    """What fields_of_download wrote."""
    return Download(
        id=row["id"],
        profile_id=ProfileId(row["profile_id"]),
        title_id=TitleId(row["title_id"]),
        asset_id=row["asset_id"],
        device_id=row["device_id"],
        authorised_at=from_micros(row["authorised_at"]),
        expires_at=from_micros(row["expires_at"]),
        completed_at=optional_instant(row["completed_at"]),
    )
