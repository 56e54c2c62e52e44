"""What playback knows of a title and of its films, from the events of titles and of the media services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import TitleFacts, facts_from_snapshot

__all__ = [
    "Asset",
    "AssetVariant",
    "Encryption",
    "Marker",
    "MarkerKind",
    "PlayableTitle",
    "TitleKind",
    "asset_from_published",
    "asset_from_snapshot",
    "title_from_snapshot",
    "withdrawn_title",
]

_BELOW_PUBLISHED = timedelta(days=365 * 500)


class TitleKind(StrEnum):
    """A series is played by its episodes only; a video is a trailer or bonus of another title."""

    MOVIE = "MOVIE"
    SERIES = "SERIES"
    EPISODE = "EPISODE"
    VIDEO = "VIDEO"


class Encryption(StrEnum):
    """How the segments of one variant of an asset are protected."""

    CLEAR = "clear"
    CLEARKEY = "clearkey"


class MarkerKind(StrEnum):
    """What a marked stretch is."""

    INTRO = "INTRO"
    RECAP = "RECAP"
    CREDITS = "CREDITS"
    PREVIEW = "PREVIEW"


@dataclass(frozen=True, slots=True)
class Marker:
    """A stretch of a film that a player may offer to skip."""

    kind: MarkerKind
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class PlayableTitle:
    """One title. `series_id`, `season_number`, `episode_number` and `next_episode_id` are set for episodes."""

    id: TitleId
    kind: TitleKind
    facts: TitleFacts
    display_name: str
    duration_s: float | None
    series_id: TitleId | None
    season_number: int | None
    episode_number: int | None
    next_episode_id: TitleId | None
    markers: tuple[Marker, ...]

    @property
    def credits_start_s(self) -> float | None:
        """Where the closing credits begin; None when nobody marked them."""
        return min((marker.start_s for marker in self.markers if marker.kind is MarkerKind.CREDITS), default=None)


@dataclass(frozen=True, slots=True)
class AssetVariant:
    """One packaged version: manifest paths relative to the delivery root; an empty one is not offered."""

    encryption: Encryption
    hls: str
    dash: str


@dataclass(frozen=True, slots=True)
class Asset:
    """The film of a title as it was published at `published_at`; a later one replaces it.

    What only a snapshot told is centuries older, so that anything that was published replaces it.
    """

    title_id: TitleId
    asset_id: str
    variants: tuple[AssetVariant, ...]
    duration_s: float
    max_height_px: int
    audio_languages: tuple[str, ...]
    subtitle_languages: tuple[str, ...]
    thumbnails: str | None
    published_at: datetime

    def variant(self, encryption: Encryption) -> AssetVariant | None:
        """The variant with that protection; None when it was not made."""
        return next((variant for variant in self.variants if variant.encryption is encryption), None)


def title_from_snapshot(snapshot: Mapping[str, Any]) -> PlayableTitle:
    """The title in a `title.changed` snapshot; raises KeyError, TypeError or ValueError when it is malformed."""
    duration = snapshot.get("durationSeconds")
    return PlayableTitle(
        id=TitleId(str(snapshot["id"])),
        kind=TitleKind(snapshot["kind"]),
        facts=facts_from_snapshot(snapshot),
        display_name=str(snapshot.get("displayName") or ""),
        duration_s=None if duration is None else float(duration),
        series_id=_optional_id(snapshot.get("seriesId")),
        season_number=_optional_int(snapshot.get("seasonNumber")),
        episode_number=_optional_int(snapshot.get("episodeNumber")),
        next_episode_id=_optional_id(snapshot.get("nextEpisodeId")),
        markers=tuple(
            Marker(MarkerKind(row["kind"]), float(row["startSeconds"]), float(row["endSeconds"]))
            for row in snapshot.get("markers") or ()
        ),
    )


def withdrawn_title(title_id: TitleId) -> PlayableTitle:
    """What is kept of a title that was withdrawn before anything else was heard of it: nobody may play it."""
    return PlayableTitle(
        id=title_id,
        kind=TitleKind.MOVIE,
        facts=TitleFacts(minimum_age=0, is_kids=False, is_withdrawn=True),
        display_name="",
        duration_s=None,
        series_id=None,
        season_number=None,
        episode_number=None,
        next_episode_id=None,
        markers=(),
    )


def asset_from_snapshot(snapshot: Mapping[str, Any], known_at: datetime) -> Asset | None:
    """The film in a `title.changed` snapshot; None when it has none.

    It knows one variant only, and helps those who missed the media services' own event, which knows all.
    """
    row = snapshot.get("asset")
    if row is None:
        return None
    return Asset(
        title_id=TitleId(str(snapshot["id"])),
        asset_id=str(row["assetId"]),
        variants=(AssetVariant(Encryption(row["encryption"]), str(row.get("hls") or ""), str(row.get("dash") or "")),),
        duration_s=float(row["durationSeconds"]),
        max_height_px=int(row["maxHeightPx"]),
        audio_languages=(),
        subtitle_languages=(),
        thumbnails=None,
        published_at=known_at - _BELOW_PUBLISHED,
    )


def asset_from_published(data: Mapping[str, Any], published_at: datetime) -> Asset:
    """The film in an `asset.published` event; raises KeyError, TypeError or ValueError when it is malformed."""
    variants = tuple(
        AssetVariant(encryption, str(paths.get("hls") or ""), str(paths.get("dash") or ""))
        for encryption in (Encryption.CLEARKEY, Encryption.CLEAR)
        if (paths := data["variants"].get(encryption.value)) is not None
    )
    if not variants:
        raise ValueError(f"asset {data.get('assetId')!r} was published without variants")
    return Asset(
        title_id=TitleId(str(data["titleId"])),
        asset_id=str(data["assetId"]),
        variants=variants,
        duration_s=float(data["durationSeconds"]),
        max_height_px=int(data["maxHeightPx"]),
        audio_languages=tuple(str(language) for language in data.get("audioLanguages") or ()),
        subtitle_languages=tuple(str(language) for language in data.get("subtitleLanguages") or ()),
        thumbnails=data.get("thumbnailsObject") or None,
        published_at=published_at,
    )


def _optional_id(value: Any) -> TitleId | None:
    return None if value is None else TitleId(str(value))


def _optional_int(value: Any) -> int | None:
    return None if value is None else int(value)
