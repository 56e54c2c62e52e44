"""Reads films from Wikipedia's yearly lists: one JSON object per line.

Fields: title, year, cast [names], genres [names], and, where there is an article, href, extract, thumbnail. There are
no certificates: such a film is for grown-up profiles until somebody certifies it. A film is known by article, title
and year together: several films share an article, and some articles are about none of them alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from subgraphs.kernel.ids import TitleId, stable_id
from subgraphs.titles.domain.title import Credit, CreditRole, Origin, Title, TitleKind, person_named
from subgraphs.titles.imports.files import require_short_line
from subgraphs.titles.imports.genre_names import genres_of
from subgraphs.titles.imports.rows import ImportedRow, RejectedRow, Row, RowUnusable
from subgraphs.titles.imports.seen import Seen
from subgraphs.titles.imports.texts import require_storable_row

__all__ = ["SOURCE", "read_wikipedia"]

SOURCE = "wikipedia"
MAX_CAST = 50
MAX_SYNOPSIS_LENGTH = 2_000
FIRST_YEAR, LAST_YEAR = 1880, 2100
UNCERTIFIED_AGE = 18

# The source has no popularity. How much Wikipedia knows of a film is the best guess that it offers: a long extract, a
# picture, a cast. It stays below what an editor gives to films that are known to be loved.
LOWEST_POPULARITY = 0.02
EXTRACT_SHARE, FULL_EXTRACT_LENGTH = 0.25, 800
PICTURE_SHARE = 0.08
CAST_SHARE, FULL_CAST = 0.05, 6


def read_wikipedia(lines: Iterable[str], seen: Seen) -> Iterator[Row]:
    """One row per line that is not blank."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = ImportedRow(number, _read_film(_parse(line)))
            require_storable_row(row)
            _check_new(row, seen)
        except RowUnusable as error:
            yield RejectedRow(number, str(error))
        else:
            yield row


def _check_new(row: ImportedRow, seen: Seen) -> None:
    title = row.title
    first_line = seen.first_line(title.origin.key, line=row.line)
    if first_line != row.line:
        raise RowUnusable(f"duplicate of line {first_line}: {title.display_name!r} ({title.release_year})")


def _parse(line: str) -> dict[str, Any]:
    require_short_line(line)
    try:
        record = orjson.loads(line)
    except ValueError as error:
        raise RowUnusable(f"no JSON: {error}") from error
    if not isinstance(record, dict):
        raise RowUnusable(f"a JSON {type(record).__name__}, wanted an object")
    return record


def _read_film(record: dict[str, Any]) -> Title:
    name = record.get("title")
    if not isinstance(name, str) or not name.strip():
        raise RowUnusable(f"no title, got {name!r}")
    name = " ".join(name.split())
    year = record.get("year")
    if not isinstance(year, int) or isinstance(year, bool) or not FIRST_YEAR <= year <= LAST_YEAR:
        raise RowUnusable(f"year is {year!r}, wanted a number from {FIRST_YEAR} to {LAST_YEAR}")
    cast = list(dict.fromkeys(_names(record, "cast")))[:MAX_CAST]
    extract = record.get("extract") or ""
    if not isinstance(extract, str):
        raise RowUnusable(f"extract is a {type(extract).__name__}, wanted text")
    synopsis = " ".join(extract.split())
    key = f"{record.get('href') or ''}|{name}|{year}"
    return Title(
        id=TitleId(stable_id("mov", SOURCE, key)),
        kind=TitleKind.MOVIE,
        display_name=name,
        origin=Origin(SOURCE, key),
        # The source does not say when it learnt of a film: it counts as new when it came out.
        added_at=datetime(year, 1, 1, tzinfo=UTC),
        synopsis=synopsis[:MAX_SYNOPSIS_LENGTH],
        release_year=year,
        genres=genres_of(_names(record, "genres")),
        credits=tuple(Credit(person_named(actor), CreditRole.CAST) for actor in cast),
        minimum_age=UNCERTIFIED_AGE,
        is_age_certified=False,
        popularity=_popularity(len(synopsis), len(cast), has_picture=bool(record.get("thumbnail"))),
    )


def _names(record: dict[str, Any], field: str) -> list[str]:
    values = record.get(field) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RowUnusable(f"{field} is {str(values)[:60]!r}, wanted a list of names")
    return [" ".join(value.split()) for value in values if value.strip()]


def _popularity(extract_length: int, cast_size: int, *, has_picture: bool) -> float:
    known = EXTRACT_SHARE * min(1.0, extract_length / FULL_EXTRACT_LENGTH)
    known += PICTURE_SHARE if has_picture else 0.0
    known += CAST_SHARE * min(1.0, cast_size / FULL_CAST)
    return round(LOWEST_POPULARITY + known, 4)
