"""A title as the other services hear of it: the `TitleSnapshot` of the `title.changed` event, ready for JSON."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from subgraphs.kernel.policy import Window
from subgraphs.titles.domain.title import CreditRole, EpisodeSlot, Title

__all__ = ["MAX_CAST_IN_SNAPSHOT", "next_episode", "snapshot"]

MAX_CAST_IN_SNAPSHOT = 10


def snapshot(title: Title, next_episode_id: str | None) -> dict[str, Any]:
    """The event's form of a title; instants are ISO 8601 with a zone, absent values are null."""
    asset = title.media.asset
    return {
        "id": title.id,
        "kind": title.kind.value,
        "displayName": title.display_name,
        "synopsis": title.synopsis,
        "releaseYear": title.release_year,
        "durationSeconds": title.duration_seconds,
        "genres": [{"id": genre.id, "name": genre.display_name} for genre in title.genres],
        "cast": list(title.credited(CreditRole.CAST)[:MAX_CAST_IN_SNAPSHOT]),
        "directors": list(title.credited(CreditRole.DIRECTOR)),
        "minimumAge": title.minimum_age,
        "isKids": title.is_kids,
        "windows": [_window(window) for window in title.windows],
        "blockedCountries": sorted(title.blocked_countries),
        "seriesId": title.series_id,
        "seasonNumber": title.season_number,
        "episodeNumber": title.episode_number,
        "nextEpisodeId": next_episode_id,
        "popularity": title.popularity,
        "addedAt": title.added_at.isoformat(),
        "asset": None
        if asset is None
        else {
            "assetId": asset.asset_id,
            "hls": asset.hls,
            "dash": asset.dash,
            "durationSeconds": asset.duration_seconds,
            "maxHeightPx": asset.max_height_px,
            "encryption": asset.encryption,
        },
        "markers": [
            {"kind": marker.kind, "startSeconds": marker.start_seconds, "endSeconds": marker.end_seconds}
            for marker in title.media.markers
        ],
    }


def next_episode(title: Title, slots: tuple[EpisodeSlot, ...]) -> EpisodeSlot | None:
    """The episode after this one in its series; `slots` are the series' episodes in order of season and number."""
    for slot, following in pairwise(slots):
        if slot.title_id == title.id:
            return following
    return None


def _window(window: Window) -> dict[str, Any]:
    return {
        "country": window.country,
        "from": None if window.opens_at is None else window.opens_at.isoformat(),
        "until": None if window.closes_at is None else window.closes_at.isoformat(),
    }
