"""The title aggregate: everything that the catalogue knows of one film, series or episode."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import NewType

from subgraphs.kernel.ids import TitleId, stable_id
from subgraphs.kernel.policy import TitleFacts, Window
from subgraphs.titles.domain.text import fold, slug

__all__ = [
    "Asset",
    "Credit",
    "CreditRole",
    "EpisodeSlot",
    "Genre",
    "GenreId",
    "Marker",
    "Media",
    "MediaStatus",
    "Origin",
    "Person",
    "PersonId",
    "Season",
    "SeasonId",
    "Title",
    "TitleKind",
    "VideoKind",
    "VideoSlot",
    "fingerprint",
    "genre_named",
    "match_key",
    "person_named",
]

SeasonId = NewType("SeasonId", str)
GenreId = NewType("GenreId", str)
PersonId = NewType("PersonId", str)

_TITLE_ID = re.compile(r"(?:mov|ser|epi|vid)_[A-Za-z0-9-]{1,100}")
_OURS = frozenset({"media", "is_withdrawn", "added_at", "revision", "edited_fields", "artwork_weights"})
"""Fields that no source knows."""


class TitleKind(StrEnum):
    """What a title is. A video is a trailer or bonus of a film or a series; lists show it when asked for it."""

    MOVIE = "MOVIE"
    SERIES = "SERIES"
    EPISODE = "EPISODE"
    VIDEO = "VIDEO"

    @property
    def id_prefix(self) -> str:
        """The beginning of this kind's ids."""
        return {TitleKind.MOVIE: "mov", TitleKind.SERIES: "ser", TitleKind.EPISODE: "epi", TitleKind.VIDEO: "vid"}[self]


class VideoKind(StrEnum):
    """What a video shows of its title."""

    TRAILER = "TRAILER"
    TEASER = "TEASER"
    BEHIND_THE_SCENES = "BEHIND_THE_SCENES"
    DELETED_SCENE = "DELETED_SCENE"
    INTERVIEW = "INTERVIEW"

    @property
    def is_trailer(self) -> bool:
        """Made to advertise; the others are bonus."""
        return self in {VideoKind.TRAILER, VideoKind.TEASER}


class MediaStatus(StrEnum):
    """Whether there is something to play. PROCESSING is left by READY or, when the transcoding failed, by NONE."""

    NONE = "NONE"
    PROCESSING = "PROCESSING"
    READY = "READY"


class CreditRole(StrEnum):
    """What somebody did in a title."""

    DIRECTOR = "DIRECTOR"
    CAST = "CAST"
    WRITER = "WRITER"


@dataclass(frozen=True, slots=True)
class Genre:
    """One genre; its id follows from its name, so that every source's "Drama" is the same."""

    id: GenreId
    display_name: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody by the name on the credits; two people of one name are one person here, as the sources have no ids."""

    id: PersonId
    display_name: str


@dataclass(frozen=True, slots=True)
class Credit:
    """One line of the credits; `character` only for the cast, and only where the source names it."""

    person: Person
    role: CreditRole
    character: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Which source a title came from and its key there; together they make its id."""

    source: str
    key: str


@dataclass(frozen=True, slots=True)
class Marker:
    """A stretch of a title with a meaning, as INTRO or CREDITS, in seconds from the start."""

    kind: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class Asset:
    """What can be played: manifest paths relative to the delivery root.

    `hls` and `dash` are those of the best-protected version, `encryption` says which ("clear" or "clearkey").
    `published_micros` is when it was published, in microseconds since 1970: of two the later one is played.
    """

    asset_id: str
    hls: str
    dash: str
    duration_seconds: float
    max_height_px: int
    encryption: str
    poster_frame_object: str | None = None
    published_micros: int = 0


@dataclass(frozen=True, slots=True)
class Media:
    """A title's media side."""

    status: MediaStatus = MediaStatus.NONE
    asset: Asset | None = None
    markers: tuple[Marker, ...] = ()


@dataclass(frozen=True, slots=True)
class Season:
    """One season of a series."""

    id: SeasonId
    series_id: TitleId
    number: int
    display_name: str


@dataclass(frozen=True, slots=True)
class EpisodeSlot:
    """An episode's place in its series."""

    title_id: TitleId
    season_id: SeasonId
    season_number: int
    number: int


@dataclass(frozen=True, slots=True)
class VideoSlot:
    """A video's place with its title; `season_id` where it is about one season of a series."""

    title_id: TitleId
    kind: VideoKind
    season_id: SeasonId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """A film, a series, an episode or a video. `popularity` is in 0..1; `minimum_age` is an age, 0 to 18.

    `certificates` are (country, code) pairs given by the source; other countries' codes follow from `minimum_age`.
    `is_age_certified` is false where no source knew a certificate: adults see such a title, kids never do.
    `video_of` is the film or series that a video belongs to, whose windows, blocks and age limit it has, too.
    `is_withdrawn` is the studio's word, `is_delisted` says that the source's last full feed lacked the title; either
    takes it out of every door. `revision` counts the writes. `edited_fields` were set by hand: a source does not
    change them back. `artwork_weights` are (variant, weight) pairs, the shares in which variants are to be shown.
    """

    id: TitleId
    kind: TitleKind
    display_name: str
    origin: Origin
    added_at: datetime
    synopsis: str = ""
    release_year: int | None = None
    duration_seconds: int | None = None
    genres: tuple[Genre, ...] = ()
    credits: tuple[Credit, ...] = ()
    minimum_age: int = 0
    is_age_certified: bool = True
    is_kids: bool = False
    certificates: tuple[tuple[str, str], ...] = ()
    windows: tuple[Window, ...] = (Window("*"),)
    blocked_countries: frozenset[str] = frozenset()
    popularity: float = 0.0
    origin_country: str | None = None
    original_language: str | None = None
    series_id: TitleId | None = None
    season_id: SeasonId | None = None
    season_number: int | None = None
    episode_number: int | None = None
    video_of: TitleId | None = None
    video_kind: VideoKind | None = None
    is_withdrawn: bool = False
    is_delisted: bool = False
    media: Media = Media()
    revision: int = 1
    edited_fields: frozenset[str] = frozenset()
    artwork_weights: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no store may hold; readers of sources check first and say it in their own words."""
        if not _TITLE_ID.fullmatch(self.id) or not self.id.startswith(self.kind.id_prefix):
            raise ValueError(f"{self.id!r} is no id of a {self.kind}; ids look like {self.kind.id_prefix}_a-key")
        if not self.display_name.strip():
            raise ValueError(f"title {self.id} has no name")
        if not 0 <= self.minimum_age <= 18:
            raise ValueError(f"title {self.id} has minimum age {self.minimum_age}; ages are 0 to 18")
        if not 0.0 <= self.popularity <= 1.0:
            raise ValueError(f"title {self.id} has popularity {self.popularity}; it is a ratio in 0..1")
        if self.added_at.tzinfo is None:
            raise ValueError(f"title {self.id} was added at {self.added_at}, which has no time zone")
        is_video = self.kind is TitleKind.VIDEO
        if is_video is (self.video_of is None) or is_video is (self.video_kind is None):
            raise ValueError(f"title {self.id} is a {self.kind}; a VIDEO, and no other, has video_of and video_kind")

    @property
    def facts(self) -> TitleFacts:
        """What the policy asks for."""
        return TitleFacts(
            minimum_age=self.minimum_age,
            is_kids=self.is_kids,
            windows=self.windows,
            blocked_countries=self.blocked_countries,
            is_withdrawn=self.is_gone,
        )

    @property
    def is_gone(self) -> bool:
        """There for nobody, whoever took it away."""
        return self.is_withdrawn or self.is_delisted

    @property
    def parent_id(self) -> TitleId | None:
        """The title without which this one is not shown: an episode's series, what a video is of."""
        return self.series_id if self.video_of is None else self.video_of

    def credited(self, role: CreditRole) -> tuple[str, ...]:
        """Names in one role, in order of billing."""
        return tuple(credit.person.display_name for credit in self.credits if credit.role is role)


def genre_named(display_name: str) -> Genre:
    """The genre of a name."""
    return Genre(GenreId(f"gen_{slug(display_name)}"), display_name)


def person_named(display_name: str) -> Person:
    """The person of a name; accents and case make no difference to who it is."""
    return Person(PersonId(stable_id("per", fold(display_name))), display_name)


def match_key(kind: TitleKind, display_name: str, release_year: int | None) -> str:
    """What two sources' entries of one work share: kind, folded name, year."""
    return f"{kind}|{fold(display_name)}|{release_year or ''}"


def fingerprint(title: Title) -> str:
    """A digest of what a source says of a title, so that an import can tell what changed.

    What is ours (media, withdrawal, the day it was added …) is left out: an import keeps it. That a title is listed is
    the source's word: one that was delisted differs from the same title listed again.
    """
    names = [field.name for field in fields(title) if field.name not in _OURS | {"blocked_countries"}]
    parts = [repr(getattr(title, name)) for name in names]
    parts.append(repr(sorted(title.blocked_countries)))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
