"""What recommendations' services need from outside. Adapters live in `adapters/`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from common.events import Event
from subgraphs.recommendations.domain.collections import Collection
from subgraphs.recommendations.domain.model_versions import Choice, ModelVersion
from subgraphs.recommendations.domain.page import Exposure, Page
from subgraphs.recommendations.domain.taste import Feedback, HistoryMark, Taste, Watched
from subgraphs.recommendations.domain.titles import TitleRecord
from subgraphs.recommendations.domain.trends import TrendWindow
from subgraphs.recommendations.experiments.definition import Experiment
from subgraphs.recommendations.experiments.results import ProfileFigures

__all__ = [
    "CollectionStore",
    "ContentStore",
    "ExperimentMeasures",
    "ExperimentStore",
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

    async def put(self, snapshots: Sequence[Mapping[str, object]], changed_at: datetime) -> frozenset[str]:
        """Insert or replace snapshots that have been read well, as news of `changed_at`; the ids of those that were.

        What is known of a title from a later instant stays.
        """
        ...

    async def mark_playable(self, title_id: str) -> None:
        """The title has a film; remembered also when the title itself is not known yet."""
        ...

    async def withdraw(self, title_ids: Sequence[str], changed_at: datetime) -> frozenset[str]:
        """The titles are there for nobody any more; the ids of those of which nothing later is known.

        Remembered also of a title that is not known yet.
        """
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

    async def picked(self, profile_id: str, title_ids: Sequence[str], at: datetime) -> None:
        """What the profile named when it was asked, in place of what it named before; none is an answer too."""
        ...

    async def sought(self, profile_id: str, title_id: str, at: datetime) -> None:
        """The profile opened the title from a search."""
        ...

    async def allow(self, profile_id: str, at: datetime, *, is_personal: bool) -> None:
        """Whether the profile's account allows personalisation."""
        ...

    async def measure(self, profile_id: str, at: datetime, *, is_measured: bool) -> None:
        """Whether the profile's account agreed that what it does is counted."""
        ...

    async def locate(self, profile_id: str, country: str, at: datetime) -> None:
        """The profile's country, for counting views."""
        ...

    async def erase(self, profile_id: str) -> None:
        """Forget a profile."""
        ...

    async def end(self, profile_id: str) -> None:
        """Forget a profile that was deleted, and take nothing of it while devices may still speak for it."""
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


class ExperimentStore(Protocol):
    """Definitions of experiments, and every edit of one with who made it. Failures are ServiceErrors."""

    async def all_experiments(self) -> Sequence[Experiment]:
        """In the order of their ids."""
        ...

    async def removed_version(self, experiment_id: str) -> int:
        """The highest version that was removed under this id; 0: none ever was."""
        ...

    async def change(
        self,
        experiment_id: str,
        account_id: str,
        at: datetime,
        decide: Callable[[Sequence[Experiment]], Experiment | None],
    ) -> Experiment | None:
        """Replace one by what `decide` makes of all of them, none by None, while nobody else changes any.

        What `decide` raises comes out, and nothing is changed then.
        """
        ...


class ExperimentMeasures(Protocol):
    """What profiles that met experiments did since; experiments by Experiment.key. Failures are ServiceErrors."""

    async def expose(self, profile_id: str, exposure: Exposure, at: datetime) -> bool:
        """The profile met it; whether that was not told on this day (UTC) yet."""
        ...

    async def count(self, profile_id: str, experiments: Sequence[str], what: str, event_id: str, at: datetime) -> None:
        """Add one to a figure in those experiments that the profile had met by then; an event counts once."""
        ...

    async def count_point(self, profile_id: str, experiment: str, arm: str, event_id: str, at: datetime) -> None:
        """A card of this arm's team was opened."""
        ...

    async def count_watched(self, profile_id: str, experiments: Sequence[str], title_id: str, watched: Watched) -> None:
        """A place in a title: what it moved on since the last one, whether it is new, finished, on another day."""
        ...

    def figures(self, experiment: Experiment) -> AsyncIterator[ProfileFigures]:
        """Of every profile that met this version."""
        ...

    async def forget(self, profile_id: str) -> None:
        """Everything of a profile."""
        ...

    async def overrides(self, profile_id: str) -> Mapping[str, str]:
        """The arms that a tester chose, by experiment."""
        ...

    async def override(self, profile_id: str, experiment_id: str, arm: str | None) -> None:
        """Choose an arm for a week; None: as it would be without."""
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
    """Where it is told what screens showed, by which experiment, and what was opened. Failures are ServiceErrors."""

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


class ContentStore(Protocol):
    """What titles are about, as it was learned from time to time, as objects. Failures are ServiceErrors."""

    async def put(self, made_at: datetime, data: bytes) -> str:
        """Keep it; its id, which sorts by time. All but the last few that are kept are forgotten."""
        ...

    async def newest(self) -> str | None:
        """The id of the last one; None when there is none."""
        ...

    async def read(self, content_id: str) -> bytes:
        """Its bytes, checked against their sum. Raises ServiceError NOT_FOUND, or INTERNAL when they are damaged."""
        ...


class ModelChoice(Protocol):
    """Which version is in use, the same for all processes, and who may train. Failures are ServiceErrors."""

    async def choice(self) -> Choice:
        """What is in use now."""
        ...

    async def choose(self, version_id: str, *, is_pinned: bool) -> None:
        """Use a version from now on, everywhere, at once."""
        ...

    async def choose_content(self, content_id: str) -> None:
        """Know by this content from now on what titles are about, everywhere."""
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
