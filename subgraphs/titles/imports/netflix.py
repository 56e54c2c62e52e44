"""Reads films and shows from the Netflix title list: CSV with a header.

Columns: show_id, type, title, director, cast, country, date_added, release_year, rating, duration, listed_in,
description. Some rows carry the duration in the rating column; those are put right, with a remark. Of shows the list
knows how many seasons there are and no episode.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from subgraphs.kernel.ids import TitleId, stable_id
from subgraphs.titles.domain.certificate_tables import AGE_BY_CODE
from subgraphs.titles.domain.title import (
    Credit,
    CreditRole,
    Origin,
    Season,
    SeasonId,
    Title,
    TitleKind,
    match_key,
    person_named,
)
from subgraphs.titles.imports.files import require_short_line
from subgraphs.titles.imports.genre_names import genres_of
from subgraphs.titles.imports.rows import ImportedRow, ImportRefused, RejectedRow, Row, RowUnusable
from subgraphs.titles.imports.seen import Seen
from subgraphs.titles.imports.texts import require_storable_text

__all__ = ["SOURCE", "read_netflix"]

SOURCE = "netflix"
COLUMNS = (
    "show_id",
    "type",
    "title",
    "director",
    "cast",
    "country",
    "date_added",
    "release_year",
    "rating",
    "duration",
    "listed_in",
    "description",
)
KIND_BY_TYPE = {"Movie": TitleKind.MOVIE, "TV Show": TitleKind.SERIES}
UNRATED = frozenset({"", "NR", "UR"})
UNCERTIFIED_AGE = 18
KIDS_GENRE = "Family"
MAX_KIDS_AGE = 7
MAX_CAST = 50
MAX_SEASONS = 100
FIRST_YEAR, LAST_YEAR = 1880, 2100
# As for any list without figures: recent and well-documented counts for more.
LOWEST_POPULARITY, RECENT_SHARE, CAST_SHARE, FULL_CAST, OLDEST_RECENT_YEAR = 0.15, 0.25, 0.1, 8, 1990

_MINUTES = re.compile(r"(\d{1,4}) min")
_SEASONS = re.compile(r"(\d{1,3}) Seasons?")


@dataclass(frozen=True, slots=True)
class _Length:
    """A film's minutes or a show's seasons; both None when the row does not say."""

    minutes: int | None = None
    season_count: int | None = None


def read_netflix(lines: Iterable[str], seen: Seen) -> Iterator[Row]:
    """One row per record; raises ImportRefused for a missing or foreign header."""
    reader = csv.reader(lines)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise ImportRefused(f"line 1 is no CSV: {error}") from error
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise ImportRefused(f"the header in line 1 lacks {', '.join(missing)}; wanted {','.join(COLUMNS)}")
    start = reader.line_num + 1
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RejectedRow(start, f"no CSV: {error}")
            start = reader.line_num + 1
            continue
        line, start = start, reader.line_num + 1
        if not any(value.strip() for value in values):
            continue
        try:
            row = _read_title(line, _record(header, values))
            _check_new(row, seen)
        except RowUnusable as error:
            yield RejectedRow(line, str(error))
        else:
            yield row


def _record(header: list[str], values: list[str]) -> dict[str, str]:
    if len(values) != len(header):
        raise RowUnusable(f"has {len(values)} columns, wanted {len(header)}")
    for name, value in zip(header, values, strict=True):
        require_short_line(value)
        require_storable_text(name, value)
    return {name: value.strip() for name, value in zip(header, values, strict=True)}


def _check_new(row: ImportedRow, seen: Seen) -> None:
    title = row.title
    key = match_key(title.kind, title.display_name, title.release_year)
    for known in (("id", title.origin.key), ("work", key)):
        first_line = seen.first_line(*known, line=row.line)
        if first_line != row.line:
            raise RowUnusable(f"duplicate of line {first_line}: {title.display_name!r} ({title.release_year})")


def _read_title(line: int, record: Mapping[str, str]) -> ImportedRow:
    key, name, kind = record["show_id"], " ".join(record["title"].split()), KIND_BY_TYPE.get(record["type"])
    if not key:
        raise RowUnusable("show_id is empty")
    if not name:
        raise RowUnusable("title is empty")
    if kind is None:
        raise RowUnusable(f"type is {record['type']!r}, wanted {' or '.join(KIND_BY_TYPE)}")
    year = _year(record["release_year"])
    rating, duration, remark = record["rating"], record["duration"], None
    if _MINUTES.fullmatch(rating) and not duration:
        remark = f"the duration {rating!r} stands in the rating column; taken as the duration, the rating is unknown"
        rating, duration = "", rating
    length = _length(kind, duration)
    ages = AGE_BY_CODE["US"]
    if rating not in UNRATED and rating not in ages:
        raise RowUnusable(f"rating is {rating!r}; known are {', '.join(ages)}, NR and UR")
    genres = genres_of(record["listed_in"].split(","))
    cast = _names(record["cast"])[:MAX_CAST]
    minimum_age = ages.get(rating, UNCERTIFIED_AGE)
    title_id = TitleId(stable_id(kind.id_prefix, SOURCE, key))
    title = Title(
        id=title_id,
        kind=kind,
        display_name=name,
        origin=Origin(SOURCE, key),
        added_at=_added_at(record["date_added"], year),
        synopsis=" ".join(record["description"].split()),
        release_year=year,
        duration_seconds=None if length.minutes is None else length.minutes * 60,
        genres=genres,
        credits=(
            *(Credit(person_named(director), CreditRole.DIRECTOR) for director in _names(record["director"])),
            *(Credit(person_named(actor), CreditRole.CAST) for actor in cast),
        ),
        minimum_age=minimum_age,
        is_age_certified=rating in ages,
        is_kids=rating in ages and minimum_age <= MAX_KIDS_AGE and any(g.display_name == KIDS_GENRE for g in genres),
        certificates=(("US", rating),) if rating in ages else (),
        popularity=_popularity(year, len(cast)),
    )
    seasons = tuple(
        Season(SeasonId(stable_id("sea", SOURCE, key, str(number))), title_id, number, f"Season {number}")
        for number in range(1, (length.season_count or 0) + 1)
    )
    return ImportedRow(line, title, seasons, remark)


def _year(text: str) -> int:
    if not text.isdecimal() or not FIRST_YEAR <= int(text) <= LAST_YEAR:
        raise RowUnusable(f"release_year is {text!r}, wanted a number from {FIRST_YEAR} to {LAST_YEAR}")
    return int(text)


def _length(kind: TitleKind, duration: str) -> _Length:
    if not duration:
        return _Length()
    if kind is TitleKind.MOVIE and (minutes := _MINUTES.fullmatch(duration)):
        return _Length(minutes=int(minutes[1]))
    seasons = _SEASONS.fullmatch(duration)
    if kind is TitleKind.SERIES and seasons and int(seasons[1]) <= MAX_SEASONS:
        return _Length(season_count=int(seasons[1]))
    wanted = "'90 min'" if kind is TitleKind.MOVIE else f"'2 Seasons', at most {MAX_SEASONS}"
    raise RowUnusable(f"duration is {duration!r}, wanted {wanted}")


def _added_at(text: str, release_year: int) -> datetime:
    """The day in the list; without one, a title counts as new when it came out."""
    if not text:
        return datetime(release_year, 1, 1, tzinfo=UTC)
    try:
        return datetime.strptime(text, "%B %d, %Y").replace(tzinfo=UTC)
    except ValueError as error:
        raise RowUnusable(f"date_added is {text!r}, wanted a day like 'September 25, 2021'") from error


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(" ".join(name.split()) for name in text.split(",") if name.strip()))


def _popularity(year: int, cast_size: int) -> float:
    recent = min(1.0, max(0.0, (year - OLDEST_RECENT_YEAR) / 30))
    documented = min(1.0, cast_size / FULL_CAST)
    return round(LOWEST_POPULARITY + RECENT_SHARE * recent + CAST_SHARE * documented, 4)
