"""What recommendations' services need from outside. Adapters live in `adapters/`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from common.events import Event
from subgraphs.recommendations.domain.page import Page
from subgraphs.recommendations.domain.taste import Feedback, Taste, Watched
from subgraphs.recommendations.domain.titles import TitleRecord

__all__ = ["InteractionEvents", "PageSnapshots", "TasteStore", "TitleStore", "TrendCounters"]


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

    async def trending(self, country: str | None, now: datetime) -> Mapping[str, float]:
        """Views by title id as they weigh now, of the country when it has enough, else of everywhere."""
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

    async def refuse(self, account_id: str) -> None:
        """The account's interactions are not to be told from now on."""
        ...

    async def allow(self, account_id: str) -> None:
        """They are again, or there is no such account any more."""
        ...

    async def is_refused(self, account_id: str) -> bool:
        """Whether they are not to be told."""
        ...
