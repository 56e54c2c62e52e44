"""What recommendations' services need from outside. Adapters live in `adapters/`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from common.events import Event
from subgraphs.recommendations.domain.collections import Collection
from subgraphs.recommendations.domain.model_versions import Choice, ModelVersion
from subgraphs.recommendations.domain.page import Page
from subgraphs.recommendations.domain.taste import Feedback, HistoryMark, Taste, Watched
from subgraphs.recommendations.domain.titles import TitleRecord
from subgraphs.recommendations.domain.trends import TrendWindow

__all__ = [
    "CollectionStore",
    "InteractionEvents",
    "ModelChoice",
    "ModelStore",
    "PageSnapshots",
    "TasteStore",
    "TitleStore",
    "TrendCounters",
]


class TitleStore(Protocol):
    """The local copy of titles' snapshots, for the next start."""

    async def put(self, snapshots: Sequence[Mapping[str, object]]) -> None:
        """Insert or replace snapshots that have been read well, in one transaction."""
        ...

    async def mark_playable(self, title_id: str) -> None:
        """The title has a film; remembered also when the title itself is not known yet."""
        ...

    async def withdraw(self, title_ids: Sequence[str]) -> None:
        """The titles are there for nobody any more."""
        ...

    async def load(self) -> Sequence[TitleRecord]:
        """All titles that are kept."""
        ...


class TasteStore(Protocol):
    """Tastes of all profiles. Writes that are older than what is there change nothing."""

    async def taste(self, profile_id: str) -> Taste:
        """What is known of a profile; empty for an unknown one."""
        ...

    async def watched(self, profile_id: str, title_id: str, watched: Watched) -> None:
        """The profile's place in a title."""
        ...

    async def marked(
        self, profile_id: str, title_ids: Sequence[str], mark: HistoryMark, at: datetime, *, is_set: bool
    ) -> None:
        """Taken out of the history or of continue watching, or put back; watching later ends it."""
        ...

    async def rated(self, profile_id: str, title_id: str, stars: int | None, at: datetime) -> None:
        """Stars 1 to 5; None clears."""
        ...

    async def listed(self, profile_id: str, title_id: str, at: datetime, *, in_list: bool) -> None:
        """On or off the profile's list."""
        ...

    async def fed_back(self, profile_id: str, title_id: str, feedback: Feedback | None, at: datetime) -> None:
        """A thumb, or not interested; None clears."""
        ...

    async def allow(self, profile_id: str, at: datetime, *, is_personal: bool) -> None:
        """Whether the profile's account allows personalisation."""
        ...

    async def locate(self, profile_id: str, country: str, at: datetime) -> None:
        """The profile's country, for counting views."""
        ...

    async def erase(self, profile_id: str) -> None:
        """Forget a profile."""
        ...

    def all_tastes(self) -> AsyncIterator[Taste]:
        """Every profile's taste, for learning."""
        ...


class TrendCounters(Protocol):
    """Decayed counters of views per country."""

    async def count_view(self, profile_id: str, title_id: str, country: str | None, at: datetime) -> None:
        """Count a view; one profile counts once for a title within some hours."""
        ...

    async def trending(self, country: str | None, now: datetime) -> Mapping[TrendWindow, Mapping[str, float]]:
        """Views by title id as they weigh now, of the country when it has enough, else of everywhere."""
        ...


class CollectionStore(Protocol):
    """Editorial collections, and every edit of one with who made it."""

    async def all_collections(self) -> Sequence[Collection]:
        """In the order of their ids."""
        ...

    async def save(self, collection: Collection, account_id: str, at: datetime) -> bool:
        """Insert or replace; False, and nothing happens, when it would be one too many."""
        ...

    async def remove(self, collection_id: str, account_id: str, at: datetime) -> bool:
        """False when there is none of this id."""
        ...


class PageSnapshots(Protocol):
    """Finished pages by revision, for as long as their cursors live."""

    async def put(self, page: Page) -> None:
        """Keep until the page expires."""
        ...

    async def get(self, revision: str) -> Page | None:
        """The page; None when it has expired or never was."""
        ...


class InteractionEvents(Protocol):
    """Where it is told what screens showed and what was opened. Failures are ServiceErrors."""

    async def tell(self, events: Sequence[Event]) -> None:
        """Publish them, in order."""
        ...

    async def decide(self, account_id: str, *, is_refused: bool, at: datetime) -> None:
        """Whether the account's interactions are not to be told; what was decided later than `at` stays."""
        ...

    async def forget(self, account_id: str) -> None:
        """There is no such account any more."""
        ...

    async def is_refused(self, account_id: str) -> bool:
        """Whether they are not to be told."""
        ...


class ModelStore(Protocol):
    """Trained models by version, as objects. Failures are ServiceErrors."""

    async def put(self, version: ModelVersion, content: bytes) -> None:
        """Keep a version; it is listed only once its bytes are there."""
        ...

    async def versions(self) -> Sequence[ModelVersion]:
        """All that are kept, the newest first."""
        ...

    async def read(self, version: ModelVersion) -> bytes:
        """Its bytes, checked against their sum. Raises ServiceError NOT_FOUND, or INTERNAL when they are damaged."""
        ...

    async def delete(self, version_id: str) -> None:
        """Forget a version; nothing happens when it is not there."""
        ...


class ModelChoice(Protocol):
    """Which version is in use, the same for all processes, and who may train. Failures are ServiceErrors."""

    async def choice(self) -> Choice:
        """What is in use now."""
        ...

    async def choose(self, version_id: str, *, is_pinned: bool) -> None:
        """Use a version from now on, everywhere, at once."""
        ...

    async def go_back(self) -> str | None:
        """Use the version that was in use before, and pin it; None when there is none, and nothing changes."""
        ...

    async def take_lease(self, owner: str, life_s: float) -> bool:
        """Become the one that trains, for `life_s`, or stay so; False while another is."""
        ...

    async def give_back_lease(self, owner: str) -> None:
        """Let others train; nothing happens when the lease is another's."""
        ...
