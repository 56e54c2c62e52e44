"""What the services need from outside, as roles: a title store, a search index, an event stream, artwork storage.

Each has an adapter in `adapters/`; the contract tests of a port run against every adapter that it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol

import msgspec

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.pagination import PageRequest
from subgraphs.kernel.personal_data import PersonalDataStore
from subgraphs.titles.domain.browsing import BrowseRequest, CatalogueScope, Facets, TitleFilter
from subgraphs.titles.domain.finding import FacetField, FieldCounts, SearchSort
from subgraphs.titles.domain.personal import ProfileTaste
from subgraphs.titles.domain.title import (
    EpisodeSlot,
    Genre,
    GenreId,
    Person,
    PersonId,
    Season,
    SeasonId,
    Title,
    VideoSlot,
)

__all__ = [
    "NO_PERSON_EDITS",
    "NO_REVISIONS",
    "ArtworkRenderer",
    "ArtworkStore",
    "AuditEntry",
    "CatalogueState",
    "Change",
    "ChangeFollowerName",
    "EventStream",
    "FoundTitle",
    "IndexBuild",
    "MasterRequest",
    "ProfileTastes",
    "SearchEvents",
    "SearchHits",
    "SearchIndex",
    "StaleWrite",
    "TitleStore",
    "ToldSearch",
]

ChangeFollowerName = str
NO_PERSON_EDITS: Mapping[PersonId, Person] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change log: that a title changed, not how; who needs to know reads the title as it is now."""

    sequence: int
    title_id: TitleId


NO_REVISIONS: Mapping[TitleId, int] = MappingProxyType({})


class StaleWrite(Exception):
    """Somebody else, perhaps another process, has written a title since it was read."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who changed the catalogue by hand, and how: what was there before and after, as JSON, only what differs.

    `subject_id` is a title's or a person's id; what is done to a season stands with its series.
    """

    id: str
    at: datetime
    account_id: str
    action: str
    subject_id: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


class TitleStore(Protocol):
    """The catalogue. Every write also appends to the change log, and the two are never apart.

    Methods that take ids answer for those that exist and leave the others out. Every method raises
    ServiceError(UNAVAILABLE) when the store is away.
    """

    async def ping(self) -> None:
        """A health check: returns when the store answers."""
        ...

    @property
    def personal_data(self) -> PersonalDataStore:
        """What the store holds of accounts."""
        ...

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
        self,
        titles: Sequence[Title],
        seasons: Sequence[Season] = (),
        *,
        person_edits: Mapping[PersonId, Person] = NO_PERSON_EDITS,
        audit: AuditEntry | None = None,
        seen: Mapping[TitleId, int] = NO_REVISIONS,
    ) -> None:
        """Create or replace, all or nothing, also when the process is killed. Ids of an audit entry are given once.

        Raises StaleWrite, and writes nothing, when a title of `seen` has another revision by now.
        Where the store has no transactions, readers may see some of the titles before the others, for a moment.
        """
        ...

    async def person_edits(self) -> dict[PersonId, Person]:
        """Who was renamed or merged by hand: the person that an id of the sources stands for now."""
        ...

    async def people(self, scope: CatalogueScope, ids: Sequence[PersonId]) -> dict[PersonId, Person]:
        """People credited in a title of any kind that is visible by its own facts."""
        ...

    async def titles_of_person(self, person_id: PersonId, limit: int) -> list[TitleId]:
        """Titles of every kind that credit a person, by id, whether or not anybody may see them."""
        ...

    async def videos_of(self, title_ids: Sequence[TitleId]) -> dict[TitleId, tuple[VideoSlot, ...]]:
        """Videos of films and series, newest first and then by id; withdrawn and delisted ones left out."""
        ...

    async def facets(self, scope: CatalogueScope, chosen: TitleFilter) -> Facets:
        """Counts of what `browse` would list in all, less what is part of something hidden; in ascending order.

        An unknown decade comes last.
        """
        ...

    async def ids_of_source(self, source: str, after: str, limit: int) -> list[TitleId]:
        """Ids of a source's titles that are not delisted, in order, behind `after`."""
        ...

    async def position(self, name: str) -> int | None:
        """A number that was kept under a name, as how far some background work has come."""
        ...

    async def set_position(self, name: str, value: int) -> None:
        """Keep a number."""
        ...

    async def browse(self, scope: CatalogueScope, requests: Sequence[BrowseRequest]) -> list[list[TitleId]]:
        """For each request up to `page.first + 1` visible ids after its cursor, the `sort_key` of a title.

        Visible by their own facts: whether what an episode or video belongs to is visible, too, the caller looks up.
        """
        ...

    async def genres(self, scope: CatalogueScope) -> list[Genre]:
        """Genres with at least one visible film or series, by name."""
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
        """Episodes in order of season and number; withdrawn and delisted ones left out."""
        ...

    async def ids_after(self, after: str, limit: int) -> list[TitleId]:
        """Every id in order, to walk the whole catalogue by."""
        ...

    async def timed_titles(self) -> list[Title]:
        """Titles with a window that opens or closes at some instant."""
        ...

    async def state(self) -> CatalogueState:
        """Of the titles that are neither withdrawn nor delisted."""
        ...

    async def changes_for(self, follower: ChangeFollowerName, limit: int) -> list[Change]:
        """The next changes that this follower has not confirmed, in order; none for an unknown follower.

        What is written later gets higher numbers than all that was ever answered here.
        """
        ...

    async def confirm_changes(self, follower: ChangeFollowerName, up_to: int) -> None:
        """The follower has dealt with everything up to this sequence number; what all have confirmed may be dropped."""
        ...

    async def follow(self, follower: ChangeFollowerName) -> None:
        """A follower that begins at the log's end as it is now; one that is there already is moved to it."""
        ...

    async def followers(self) -> frozenset[ChangeFollowerName]:
        """Those that the log is kept for."""
        ...

    async def unfollow(self, follower: ChangeFollowerName) -> None:
        """The log is no longer kept for this follower; nothing happens when there is none."""
        ...

    async def announce_all(self) -> int:
        """Append every title to the change log, for followers that start anew; returns how many."""
        ...

    async def audit_entries(self, subject_id: str | None, page: PageRequest) -> list[AuditEntry]:
        """What was done by hand to one title or person, or to any (None), newest first: `page.first + 1` of them.

        The cursor's key is (at in microseconds since 1970, id).
        """
        ...


class FoundTitle(msgspec.Struct, frozen=True, gc=False):
    """A search hit; scores compare within one answer only.

    Answers are kept, so that tens of them outlive each search: the garbage collector need not look at any.
    """

    title_id: TitleId
    score: float


@dataclass(frozen=True, slots=True)
class SearchHits:
    """The best hits in order, and how many there are in all."""

    hits: tuple[FoundTitle, ...]
    total_count: int


@dataclass(frozen=True, slots=True)
class CatalogueState:
    """How many titles there are, and the sum of their revisions.

    An index never has a title newer than the store's: when both numbers are equal, it has every title as the store has
    it, unless one title is missing whose revision another one, that should be gone, makes up for.
    """

    title_count: int
    revision_sum: int


class IndexBuild(Protocol):
    """An index in the making, beside the one that serves."""

    async def update(self, titles: Sequence[Title]) -> None:
        """As `SearchIndex.update`; searches do not see it."""
        ...

    async def publish(self) -> None:
        """From now on searches, and updates of the SearchIndex, go to this one; what served before is deleted."""
        ...

    async def discard(self) -> None:
        """Delete it; after `publish` nothing happens."""
        ...


@dataclass(frozen=True, slots=True)
class ToldSearch:
    """A search as others hear of it; `text` is folded."""

    search_id: str
    account_id: str
    profile_id: str
    text: str
    result_count: int
    at: datetime


class SearchEvents(Protocol):
    """Where it is told what was searched. Methods raise ConnectionError when the stream is away."""

    async def searched(self, searches: Sequence[ToldSearch]) -> None:
        """Tell of searches, in order."""
        ...

    async def decide(self, account_id: str, *, is_refused: bool, at: datetime) -> None:
        """Whether the account's searches are not to be told; what was decided later than `at` stays."""
        ...

    async def forget(self, account_id: str) -> None:
        """There is no such account any more."""
        ...

    async def refusing(self, account_ids: AbstractSet[str]) -> set[str]:
        """Those of some accounts whose searches are not to be told."""
        ...


class ProfileTastes(Protocol):
    """What profiles are drawn to, one by profile. Methods raise ConnectionError when the store is away."""

    async def taste(self, profile_id: str) -> ProfileTaste | None:
        """The last one that was put; None for one that was refused, is unknown, or is older than a month."""
        ...

    async def put(self, profile_id: str, taste: ProfileTaste, at: datetime) -> None:
        """Keep it, unless something later than `at` was put, or the profile's account refuses."""
        ...

    async def decide(self, profile_id: str, at: datetime, *, is_refused: bool) -> None:
        """Refused: keep none and take none, until that is decided otherwise. What was decided later stays."""
        ...

    async def end(self, profile_id: str, at: datetime) -> None:
        """The profile was deleted: keep none, and take none that was under way then."""
        ...

    async def forget(self, profile_id: str) -> None:
        """Keep nothing of the profile, no refusal either."""
        ...


class SearchIndex(Protocol):
    """Full text over the catalogue. Follows the store; may be thrown away and rebuilt at any time.

    Every method raises ServiceError(UNAVAILABLE) when the engine is away.
    """

    async def prepare(self) -> None:
        """Make the index when there is none; before anything else, and as often as one likes."""
        ...

    async def check(self) -> None:
        """A health check: returns when the engine answers."""
        ...

    async def update(self, titles: Sequence[Title]) -> None:
        """Make the index as these titles are: replaced, or removed when they are gone.

        Visible to searches when it returns.
        """
        ...

    async def begin_build(self) -> IndexBuild:
        """An empty index beside this one; raises ServiceError(FAILED_PRECONDITION) when one is being made already."""
        ...

    async def search(
        self,
        text: str,
        scope: CatalogueScope,
        chosen: TitleFilter,
        hidden: frozenset[TitleId],
        limit: int,
        *,
        sort: SearchSort = SearchSort.RELEVANCE,
    ) -> SearchHits:
        """The first `limit` hits inside scope and filter; `hidden` are titles whose windows are closed at scope.now.

        In another order than by relevance their scores are 0, and which of equals come last within `limit` is open.
        """
        ...

    async def count_values(
        self,
        text: str,
        scope: CatalogueScope,
        chosen: TitleFilter,
        hidden: frozenset[TitleId],
        fields: Sequence[FacetField],
        *,
        of_every_kind: bool,
    ) -> FieldCounts:
        """How many of all hits of `search` have each value of these fields; `of_every_kind`: whatever kind is asked."""
        ...

    async def complete(
        self, text: str, scope: CatalogueScope, hidden: frozenset[TitleId], limit: int
    ) -> list[FoundTitle]:
        """Titles whose names go on as `text` begins, most popular first."""
        ...

    async def with_people(
        self, text: str, scope: CatalogueScope, hidden: frozenset[TitleId], limit: int, *, edits: int
    ) -> list[FoundTitle]:
        """Titles in which every word of `text` is in the name of some actor or director, most popular first.

        With at most so many edits a word: 0 to MOST_EDITS, and never more than `edits_forgiven`.
        """
        ...

    async def state(self) -> CatalogueState:
        """What is indexed."""
        ...

    @property
    def revision(self) -> int:
        """Grows with every update through this object: what was found before may differ now."""
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
