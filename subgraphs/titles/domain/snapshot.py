"""A title as the other services hear of it: the `TitleSnapshot` of the `title.changed` event, ready for JSON."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from subgraphs.titles.artwork.design import choose_design
from subgraphs.titles.domain.artwork_reference import artwork_shares
from subgraphs.titles.domain.audit_trail import described_window
from subgraphs.titles.domain.rights import effective_facts
from subgraphs.titles.domain.title import CreditRole, EpisodeSlot, Title

__all__ = ["MAX_CAST_IN_SNAPSHOT", "next_episode", "previous_episode", "snapshot"]

MAX_CAST_IN_SNAPSHOT = 10


def snapshot(title: Title, parent: Title | None, next_episode_id: str | None) -> dict[str, Any]:
    """The event's form of a title; instants are ISO 8601 with a zone, absent values are null.

    Age, kids, windows and blocks are those that hold for the title together with its parent.
    """
    asset, facts = title.media.asset, effective_facts(title, parent)
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
        "minimumAge": facts.minimum_age,
        "isKids": facts.is_kids,
        "windows": [described_window(window) for window in facts.windows],
        "blockedCountries": sorted(facts.blocked_countries),
        "seriesId": title.series_id,
        "seasonNumber": title.season_number,
        "episodeNumber": title.episode_number,
        "nextEpisodeId": next_episode_id,
        "videoOf": title.video_of,
        "videoKind": title.video_kind and title.video_kind.value,
        "originCountry": title.origin_country,
        "originalLanguage": title.original_language,
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
        "artwork": _described_artwork(title),
    }


def _described_artwork(title: Title) -> list[dict[str, Any]]:
    """What each variant of the title's pictures looks like, and its share."""
    genres = [genre.display_name for genre in title.genres]
    described = []
    for variant, weight in artwork_shares(title.artwork_weights).items():
        design = choose_design(title.id, genres, title.release_year, variant)
        described.append(
            {
                "variant": variant,
                "weight": weight,
                "palette": design.palette_name,
                "composition": design.family,
                "typeface": design.typeface,
            }
        )
    return described


def next_episode(title: Title, slots: tuple[EpisodeSlot, ...]) -> EpisodeSlot | None:
    """The episode after this one in its series; `slots` are the series' episodes in order of season and number."""
    for slot, following in pairwise(slots):
        if slot.title_id == title.id:
            return following
    return None


def previous_episode(title: Title, slots: tuple[EpisodeSlot, ...]) -> EpisodeSlot | None:
    """The episode before this one, which need not be among `slots`, as when it is withdrawn; None for other kinds."""
    if title.season_number is None or title.episode_number is None:
        return None
    place = (title.season_number, title.episode_number, title.id)
    return max((slot for slot in slots if _place(slot) < place), key=_place, default=None)


def _place(slot: EpisodeSlot) -> tuple[int, int, str]:
    return (slot.season_number, slot.number, slot.title_id)
