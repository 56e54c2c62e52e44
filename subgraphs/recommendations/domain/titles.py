"""One title as recommendations knows it, from titles' events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from subgraphs.kernel.policy import TitleFacts, facts_from_snapshot
from subgraphs.recommendations.domain.artwork_choice import Look, looks_from_snapshot

__all__ = ["TitleKind", "TitleRecord", "record_from_snapshot"]

PartT = TypeVar("PartT")


class TitleKind(StrEnum):
    """Movies and series stand in rows; episodes only where somebody goes on watching; trailers and bonus nowhere."""

    MOVIE = "MOVIE"
    SERIES = "SERIES"
    EPISODE = "EPISODE"
    VIDEO = "VIDEO"


@dataclass(frozen=True, slots=True)
class TitleRecord:
    """`popularity` is 0 to 1; `genres` are pairs of id and name; `is_playable`: it has a film now."""

    id: str
    kind: TitleKind
    display_name: str
    synopsis: str
    release_year: int | None
    genres: tuple[tuple[str, str], ...]
    cast: tuple[str, ...]
    directors: tuple[str, ...]
    facts: TitleFacts
    series_id: str | None
    season_number: int
    episode_number: int
    next_episode_id: str | None
    popularity: float
    added_at: datetime
    is_playable: bool = False
    artwork: tuple[Look, ...] = ()

    def withdrawn(self) -> TitleRecord:
        """The same title, there for nobody."""
        return replace(self, facts=replace(self.facts, is_withdrawn=True))


def record_from_snapshot(
    snapshot: Mapping[str, Any], *, is_playable: bool = False, known: dict[Any, Any] | None = None
) -> TitleRecord:
    """The title in a `title.changed` snapshot; raises KeyError, TypeError or ValueError when it is malformed.

    `known`: parts of other titles, by themselves, which this one has in common with them instead of equal ones of its
    own: names, genres, looks and rights are few, and are most of a large catalogue's memory.
    """
    parts = {} if known is None else known
    added = snapshot.get("addedAt")
    added_at = datetime(1970, 1, 1, tzinfo=UTC) if added is None else datetime.fromisoformat(str(added))
    if added_at.tzinfo is None:
        raise ValueError(f"addedAt needs a time zone, got {added!r}")
    year = snapshot.get("releaseYear")
    return TitleRecord(
        id=str(snapshot["id"]),
        kind=TitleKind(snapshot["kind"]),
        display_name=str(snapshot["displayName"]),
        synopsis=str(snapshot.get("synopsis") or ""),
        release_year=None if year is None else int(year),
        genres=_one(parts, tuple((str(genre["id"]), str(genre["name"])) for genre in snapshot.get("genres") or ())),
        cast=tuple(_one(parts, str(name)) for name in snapshot.get("cast") or ()),
        directors=tuple(_one(parts, str(name)) for name in snapshot.get("directors") or ()),
        facts=_one(parts, facts_from_snapshot(snapshot)),
        series_id=None if snapshot.get("seriesId") is None else str(snapshot["seriesId"]),
        season_number=int(snapshot.get("seasonNumber") or 0),
        episode_number=int(snapshot.get("episodeNumber") or 0),
        next_episode_id=None if snapshot.get("nextEpisodeId") is None else str(snapshot["nextEpisodeId"]),
        popularity=min(1.0, max(0.0, float(snapshot.get("popularity") or 0.0))),
        added_at=added_at,
        is_playable=is_playable or snapshot.get("asset") is not None,
        artwork=_one(parts, looks_from_snapshot(snapshot)),
    )


def _one(parts: dict[Any, Any], part: PartT) -> PartT:
    """The part that is known already and equal, or this one, which is known from now on."""
    found: PartT = parts.setdefault(part, part)
    return found
