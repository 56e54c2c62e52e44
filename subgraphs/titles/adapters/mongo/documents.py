"""Titles as documents, and back. Instants are whole microseconds since 1970 in UTC: BSON's own have milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.mongo import Document
from subgraphs.kernel.policy import Window
from subgraphs.titles.domain.text import initial, sort_name
from subgraphs.titles.domain.title import (
    Asset,
    Credit,
    CreditRole,
    Genre,
    GenreId,
    Marker,
    Media,
    MediaStatus,
    Origin,
    Person,
    PersonId,
    Season,
    SeasonId,
    Title,
    TitleKind,
    VideoKind,
    fingerprint,
    match_key,
)
from subgraphs.titles.ports import AuditEntry

__all__ = [
    "audit_document",
    "read_audit",
    "read_season",
    "read_title",
    "season_document",
    "title_document",
    "to_micros",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OPTIONAL = ("series_id", "video_of")
"""Left out when there is none, so that their indexes hold only documents that have them."""


def to_micros(instant: datetime) -> int:
    """An aware instant as stored."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def title_document(title: Title) -> Document:
    """Without `sequence`, which the journal gives."""
    document: Document = {
        "_id": title.id,
        "kind": title.kind.value,
        "display_name": title.display_name,
        "sort_name": sort_name(title.display_name),
        "initial": initial(title.display_name),
        "match_key": match_key(title.kind, title.display_name, title.release_year),
        "source": title.origin.source,
        "source_key": title.origin.key,
        "digest": fingerprint(title),
        "synopsis": title.synopsis,
        # 0 stands for an unknown year, so that every order is total.
        "release_year": title.release_year or 0,
        "duration_seconds": title.duration_seconds,
        "genres": [{"id": genre.id, "display_name": genre.display_name} for genre in title.genres],
        "credits": [
            {
                "person_id": credit.person.id,
                "display_name": credit.person.display_name,
                "role": credit.role.value,
                "character": credit.character,
            }
            for credit in title.credits
        ],
        "minimum_age": title.minimum_age,
        "is_age_certified": title.is_age_certified,
        "is_kids": title.is_kids,
        "certificates": [{"country": country, "code": code} for country, code in title.certificates],
        "windows": [_window(window) for window in title.windows],
        "blocked_countries": sorted(title.blocked_countries),
        "popularity": title.popularity,
        "added_at": to_micros(title.added_at),
        "origin_country": title.origin_country,
        "original_language": title.original_language,
        "series_id": title.series_id,
        "season_id": title.season_id,
        "season_number": title.season_number,
        "episode_number": title.episode_number,
        "video_of": title.video_of,
        "video_kind": None if title.video_kind is None else title.video_kind.value,
        "is_withdrawn": title.is_withdrawn,
        "is_delisted": title.is_delisted,
        "media_status": title.media.status.value,
        "asset": None if title.media.asset is None else asdict(title.media.asset),
        "markers": [asdict(marker) for marker in title.media.markers],
        "revision": title.revision,
        "edited_fields": sorted(title.edited_fields),
        "artwork_weights": [{"variant": variant, "weight": weight} for variant, weight in title.artwork_weights],
    }
    if any(window.opens_at is not None or window.closes_at is not None for window in title.windows):
        document["is_timed"] = True
    return {name: value for name, value in document.items() if value is not None or name not in _OPTIONAL}


def read_title(document: Mapping[str, Any]) -> Title:
    """The title of a whole document."""
    series_id, season_id, video_of = document.get("series_id"), document["season_id"], document.get("video_of")
    video_kind, asset = document["video_kind"], document["asset"]
    return Title(
        id=TitleId(document["_id"]),
        kind=TitleKind(document["kind"]),
        display_name=document["display_name"],
        origin=Origin(document["source"], document["source_key"]),
        added_at=_instant(document["added_at"]),
        synopsis=document["synopsis"],
        release_year=document["release_year"] or None,
        duration_seconds=document["duration_seconds"],
        genres=tuple(Genre(GenreId(genre["id"]), genre["display_name"]) for genre in document["genres"]),
        credits=tuple(
            Credit(
                Person(PersonId(credit["person_id"]), credit["display_name"]),
                CreditRole(credit["role"]),
                credit["character"],
            )
            for credit in document["credits"]
        ),
        minimum_age=document["minimum_age"],
        is_age_certified=document["is_age_certified"],
        is_kids=document["is_kids"],
        certificates=tuple((each["country"], each["code"]) for each in document["certificates"]),
        windows=tuple(_read_window(window) for window in document["windows"]),
        blocked_countries=frozenset(document["blocked_countries"]),
        popularity=float(document["popularity"]),
        origin_country=document["origin_country"],
        original_language=document["original_language"],
        series_id=None if series_id is None else TitleId(series_id),
        season_id=None if season_id is None else SeasonId(season_id),
        season_number=document["season_number"],
        episode_number=document["episode_number"],
        video_of=None if video_of is None else TitleId(video_of),
        video_kind=None if video_kind is None else VideoKind(video_kind),
        is_withdrawn=document["is_withdrawn"],
        is_delisted=document["is_delisted"],
        media=Media(
            status=MediaStatus(document["media_status"]),
            asset=None if asset is None else Asset(**asset),
            markers=tuple(Marker(**marker) for marker in document["markers"]),
        ),
        revision=document["revision"],
        edited_fields=frozenset(document["edited_fields"]),
        artwork_weights=tuple((each["variant"], each["weight"]) for each in document["artwork_weights"]),
    )


def season_document(season: Season) -> Document:
    """A season."""
    return {
        "_id": season.id,
        "series_id": season.series_id,
        "number": season.number,
        "display_name": season.display_name,
    }


def read_season(document: Mapping[str, Any]) -> Season:
    """The season of a document."""
    return Season(
        SeasonId(document["_id"]), TitleId(document["series_id"]), document["number"], document["display_name"]
    )


def audit_document(entry: AuditEntry) -> Document:
    """An entry of the audit log."""
    return {
        "_id": entry.id,
        "at": to_micros(entry.at),
        "account_id": entry.account_id,
        "action": entry.action,
        "subject_id": entry.subject_id,
        "before": dict(entry.before),
        "after": dict(entry.after),
    }


def read_audit(document: Mapping[str, Any]) -> AuditEntry:
    """The entry of a document."""
    return AuditEntry(
        document["_id"],
        _instant(document["at"]),
        document["account_id"],
        document["action"],
        document["subject_id"],
        document["before"],
        document["after"],
    )


def _window(window: Window) -> Document:
    return {
        "country": window.country,
        "opens_at": None if window.opens_at is None else to_micros(window.opens_at),
        "closes_at": None if window.closes_at is None else to_micros(window.closes_at),
    }


def _read_window(document: Mapping[str, Any]) -> Window:
    opens_at, closes_at = document["opens_at"], document["closes_at"]
    return Window(
        document["country"],
        None if opens_at is None else _instant(opens_at),
        None if closes_at is None else _instant(closes_at),
    )


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
