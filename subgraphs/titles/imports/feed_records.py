"""The records of our own feed format, version 1: what each line may say. `docs/feed_format.md` explains them.

The JSON Schema in `docs/feed_format.schema.json` is made of these classes by `feed_schema`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter
from pydantic.alias_generators import to_camel

__all__ = [
    "AvailabilityRecord",
    "CreditLine",
    "EndRecord",
    "EpisodeRecord",
    "FeedRecord",
    "HeaderRecord",
    "Offer",
    "PersonRecord",
    "RemovalRecord",
    "SeasonRecord",
    "TitleRecord",
    "feed_schema",
    "read_record",
]

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}$")]
"""The source's own key, for ever the same title's; distinct within a source, whatever the kind."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Text = Annotated[str, StringConstraints(max_length=5_000)]
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
CountryOrAll = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}|\*)$")]
Language = Annotated[str, StringConstraints(pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$")]
Year = Annotated[int, Field(ge=1880, le=2100)]
Seconds = Annotated[int, Field(gt=0, le=7 * 24 * 3600)]
Number = Annotated[int, Field(ge=0, le=10_000)]


class _Record(BaseModel):
    """Strict: a number is no text, and a member that the format does not have is a mistake and not ignored."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)


class HeaderRecord(_Record):
    """The first line."""

    record: Literal["header"]
    format: Literal["marquee-feed"]
    version: int
    """This description is of version 1."""
    feed_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,119}$")]
    """The sender's name of this file, shown in messages."""
    source: Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9-]{0,31}$")]
    """Whose titles these are; ids are made of it."""
    scope: Literal["full", "delta"]
    """Full: every title of the source is in the file, and others are taken out of the catalogue."""
    generated_at: AwareDatetime
    """A file that is older than the last one of its source is refused."""


class Offer(_Record):
    """One country's window; `*` is everywhere. An absent or null end is open."""

    country: CountryOrAll
    from_: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: AwareDatetime | None = None


class Availability(_Record):
    """Where and when a title may be seen. Without windows it is seen nowhere; a block beats every window."""

    windows: Annotated[tuple[Offer, ...], Field(max_length=250)] = ()
    blocked_countries: Annotated[tuple[Country, ...], Field(max_length=250)] = ()


class CreditLine(_Record):
    """Somebody in the credits: by name, or by the key of a person record that came before."""

    name: Name | None = None
    person: Key | None = None
    character: Annotated[str, StringConstraints(max_length=200)] | None = None


Credits = Annotated[tuple[CreditLine, ...], Field(max_length=100)]


class _Described(_Record):
    """What titles and episodes have in common."""

    key: Key
    name: Name
    synopsis: Text = ""
    release_year: Year | None = None
    duration_seconds: Seconds | None = None
    directors: Credits = ()
    writers: Credits = ()
    cast: Credits = ()
    certificates: Annotated[dict[Country, str], Field(max_length=50)] = {}
    is_kids: bool = False
    availability: Availability | None = None
    """Absent: a known title keeps what it has, a new one is seen nowhere until an availability record says more."""
    added_at: AwareDatetime | None = None
    """Absent: the beginning of the release year, or the feed's own time."""


class TitleRecord(_Described):
    """A film or a series."""

    record: Literal["title"]
    kind: Literal["MOVIE", "SERIES"]
    genres: Annotated[
        tuple[Annotated[str, StringConstraints(min_length=1, max_length=50)], ...], Field(max_length=10)
    ] = ()
    popularity: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    origin_country: Country | None = None
    original_language: Language | None = None


class SeasonRecord(_Record):
    """A season, where it has a name of its own; episodes make the others."""

    record: Literal["season"]
    series: Key
    number: Number
    name: Name


class EpisodeRecord(_Described):
    """An episode. Its series comes before it, in this file or, for a delta, in an earlier one."""

    record: Literal["episode"]
    series: Key
    season: Number
    number: Number


class PersonRecord(_Record):
    """Somebody whom later lines name by key."""

    record: Literal["person"]
    key: Key
    name: Name


class AvailabilityRecord(Availability):
    """Replaces where and when a title or an episode, that came before, may be seen."""

    record: Literal["availability"]
    key: Key


class RemovalRecord(_Record):
    """Only in a delta: the source offers this title or episode no longer."""

    record: Literal["removal"]
    key: Key


class EndRecord(_Record):
    """The last line: how many lines there were between it and the header, blank ones not counted."""

    record: Literal["end"]
    records: Annotated[int, Field(ge=0)]


FeedRecord = (
    HeaderRecord
    | TitleRecord
    | SeasonRecord
    | EpisodeRecord
    | PersonRecord
    | AvailabilityRecord
    | RemovalRecord
    | EndRecord
)
_ADAPTER: TypeAdapter[FeedRecord] = TypeAdapter(Annotated[FeedRecord, Field(discriminator="record")])


def read_record(line: str) -> FeedRecord:
    """One line; raises pydantic's ValidationError."""
    return _ADAPTER.validate_json(line)


def feed_schema() -> dict[str, Any]:
    """The JSON Schema of one line."""
    schema = _ADAPTER.json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a Marquee feed, version 1",
    } | schema
