"""Reads shows and episodes as TVmaze's API gives them: a JSON array of shows, or the array of one show's episodes.

Of a show: id, name, language, genres, premiered, network or webChannel with country, summary (HTML), weight. Of an
episode: id, name, season, number, airdate, runtime (minutes), summary; which show it belongs to is not in it and must
be said. There are no certificates: grown-up profiles only, until somebody certifies a show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from subgraphs.kernel.ids import TitleId, stable_id
from subgraphs.titles.domain.title import Origin, Season, SeasonId, Title, TitleKind
from subgraphs.titles.imports.genre_names import genres_of
from subgraphs.titles.imports.rows import ImportedRow, ImportRefused, RejectedRow, Row, RowUnusable
from subgraphs.titles.imports.seen import Seen
from subgraphs.titles.imports.texts import plain_text, require_storable_row

__all__ = ["SOURCE", "read_tvmaze_episodes", "read_tvmaze_shows"]

SOURCE = "tvmaze"
UNCERTIFIED_AGE = 18
MAX_NAME_LENGTH = 500
MAX_SYNOPSIS_LENGTH = 5_000
MAX_NUMBER = 10_000
MAX_RUNTIME_MINUTES = 1_440
# TVmaze's weight, 0 to 100, says how much a show is looked at there. It stays below what an editor gives.
WEIGHT_SHARE = 0.006

LANGUAGE_BY_NAME: Mapping[str, str] = {
    "Arabic": "ar", "Basque": "eu", "Bulgarian": "bg", "Catalan": "ca", "Chinese": "zh", "Croatian": "hr",
    "Czech": "cs", "Danish": "da", "Dutch": "nl", "English": "en", "Estonian": "et", "Finnish": "fi", "French": "fr",
    "Galician": "gl", "Georgian": "ka", "German": "de", "Greek": "el", "Hebrew": "he", "Hindi": "hi",
    "Hungarian": "hu", "Icelandic": "is", "Indonesian": "id", "Irish": "ga", "Italian": "it", "Japanese": "ja",
    "Korean": "ko", "Latvian": "lv", "Lithuanian": "lt", "Malay": "ms", "Norwegian": "no", "Persian": "fa",
    "Polish": "pl", "Portuguese": "pt", "Romanian": "ro", "Russian": "ru", "Serbian": "sr", "Slovak": "sk",
    "Slovenian": "sl", "Spanish": "es", "Swedish": "sv", "Tagalog": "tl", "Tamil": "ta", "Telugu": "te", "Thai": "th",
    "Turkish": "tr", "Ukrainian": "uk", "Urdu": "ur", "Vietnamese": "vi", "Welsh": "cy",
}  # fmt: skip


def read_tvmaze_shows(elements: Iterable[tuple[int, object]], seen: Seen) -> Iterator[Row]:
    """One row per element."""
    for line, element in elements:
        try:
            row = ImportedRow(line, _read_show(_object(element)))
            yield _checked(row, seen)
        except RowUnusable as error:
            yield RejectedRow(line, str(error))


def read_tvmaze_episodes(elements: Iterable[tuple[int, object]], seen: Seen, show_id: str) -> Iterator[Row]:
    """One row per element, each with its season; `show_id` is TVmaze's number of the show.

    Raises ImportRefused when that is no number.
    """
    if not show_id.isdecimal():
        raise ImportRefused(f"the show is {show_id[:40]!r}, wanted TVmaze's number of it, as 82 in …/shows/82/…")
    for line, element in elements:
        try:
            record = _object(element)
            yield _checked(_read_episode(line, record, show_id), seen)
        except RowUnusable as error:
            yield RejectedRow(line, str(error))


def _checked(row: ImportedRow, seen: Seen) -> ImportedRow:
    title = row.title
    require_storable_row(row)
    first_line = seen.first_line(title.id, line=row.line)
    if first_line != row.line:
        raise RowUnusable(f"duplicate of line {first_line}: {title.display_name!r}, id {title.origin.key}")
    return row


def _object(element: object) -> dict[str, Any]:
    if not isinstance(element, dict):
        raise RowUnusable(f"a JSON {type(element).__name__}, wanted an object")
    return element


def _read_show(record: dict[str, Any]) -> Title:
    number = _number(record, "id", 1, 10**12)
    if "season" in record:
        raise RowUnusable("this is an episode, wanted a show; import episodes as tvmaze-episodes, with their show")
    premiered = _day(record, "premiered")
    genres = record.get("genres") or []
    if not isinstance(genres, list) or not all(isinstance(genre, str) for genre in genres):
        raise RowUnusable(f"genres is {str(genres)[:60]!r}, wanted a list of names")
    language = record.get("language")
    if language is not None and language not in LANGUAGE_BY_NAME:
        raise RowUnusable(f"language is {str(language)[:40]!r}, which is not known here")
    weight = _number(record, "weight", 0, 100) if record.get("weight") is not None else 0
    return Title(
        id=_show_title_id(str(number)),
        kind=TitleKind.SERIES,
        display_name=_name(record),
        origin=Origin(SOURCE, f"show/{number}"),
        added_at=_midnight(premiered),
        synopsis=_summary(record),
        release_year=None if premiered is None else premiered.year,
        genres=genres_of(genres),
        minimum_age=UNCERTIFIED_AGE,
        is_age_certified=False,
        popularity=round(WEIGHT_SHARE * weight, 4),
        origin_country=_country(record),
        original_language=None if language is None else LANGUAGE_BY_NAME[language],
    )


def _read_episode(line: int, record: dict[str, Any], show_id: str) -> ImportedRow:
    number = _number(record, "id", 1, 10**12)
    if "season" not in record:
        raise RowUnusable("there is no season: wanted an episode; import shows as tvmaze")
    season_number = _number(record, "season", 0, MAX_NUMBER)
    aired = _day(record, "airdate")
    minutes = _number(record, "runtime", 0, MAX_RUNTIME_MINUTES) if record.get("runtime") is not None else 0
    series_id = _show_title_id(show_id)
    season_id = SeasonId(stable_id("sea", SOURCE, f"show/{show_id}", str(season_number)))
    title = Title(
        id=TitleId(stable_id("epi", SOURCE, f"episode/{number}")),
        kind=TitleKind.EPISODE,
        display_name=_name(record),
        origin=Origin(SOURCE, f"episode/{number}"),
        added_at=_midnight(aired),
        synopsis=_summary(record),
        release_year=None if aired is None else aired.year,
        duration_seconds=minutes * 60 or None,
        minimum_age=UNCERTIFIED_AGE,
        is_age_certified=False,
        series_id=series_id,
        season_id=season_id,
        season_number=season_number,
        episode_number=_number(record, "number", 1, MAX_NUMBER),
    )
    return ImportedRow(line, title, (Season(season_id, series_id, season_number, f"Season {season_number}"),))


def _show_title_id(number: str) -> TitleId:
    return TitleId(stable_id("ser", SOURCE, f"show/{int(number)}"))


def _number(record: dict[str, Any], field: str, least: int, most: int) -> int:
    value = record.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise RowUnusable(f"{field} is {repr(value)[:40]}, wanted a number from {least} to {most}")
    return value


def _name(record: dict[str, Any]) -> str:
    name = record.get("name")
    if not isinstance(name, str) or not name.strip():
        raise RowUnusable(f"no name, got {name!r}")
    name = " ".join(name.split())
    if len(name) > MAX_NAME_LENGTH:
        raise RowUnusable(f"the name has {len(name)} characters, at most {MAX_NAME_LENGTH} are allowed")
    return name


def _summary(record: dict[str, Any]) -> str:
    summary = record.get("summary") or ""
    if not isinstance(summary, str):
        raise RowUnusable(f"summary is a {type(summary).__name__}, wanted HTML")
    return plain_text(summary)[:MAX_SYNOPSIS_LENGTH]


def _day(record: dict[str, Any], field: str) -> date | None:
    """A day; TVmaze has null or "" for one that is not known."""
    value = record.get(field) or None
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise RowUnusable(f"{field} is {str(value)[:40]!r}, wanted a day like '2011-04-17'") from error


def _midnight(day: date | None) -> datetime:
    """When a title counts as added: the day it came out, the oldest day there is where that is not known."""
    return datetime(1970, 1, 1, tzinfo=UTC) if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


def _country(record: dict[str, Any]) -> str | None:
    for field in ("network", "webChannel"):
        channel = record.get(field) or {}
        if not isinstance(channel, dict) or not isinstance(country := channel.get("country") or {}, dict):
            raise RowUnusable(f"{field} is {str(channel)[:60]!r}, wanted an object with a country")
        code = country.get("code")
        if isinstance(code, str) and len(code) == 2 and code.isalpha():
            return code.upper()
    return None
