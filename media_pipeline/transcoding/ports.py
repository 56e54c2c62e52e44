"""What transcoding needs from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from media_pipeline.media.protection import ContentKey, KeyClass
from media_pipeline.transcoding.domain import Job
from media_pipeline.transcoding.source_facts import SourceFacts

__all__ = [
    "AssetAnnouncements",
    "AssetKeys",
    "Encoder",
    "JobQueue",
    "JobStore",
    "MediaProbe",
    "ObjectAccess",
    "Packager",
    "ProgressReport",
]

ProgressReport = Callable[[float], Awaitable[None]]
"""Called with seconds of film done; may raise JobCancelled or AttemptSuperseded, which end the work."""


class JobStore(Protocol):
    """Jobs, durable when a method returns."""

    async def create(self, job: Job) -> Job:
        """Store a new job; when its upload has one already, that one is returned instead."""
        ...

    async def get(self, job_id: str) -> Job | None:
        """One job; None when there is none."""
        ...

    async def page(self, *, before: str | None, limit: int, title_id: str | None) -> Sequence[Job]:
        """Jobs newest first, after the job `before` (an id) in that order."""
        ...

    async def save(self, job: Job) -> bool:
        """Replace a job unless it is final or another attempt has taken it over; says whether it was replaced."""
        ...

    async def begin(self, job: Job) -> bool:
        """As save, for the first step of a new attempt: false when another attempt began meanwhile."""
        ...

    async def request_cancel(self, job_id: str) -> None:
        """Note that somebody asked the job to stop."""
        ...

    async def is_cancel_requested(self, job_id: str) -> bool:
        """Whether somebody asked the job to stop."""
        ...


class JobQueue(Protocol):
    """Hands jobs to workers, at least once."""

    async def enqueue(self, job: Job) -> None:
        """Queue a job by its id; twice is harmless."""
        ...


class MediaProbe(Protocol):
    """Looks at a local file."""

    async def facts(self, source: Path) -> SourceFacts:
        """What it is; raises MediaRejected."""
        ...


class Encoder(Protocol):
    """Runs ffmpeg."""

    async def run(self, arguments: Sequence[str], *, report: ProgressReport | None, timeout_s: float) -> None:
        """Run to the end; raises EncoderFailed with what it said, and whatever `report` raises."""
        ...


class EncoderFailed(Exception):
    """A program ended with an error; the text is its own last words. `blames_input`: it read the file and gave up."""

    def __init__(self, message: str, *, blames_input: bool) -> None:
        super().__init__(message)
        self.blames_input = blames_input


class Packager(Protocol):
    """Runs the packager."""

    async def run(self, arguments: Sequence[str], *, working_folder: Path, secret_flags: str, timeout_s: float) -> None:
        """Run to the end in a folder; `secret_flags` go by a private file, never by the command line."""
        ...


class AssetKeys(Protocol):
    """Content keys, from the licensing service."""

    async def ensure(self, asset_id: str, title_id: str, key_classes: Collection[KeyClass]) -> list[ContentKey]:
        """One key per class; raises ServiceError."""
        ...


class ObjectAccess(Protocol):
    """The object store, as files of a worker."""

    async def download(self, source_object: str, target: Path) -> None:
        """Fetch a source, joined from its parts; raises FileNotFoundError when it is gone."""
        ...

    async def upload(self, folder: Path, prefix: str, names: Sequence[str]) -> None:
        """Store files of a folder (names relative to it) below a prefix, in the order given."""
        ...

    async def delete_prefix(self, prefix: str) -> None:
        """Remove everything below a prefix; what is not there is no error."""
        ...


class AssetAnnouncements(Protocol):
    """Tells the other services; at least once."""

    async def published(self, data: Mapping[str, Any], now: datetime) -> None:
        """An asset is whole and playable."""
        ...

    async def failed(self, title_id: str, upload_id: str, code: str, reason: str, now: datetime) -> None:
        """An upload will not become an asset."""
        ...
