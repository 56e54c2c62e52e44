"""One import as it is kept on disk: what is imported, how far it is, and how it ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from subgraphs.titles.imports.formats import CatalogueFormat
from subgraphs.titles.imports.run import ImportProgress
from subgraphs.titles.services.writing import Taken

__all__ = ["ImportJob", "JobState"]


class JobState(StrEnum):
    """What became of an import. An INTERRUPTED or CANCELLED one can be resumed."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    REFUSED = "REFUSED"
    CANCELLED = "CANCELLED"
    INTERRUPTED = "INTERRUPTED"

    @property
    def is_resumable(self) -> bool:
        """Whether its file is still there to go on with."""
        return self in {JobState.CANCELLED, JobState.INTERRUPTED}


@dataclass(frozen=True, slots=True)
class ImportJob:
    """An import. `message` says why it was refused or interrupted; `rejects_bytes` is how much of its list counts.

    `rows_before` were read by earlier runs, before `started_at`.
    """

    id: str
    file_name: str
    catalogue_format: CatalogueFormat
    show: str | None
    is_removal_allowed: bool
    size_bytes: int
    started_at: datetime
    state: JobState = JobState.RUNNING
    ended_at: datetime | None = None
    progress: ImportProgress = field(default_factory=ImportProgress)
    rows_before: int = 0
    rejects_bytes: int = 0
    held_removals: str | None = None
    message: str | None = None

    def ended(self, state: JobState, at: datetime, message: str | None = None) -> Self:
        """The same job at its end."""
        return replace(self, state=state, ended_at=at, message=message)

    def to_json(self) -> dict[str, Any]:
        """For the file and for answers; instants as text."""
        return asdict(self) | {
            "started_at": self.started_at.isoformat(),
            "ended_at": None if self.ended_at is None else self.ended_at.isoformat(),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Back again; raises KeyError, TypeError or ValueError for anything else."""
        progress = values["progress"]
        return cls(
            **values
            | {
                "catalogue_format": CatalogueFormat(values["catalogue_format"]),
                "state": JobState(values["state"]),
                "started_at": datetime.fromisoformat(values["started_at"]),
                "ended_at": None if values["ended_at"] is None else datetime.fromisoformat(values["ended_at"]),
                "progress": ImportProgress(**progress | {"taken": Taken(**progress["taken"])}),
            }
        )
