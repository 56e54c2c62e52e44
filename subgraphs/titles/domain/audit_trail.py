"""What an audit entry says of a write by hand: the fields that differ, as JSON, before and after."""

from __future__ import annotations

from typing import Any

from subgraphs.kernel.policy import Window
from subgraphs.titles.domain.title import Season, Title

__all__ = ["EDITABLE_FIELDS", "described_season", "described_title", "described_window", "differences"]

EDITABLE_FIELDS = frozenset(
    {
        "display_name",
        "synopsis",
        "release_year",
        "duration_seconds",
        "genres",
        "credits",
        "minimum_age",
        "is_age_certified",
        "is_kids",
        "certificates",
        "windows",
        "blocked_countries",
        "origin_country",
        "original_language",
        "season_id",
        "season_number",
        "episode_number",
        "video_kind",
    }
)
"""Fields of a title that a source says and the studio may say otherwise."""


def described_title(title: Title) -> dict[str, Any]:
    """Everything of a title that is changed by hand."""
    return {
        "displayName": title.display_name,
        "synopsis": title.synopsis,
        "releaseYear": title.release_year,
        "durationSeconds": title.duration_seconds,
        "genres": [genre.display_name for genre in title.genres],
        "credits": [
            {
                "personId": credit.person.id,
                "displayName": credit.person.display_name,
                "role": credit.role.value,
                "character": credit.character,
            }
            for credit in title.credits
        ],
        "minimumAge": title.minimum_age,
        "isAgeCertified": title.is_age_certified,
        "isKids": title.is_kids,
        "certificates": dict(title.certificates),
        "windows": [described_window(window) for window in title.windows],
        "blockedCountries": sorted(title.blocked_countries),
        "originCountry": title.origin_country,
        "originalLanguage": title.original_language,
        "seasonNumber": title.season_number,
        "episodeNumber": title.episode_number,
        "videoKind": title.video_kind and title.video_kind.value,
        "isWithdrawn": title.is_withdrawn,
        "markers": [
            {"kind": marker.kind, "startSeconds": marker.start_seconds, "endSeconds": marker.end_seconds}
            for marker in title.media.markers
        ],
        "artworkWeights": dict(title.artwork_weights),
        "revision": title.revision,
    }


def described_season(season: Season) -> dict[str, Any]:
    """A season."""
    return {"seasonId": season.id, "seasonNumber": season.number, "seasonName": season.display_name}


def described_window(window: Window) -> dict[str, Any]:
    """A window; instants are ISO 8601, null is an open end."""
    return {
        "country": window.country,
        "from": None if window.opens_at is None else window.opens_at.isoformat(),
        "until": None if window.closes_at is None else window.closes_at.isoformat(),
    }


def differences(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was there and what came of it, by the names whose values differ."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}
