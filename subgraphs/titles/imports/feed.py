"""Reads our own feed format: JSON lines with a header, then records, then for a full feed an end record.

What a feed offers is told to the run as rows; what a full feed no longer lists is found at the end (`lists`), and is
only trusted when nothing can have been lost on the way (`doubt`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import assert_never

import orjson
from pydantic import ValidationError

from subgraphs.kernel.ids import TitleId, stable_id
from subgraphs.kernel.policy import Window
from subgraphs.titles.domain.certificates import problem_of_certificate, strictest_age
from subgraphs.titles.domain.title import (
    Credit,
    CreditRole,
    Origin,
    Season,
    SeasonId,
    Title,
    TitleKind,
    genre_named,
    person_named,
)
from subgraphs.titles.domain.title_input import MAX_KIDS_AGE
from subgraphs.titles.imports.feed_records import (
    Availability,
    AvailabilityRecord,
    CreditLine,
    EndRecord,
    EpisodeRecord,
    FeedRecord,
    HeaderRecord,
    PersonRecord,
    RemovalRecord,
    SeasonRecord,
    TitleRecord,
    read_record,
)
from subgraphs.titles.imports.files import require_short_line
from subgraphs.titles.imports.rows import (
    AvailabilityRow,
    ImportedRow,
    ImportRefused,
    RejectedRow,
    RemovalRow,
    Row,
    RowUnusable,
    SeasonRow,
    ids_of_key,
)
from subgraphs.titles.imports.seen import Seen
from subgraphs.titles.imports.texts import has_markup, plain_text, require_storable_row, require_storable_text

__all__ = ["FeedReader"]

VERSION = 1
UNCERTIFIED_AGE = 18
RESERVED_SOURCES = frozenset({"demo", "netflix", "studio", "tvmaze", "wikipedia"})
_PROBLEMS_SHOWN = 2
_OLDEST = datetime(1970, 1, 1, tzinfo=UTC)


class FeedReader:
    """One feed; `header` is read at once, `rows` once. Used by one thread at a time."""

    def __init__(self, lines: Iterable[str], seen: Seen) -> None:
        """Raises ImportRefused when the first line is no header of a version that is known here."""
        self._lines = enumerate(lines, 1)
        self._seen = seen
        self._record_count = 0
        self._end: EndRecord | None = None
        self._nameless_rejects = 0
        self.header = _read_header(next(((line, text) for line, text in self._lines if text.strip()), None))

    @property
    def is_full(self) -> bool:
        """Whether what it does not list is gone."""
        return self.header.scope == "full"

    @property
    def doubt(self) -> str | None:
        """After the last row: why it can't be told what a full feed lacks; None when it can."""
        if self._end is None:
            return "the end record is missing; is the file cut off?"
        if self._end.records != self._record_count:
            return f"the end record counts {self._end.records:,} records, there are {self._record_count:,}"
        if self._nameless_rejects:
            return f"of {self._nameless_rejects:,} rejected lines it can't be read which titles they are about"
        return None

    def lists(self, title_id: TitleId) -> bool:
        """Whether there was a line about a title, usable or not."""
        return self._seen.has("listed", title_id)

    def rows(self) -> Iterator[Row]:
        """One row per line that is not blank; those about people are taken note of here."""
        for number, line in self._lines:
            if not line.strip():
                continue
            try:
                row = self._read(number, line)
            except RowUnusable as error:
                yield self._rejected(number, line, str(error))
            else:
                if row is not None:
                    yield row

    def _read(self, number: int, line: str) -> Row | None:
        if self._end is not None:
            raise RowUnusable("stands behind the end record")
        require_short_line(line)
        try:
            record = read_record(line)
        except ValidationError as error:
            self._record_count += 1
            raise RowUnusable(_problem(error)) from error
        if isinstance(record, EndRecord):
            self._end = record
            return None
        self._record_count += 1
        return self._row(number, record)

    def _row(self, number: int, record: FeedRecord) -> Row | None:
        match record:
            case TitleRecord() | EpisodeRecord():
                row = self._title(number, record)
                require_storable_row(row)
                self._note(number, record.key)
                if row.title.kind is TitleKind.SERIES:
                    self._seen.first_line("series", record.key, line=number)
                return row
            case SeasonRecord():
                self._require_series(record.series)
                require_storable_text("the season's name", record.name)
                return SeasonRow(number, self._season(record.series, record.number, record.name))
            case PersonRecord():
                require_storable_text("the name", record.name)
                self._seen.set_name(record.key, " ".join(record.name.split()))
                return None
            case AvailabilityRecord():
                windows, blocked = _offer(record)
                return AvailabilityRow(number, record.key, self._ids(record.key), windows, blocked)
            case RemovalRecord():
                if self.is_full:
                    raise RowUnusable("a full feed removes titles by leaving them out", record.key)
                self._note(number, record.key)
                return RemovalRow(number, record.key, self._ids(record.key))
            case HeaderRecord():
                raise RowUnusable("a second header; one feed, one file")
            case EndRecord():
                raise AssertionError("the end record makes no row")
            case _:
                assert_never(record)

    def _title(self, number: int, record: TitleRecord | EpisodeRecord) -> ImportedRow:
        source, remark = self.header.source, None
        kind = TitleKind.EPISODE if isinstance(record, EpisodeRecord) else TitleKind(record.kind)
        windows, blocked = _offer(record.availability or Availability())
        if record.availability is None and kind is TitleKind.EPISODE:
            windows = (Window("*"),)  # as its series, whose windows hold for its episodes, too
        certificates = tuple(sorted(record.certificates.items()))
        for country, code in certificates:
            if (problem := problem_of_certificate(country, code)) is not None:
                raise RowUnusable(f"certificates.{country} {problem}")
        age = strictest_age(certificates) if certificates else UNCERTIFIED_AGE
        if record.is_kids and age > MAX_KIDS_AGE:
            raise RowUnusable(f"isKids is true, but the strictest certificate is for {age}, above {MAX_KIDS_AGE}")
        synopsis = " ".join(record.synopsis.split())
        if has_markup(synopsis):
            synopsis, remark = plain_text(synopsis), "there was HTML in the synopsis; taken as plain text"
        title = Title(
            id=TitleId(stable_id(kind.id_prefix, source, record.key)),
            kind=kind,
            display_name=_single_spaced(record.name),
            origin=Origin(source, record.key),
            added_at=self._added_at(record),
            synopsis=synopsis,
            release_year=record.release_year,
            duration_seconds=record.duration_seconds,
            credits=self._credits(record),
            minimum_age=age,
            is_age_certified=bool(certificates),
            is_kids=record.is_kids,
            certificates=certificates,
            windows=windows,
            blocked_countries=blocked,
        )
        seasons: tuple[Season, ...] = ()
        if isinstance(record, EpisodeRecord):
            title, seasons = self._in_series(title, record)
        else:
            title = _classified(title, record)
        return ImportedRow(number, title, seasons, remark, keeps_availability=record.availability is None)

    def _in_series(self, title: Title, record: EpisodeRecord) -> tuple[Title, tuple[Season, ...]]:
        """The episode in its place, and its season where no line before had it."""
        self._require_series(record.series)
        placed = replace(
            title,
            series_id=self._series_id(record.series),
            season_id=self._season_id(record.series, record.season),
            season_number=record.season,
            episode_number=record.number,
        )
        if self._seen.has("season", record.series, str(record.season)):
            return placed, ()
        return placed, (self._season(record.series, record.season, f"Season {record.season}"),)

    def _season(self, series: str, number: int, name: str) -> Season:
        self._seen.first_line("season", series, str(number), line=0)
        return Season(self._season_id(series, number), self._series_id(series), number, _single_spaced(name))

    def _season_id(self, series: str, number: int) -> SeasonId:
        return SeasonId(stable_id("sea", self.header.source, series, str(number)))

    def _series_id(self, series: str) -> TitleId:
        return TitleId(stable_id(TitleKind.SERIES.id_prefix, self.header.source, series))

    def _require_series(self, series: str) -> None:
        # In a delta the series may have come with an earlier feed; the run asks the store.
        if self.is_full and not self._seen.has("series", series):
            raise RowUnusable(f"series {series!r} has no usable record before this line")

    def _credits(self, record: TitleRecord | EpisodeRecord) -> tuple[Credit, ...]:
        groups = (
            (record.directors, CreditRole.DIRECTOR),
            (record.writers, CreditRole.WRITER),
            (record.cast, CreditRole.CAST),
        )
        lines = (
            Credit(person_named(self._name(line)), role, line.character if role is CreditRole.CAST else None)
            for some, role in groups
            for line in some
        )
        return tuple(dict.fromkeys(lines))

    def _name(self, line: CreditLine) -> str:
        if (line.name is None) == (line.person is None):
            raise RowUnusable("a credit has a name or a person's key, one of the two")
        if line.name is not None:
            return _single_spaced(line.name)
        name = self._seen.name(line.person or "")
        if name is None:
            raise RowUnusable(f"person {line.person!r} has no record before this line")
        return name

    def _added_at(self, record: TitleRecord | EpisodeRecord) -> datetime:
        """Without a word of the source, when it came out: the same in every feed."""
        if record.added_at is not None:
            return record.added_at
        return _OLDEST if record.release_year is None else datetime(record.release_year, 1, 1, tzinfo=UTC)

    def _ids(self, key: str) -> tuple[TitleId, ...]:
        return ids_of_key(self.header.source, key)

    def _note(self, number: int, key: str) -> None:
        first_line = self._seen.first_line("key", key, line=number)
        if first_line != number:
            raise RowUnusable(f"duplicate of line {first_line}: key {key!r}")
        self._list(key)

    def _list(self, key: str) -> None:
        for title_id in self._ids(key):
            self._seen.first_line("listed", title_id, line=0)

    def _rejected(self, number: int, line: str, reason: str) -> RejectedRow:
        is_about_title, key = _subject(line)
        if key is not None:
            self._list(key)
        elif is_about_title:
            self._nameless_rejects += 1
        return RejectedRow(number, reason, key)


def _read_header(first: tuple[int, str] | None) -> HeaderRecord:
    if first is None:
        raise ImportRefused("the file has no rows")
    line, text = first
    wanted = 'wanted {"record": "header", "format": "marquee-feed", "version": 1, …}; see docs/feed_format.md'
    try:
        values = orjson.loads(text)
    except ValueError as error:
        raise ImportRefused(f"line {line} is no JSON ({error}), {wanted}") from error
    if not isinstance(values, dict) or values.get("record") != "header":
        raise ImportRefused(f"line {line} is no header: {text.strip()[:60]!r}, {wanted}")
    if values.get("version") != VERSION:
        raise ImportRefused(f"the feed is of version {values.get('version')!r}, known here is {VERSION}")
    try:
        header = read_record(text)
    except ValidationError as error:
        raise ImportRefused(f"the header in line {line}: {_problem(error)}") from error
    assert isinstance(header, HeaderRecord)  # its "record" says so
    if header.source in RESERVED_SOURCES:
        raise ImportRefused(f"source {header.source!r} is taken; a feed has a source of its own, as 'acme-films'")
    return header


def _subject(line: str) -> tuple[bool, str | None]:
    """Whether a rejected line may be about a title, and the title's key where it can be read."""
    try:
        values = orjson.loads(line)
    except ValueError:
        return True, None
    if not isinstance(values, dict) or values.get("record") in {"person", "season", "header", "end"}:
        return not isinstance(values, dict), None
    key = values.get("key")
    return True, key if isinstance(key, str) and key else None


def _classified(title: Title, record: TitleRecord) -> Title:
    return replace(
        title,
        genres=tuple(dict.fromkeys(genre_named(_single_spaced(name)) for name in record.genres)),
        popularity=record.popularity,
        origin_country=record.origin_country,
        original_language=record.original_language,
    )


def _offer(availability: Availability) -> tuple[tuple[Window, ...], frozenset[str]]:
    windows = tuple(Window(offer.country, offer.from_, offer.until) for offer in availability.windows)
    for place, window in enumerate(windows):
        if window.opens_at is not None and window.closes_at is not None and window.closes_at <= window.opens_at:
            raise RowUnusable(f"windows.{place} ends at {window.closes_at.isoformat()}, before or when it begins")
    return windows, frozenset(availability.blocked_countries)


def _single_spaced(name: str) -> str:
    spaced = " ".join(name.split())
    if not spaced:
        raise RowUnusable("a name is empty")
    return spaced


def _problem(error: ValidationError) -> str:
    """What is wrong, by member, in words of the format."""
    problems = error.errors(include_url=False, include_context=False)
    told = []
    for problem in problems[:_PROBLEMS_SHOWN]:
        # The first place is the union's tag, which the line's own "record" says already.
        place = ".".join(str(part) for part in problem["loc"][1:])
        seen = "" if problem["type"] in {"missing", "json_invalid"} else f", got {str(problem['input'])[:60]!r}"
        told.append(f"{place}: {problem['msg']}{seen}" if place else f"{problem['msg']}{seen}")
    if len(problems) > _PROBLEMS_SHOWN:
        told.append(f"{len(problems) - _PROBLEMS_SHOWN} more")
    return "; ".join(told)
