"""What the services need from outside, as roles: a title store, a search index, an event stream, artwork storage.

Each has an adapter in `adapters/`; the contract tests of a port run against every adapter that it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from subgraphs.kernel.ids import TitleId
from subgraphs.titles.domain.browsing import BrowseRequest, CatalogueScope, TitleFilter
from subgraphs.titles.domain.title import EpisodeSlot, Genre, GenreId, Season, SeasonId, Title

__all__ = [
    "ArtworkRenderer",
    "ArtworkStore",
    "AuditEntry",
    "Change",
    "ChangeFollowerName",
    "EventStream",
    "FoundTitle",
    "MasterRequest",
    "SearchHits",
    "SearchIndex",
    "TitleStore",
]

ChangeFollowerName = str


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change log: that a title changed, not how; who needs to know reads the title as it is now."""

    sequence: int
    title_id: TitleId


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who changed the catalogue by hand, and how."""

    at: datetime
    account_id: str
    action: str
    title_id: TitleId
    detail: Mapping[str, Any] = field(default_factory=dict)


class TitleStore(Protocol):
    """The catalogue. Every write also appends to the change log, in the same transaction.

    Methods that take ids answer for those that exist and leave the others out.
    """

    async def titles(self, ids: Sequence[TitleId]) -> dict[TitleId, Title]:
        """Whole titles, withdrawn ones included."""
        ...

    async def digests(self, ids: Sequence[TitleId]) -> dict[TitleId, str]:
        """`fingerprint` of what is stored, without reading it whole."""
        ...

    async def titles_matching(self, match_keys: Sequence[str], *, except_source: str) -> dict[str, TitleId]:
        """Titles of other sources by `match_key`."""
        ...

    async def save(
        self, titles: Sequence[Title], seasons: Sequence[Season] = (), *, audit: AuditEntry | None = None
    ) -> None:
        """Create or replace, all or nothing."""
        ...

    async def browse(self, scope: CatalogueScope, requests: Sequence[BrowseRequest]) -> list[list[TitleId]]:
        """For each request up to `page.first + 1` visible ids after its cursor, the `sort_key` of a title."""
        ...

    async def genres(self, scope: CatalogueScope) -> list[Genre]:
        """Genres with at least one visible title, by name."""
        ...

    async def genres_by_id(self, ids: Sequence[GenreId]) -> dict[GenreId, Genre]:
        """Genres, whether or not anything in them is visible."""
        ...

    async def seasons_of(self, series_ids: Sequence[TitleId]) -> dict[TitleId, tuple[Season, ...]]:
        """Seasons in order of number."""
        ...

    async def seasons_by_id(self, ids: Sequence[SeasonId]) -> dict[SeasonId, Season]:
        """Seasons."""
        ...

    async def episodes_of(self, series_ids: Sequence[TitleId]) -> dict[TitleId, tuple[EpisodeSlot, ...]]:
        """Episodes in order of season and number, withdrawn ones left out."""
        ...

    async def ids_after(self, after: str, limit: int) -> list[TitleId]:
        """Every id in order, to walk the whole catalogue by."""
        ...

    async def timed_titles(self) -> list[Title]:
        """Titles with a window that opens or closes at some instant."""
        ...

    async def present_count(self) -> int:
        """How many titles are stored and not withdrawn."""
        ...

    async def changes_for(self, follower: ChangeFollowerName, limit: int) -> list[Change]:
        """The next changes that this follower has not confirmed, in order."""
        ...

    async def confirm_changes(self, follower: ChangeFollowerName, up_to: int) -> None:
        """The follower has dealt with everything up to this sequence number; what all have confirmed is dropped."""
        ...

    async def announce_all(self) -> int:
        """Append every title to the change log, for followers that start anew; returns how many."""
        ...

    async def audit_entries(self, title_id: TitleId) -> list[AuditEntry]:
        """What was done to a title by hand, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class FoundTitle:
    """A search hit; scores compare within one answer only."""

    title_id: TitleId
    score: float


@dataclass(frozen=True, slots=True)
class SearchHits:
    """The best hits in order, and how many there are in all."""

    hits: tuple[FoundTitle, ...]
    total_count: int


class SearchIndex(Protocol):
    """Full text over the catalogue. Follows the store; may be thrown away and rebuilt at any time."""

    async def update(self, titles: Sequence[Title], removed: Sequence[TitleId]) -> None:
        """Replace and remove; visible to searches when it returns."""
        ...

    async def search(
        self, text: str, scope: CatalogueScope, chosen: TitleFilter, hidden: frozenset[TitleId], limit: int
    ) -> SearchHits:
        """The best `limit` hits inside scope and filter; `hidden` are titles whose windows are closed at scope.now."""
        ...

    async def complete(
        self, text: str, scope: CatalogueScope, hidden: frozenset[TitleId], limit: int
    ) -> list[FoundTitle]:
        """Titles whose names go on as `text` begins, most popular first."""
        ...

    async def clear(self) -> None:
        """Remove everything."""
        ...

    async def count(self) -> int:
        """How many titles are indexed."""
        ...

    @property
    def revision(self) -> int:
        """Grows with every update: what was found before may differ now."""
        ...

    async def aclose(self) -> None:
        """Let go of files and threads."""
        ...


class EventStream(Protocol):
    """Where changes are told to the other services."""

    async def publish(self, kind: str, data: Mapping[str, Any], at: datetime) -> None:
        """Append to topic `titles`; returns when it is kept, raises ConnectionError when the stream is away."""
        ...


@dataclass(frozen=True, slots=True)
class MasterRequest:
    """One artwork master to be drawn: everything that the drawing depends on, and nothing else."""

    title_id: TitleId
    role: str
    variant: str
    display_name: str
    kind: str
    genres: tuple[str, ...]
    release_year: int | None
    byline: str


class ArtworkRenderer(Protocol):
    """Draws masters."""

    async def render(self, request: MasterRequest) -> bytes:
        """The image's bytes, the same for the same request; PNG for a LOGO, JPEG otherwise."""
        ...


class ArtworkStore(Protocol):
    """Keeps masters, in the object store that delivery reads."""

    async def read(self, path: str) -> bytes | None:
        """The object, or None."""
        ...

    async def exists(self, path: str) -> bool:
        """Whether the object is there."""
        ...

    async def write(self, path: str, content: bytes) -> None:
        """Put the object there, whole or not at all."""
        ...
