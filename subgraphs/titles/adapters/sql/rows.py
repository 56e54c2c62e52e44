"""Titles as rows, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import RowMapping

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import Window
from subgraphs.titles.adapters.sql.tables import from_micros, to_micros
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
    SeasonId,
    Title,
    TitleKind,
    VideoKind,
    fingerprint,
    match_key,
)
from subgraphs.titles.ports import AuditEntry

__all__ = ["ChildRows", "Row", "audit_row", "child_rows", "read_audit", "read_title", "title_row"]

Row = dict[str, Any]


def title_row(title: Title) -> Row:
    """The row of `titles`."""
    return {
        "id": title.id,
        "kind": title.kind.value,
        "display_name": title.display_name,
        "sort_name": sort_name(title.display_name),
        "initial": initial(title.display_name),
        "match_key": match_key(title.kind, title.display_name, title.release_year),
        "source": title.origin.source,
        "source_key": title.origin.key,
        "digest": fingerprint(title),
        "synopsis": title.synopsis,
        "release_year": title.release_year or 0,
        "duration_seconds": title.duration_seconds,
        "minimum_age": title.minimum_age,
        "is_age_certified": title.is_age_certified,
        "is_kids": title.is_kids,
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
        "artwork_weights": [[variant, weight] for variant, weight in title.artwork_weights],
    }


class ChildRows:
    """The rows of the other tables for some titles; genres and people once each."""

    def __init__(self) -> None:
        self.genres: dict[str, Row] = {}
        self.people: dict[str, Row] = {}
        self.title_genres: list[Row] = []
        self.credits: list[Row] = []
        self.windows: list[Row] = []
        self.blocks: list[Row] = []
        self.certificates: list[Row] = []

    def add(self, title: Title) -> None:
        """One title's rows."""
        for position, genre in enumerate(title.genres):
            self.genres[genre.id] = {"id": genre.id, "display_name": genre.display_name}
            self.title_genres.append(
                {
                    "title_id": title.id,
                    "genre_id": genre.id,
                    "position": position,
                    "popularity": title.popularity,
                    "added_at": to_micros(title.added_at),
                    "release_year": title.release_year or 0,
                    "sort_name": sort_name(title.display_name),
                }
            )
        for position, credit in enumerate(title.credits):
            self.people[credit.person.id] = {"id": credit.person.id, "display_name": credit.person.display_name}
            self.credits.append(
                {
                    "title_id": title.id,
                    "position": position,
                    "person_id": credit.person.id,
                    "role": credit.role.value,
                    "character": credit.character,
                }
            )
        for position, window in enumerate(title.windows):
            self.windows.append(
                {
                    "title_id": title.id,
                    "position": position,
                    "country": window.country,
                    "opens_at": to_micros(window.opens_at),
                    "closes_at": to_micros(window.closes_at),
                }
            )
        self.blocks += [{"title_id": title.id, "country": country} for country in sorted(title.blocked_countries)]
        self.certificates += [
            {"title_id": title.id, "country": country, "code": code} for country, code in title.certificates
        ]


def child_rows(titles: Iterable[Title]) -> ChildRows:
    """All child rows of some titles."""
    rows = ChildRows()
    for title in titles:
        rows.add(title)
    return rows


def read_title(row: RowMapping, children: Mapping[str, Sequence[RowMapping]]) -> Title:
    """A title from its row and its children by table name, each list in order of position."""
    added_at = from_micros(row["added_at"])
    assert added_at is not None  # the column is not nullable
    return Title(
        id=TitleId(row["id"]),
        kind=TitleKind(row["kind"]),
        display_name=row["display_name"],
        origin=Origin(row["source"], row["source_key"]),
        added_at=added_at,
        synopsis=row["synopsis"],
        release_year=row["release_year"] or None,
        duration_seconds=row["duration_seconds"],
        genres=tuple(Genre(GenreId(child["genre_id"]), child["display_name"]) for child in children["title_genres"]),
        credits=tuple(
            Credit(
                Person(PersonId(child["person_id"]), child["display_name"]),
                CreditRole(child["role"]),
                child["character"],
            )
            for child in children["credits"]
        ),
        minimum_age=row["minimum_age"],
        is_age_certified=row["is_age_certified"],
        is_kids=row["is_kids"],
        certificates=tuple((child["country"], child["code"]) for child in children["certificates"]),
        windows=tuple(
            Window(child["country"], from_micros(child["opens_at"]), from_micros(child["closes_at"]))
            for child in children["windows"]
        ),
        blocked_countries=frozenset(child["country"] for child in children["blocks"]),
        popularity=row["popularity"],
        origin_country=row["origin_country"],
        original_language=row["original_language"],
        series_id=row["series_id"] and TitleId(row["series_id"]),
        season_id=row["season_id"] and SeasonId(row["season_id"]),
        season_number=row["season_number"],
        episode_number=row["episode_number"],
        video_of=row["video_of"] and TitleId(row["video_of"]),
        video_kind=row["video_kind"] and VideoKind(row["video_kind"]),
        is_withdrawn=row["is_withdrawn"],
        is_delisted=row["is_delisted"],
        media=Media(
            status=MediaStatus(row["media_status"]),
            asset=None if row["asset"] is None else Asset(**row["asset"]),
            markers=tuple(Marker(**marker) for marker in row["markers"]),
        ),
        revision=row["revision"],
        edited_fields=frozenset(row["edited_fields"]),
        artwork_weights=tuple((variant, weight) for variant, weight in row["artwork_weights"]),
    )


def audit_row(entry: AuditEntry) -> Row:
    """The row of `audit`."""
    return {
        "id": entry.id,
        "at": to_micros(entry.at),
        "account_id": entry.account_id,
        "action": entry.action,
        "subject_id": entry.subject_id,
        "before": dict(entry.before),
        "after": dict(entry.after),
    }


def read_audit(row: RowMapping) -> AuditEntry:
    """The entry of a row."""
    at = from_micros(row["at"])
    assert at is not None  # the column is not nullable
    return AuditEntry(row["id"], at, row["account_id"], row["action"], row["subject_id"], row["before"], row["after"])
