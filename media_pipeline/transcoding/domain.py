"""Transcoding jobs: their states, how they change, and why they fail."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from media_pipeline.media.protection import Encryption

__all__ = [
    "FINAL_STATES",
    "AttemptSuperseded",
    "Job",
    "JobCancelled",
    "JobPriority",
    "JobState",
    "MediaRejected",
    "PublishedVariant",
    "RetryLater",
]


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "QUEUED"
    PROBING = "PROBING"
    ENCODING = "ENCODING"
    PACKAGING = "PACKAGING"
    PUBLISHING = "PUBLISHING"
    PUBLISHED = "PUBLISHED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


FINAL_STATES = frozenset({JobState.PUBLISHED, JobState.FAILED, JobState.CANCELLED})


class JobPriority(StrEnum):
    """The queue a job waits in."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class MediaRejected(Exception):
    """The file can't be used and trying again will not help. `reason` is one sentence for the uploader, no paths."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class JobCancelled(Exception):
    """Somebody asked the job to stop."""


class AttemptSuperseded(Exception):
    """Another worker has taken the job over; this one must stop without a trace."""


class RetryLater(Exception):
    """The attempt failed and another one may succeed, after `delay_s`."""

    def __init__(self, delay_s: int) -> None:
        super().__init__(f"again in {delay_s} s")
        self.delay_s = delay_s


@dataclass(frozen=True, slots=True)
class PublishedVariant:
    """Manifests of one packaged version, as object paths."""

    encryption: Encryption
    hls_path: str
    dash_path: str


@dataclass(frozen=True, slots=True)
class Job:
    """One upload on its way to being an asset. `progress_ratio` is 0 to 1; `attempt` counts from 1 once begun."""

    id: str
    title_id: str
    asset_id: str
    upload_id: str
    source_object: str
    filename: str
    priority: JobPriority
    created_at: datetime
    updated_at: datetime
    state: JobState = JobState.QUEUED
    progress_ratio: float = 0.0
    activity: str = "waiting for a worker"
    attempt: int = 0
    failure_code: str = ""
    failure_reason: str = ""
    variants: tuple[PublishedVariant, ...] = ()

    @property
    def is_final(self) -> bool:
        """Nothing changes any more."""
        return self.state in FINAL_STATES

    def step(self, now: datetime, state: JobState, activity: str, progress_ratio: float) -> Self:
        """The job one step further. Progress never falls within an attempt."""
        ratio = max(self.progress_ratio, min(1.0, progress_ratio))
        return replace(self, state=state, activity=activity, progress_ratio=ratio, updated_at=now)

    def begin(self, now: datetime, asset_id: str) -> Self:
        """The next attempt, from the start, with a fresh asset id: a dead attempt's objects are never mixed in."""
        return replace(
            self,
            asset_id=asset_id,
            attempt=self.attempt + 1,
            state=JobState.PROBING,
            activity="looking at the file",
            progress_ratio=0.0,
            updated_at=now,
        )

    def requeue(self, now: datetime, activity: str) -> Self:
        """Back to waiting after an attempt that may succeed when repeated."""
        return replace(self, state=JobState.QUEUED, activity=activity, progress_ratio=0.0, updated_at=now)

    def fail(self, now: datetime, code: str, reason: str) -> Self:
        """Failed for good."""
        return replace(
            self, state=JobState.FAILED, activity="failed", failure_code=code, failure_reason=reason, updated_at=now
        )

    def cancel(self, now: datetime) -> Self:
        """Cancelled for good."""
        return replace(self, state=JobState.CANCELLED, activity="cancelled", updated_at=now)

    def publish(self, now: datetime, variants: tuple[PublishedVariant, ...]) -> Self:
        """Published."""
        return replace(
            self,
            state=JobState.PUBLISHED,
            activity="published",
            progress_ratio=1.0,
            variants=variants,
            updated_at=now,
        )

    def to_json(self) -> str:
        """For the store; from_json reads it back."""
        fields = asdict(self)
        fields["created_at"] = self.created_at.isoformat()
        fields["updated_at"] = self.updated_at.isoformat()
        return json.dumps(fields)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what to_json wrote."""
        fields: dict[str, Any] = json.loads(text)
        fields["state"] = JobState(fields["state"])
        fields["priority"] = JobPriority(fields["priority"])
        fields["created_at"] = datetime.fromisoformat(fields["created_at"])
        fields["updated_at"] = datetime.fromisoformat(fields["updated_at"])
        fields["variants"] = tuple(
            PublishedVariant(Encryption(variant["encryption"]), variant["hls_path"], variant["dash_path"])
            for variant in fields["variants"]
        )
        return cls(**fields)
