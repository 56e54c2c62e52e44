"""Transcoding's ports in memory, so that a worker's attempt is tested without servers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from media_pipeline.media.protection import ContentKey, KeyClass
from media_pipeline.transcoding.domain import Job, JobPriority

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def queued_job(filename: str = "film.mp4") -> Job:
    return Job("job_1", "mov_1", "ast_0", "up_1", "uploads/up_1", filename, JobPriority.NORMAL, NOW, NOW)


@dataclass
class MemoryJobs:
    """The job store's rules without a server."""

    job: Job
    cancel_requested: bool = False

    async def create(self, job: Job) -> Job:
        return job

    async def get(self, job_id: str) -> Job | None:
        return self.job if job_id == self.job.id else None

    async def page(self, *, before: str | None, limit: int, title_id: str | None) -> Sequence[Job]:
        return [self.job]

    async def save(self, job: Job) -> bool:
        if self.job.is_final or job.attempt != self.job.attempt:
            return False
        self.job = job
        return True

    async def begin(self, job: Job) -> bool:
        if self.job.is_final or job.attempt != self.job.attempt + 1:
            return False
        self.job = job
        return True

    async def request_cancel(self, job_id: str) -> None:
        self.cancel_requested = True

    async def is_cancel_requested(self, job_id: str) -> bool:
        return self.cancel_requested


@dataclass
class FolderObjects:
    """The object store as a folder of flat names; `fails_after` puts it out of order after so many files."""

    source: Path
    folder: Path
    fails_after: int | None = None
    stored_count: int = 0
    contents: dict[str, bytes] = field(default_factory=dict)

    async def download(self, source_object: str, target: Path) -> None:
        await asyncio.to_thread(target.write_bytes, await asyncio.to_thread(self.source.read_bytes))

    async def upload(self, folder: Path, prefix: str, names: Sequence[str]) -> None:
        for name in names:
            if self.fails_after is not None and self.stored_count >= self.fails_after:
                raise OSError("the store is full")
            assert (folder / name).stat().st_size > 0
            (self.folder / f"{prefix}/{name}".replace("/", "_")).touch()
            self.contents[f"{prefix}/{name}"] = (folder / name).read_bytes()
            self.stored_count += 1

    async def delete_prefix(self, prefix: str) -> None:
        for path in self.folder.glob(f"{prefix.replace('/', '_')}*"):
            path.unlink()


@dataclass
class Announcements:
    """What other services hear."""

    heard: list[tuple[str, Any]] = field(default_factory=list)

    async def published(self, data: Mapping[str, Any], now: datetime) -> None:
        self.heard.append(("published", data))

    async def failed(self, title_id: str, upload_id: str, code: str, reason: str, now: datetime) -> None:
        self.heard.append(("failed", (code, reason)))


class FixedKeys:
    """One key per class."""

    async def ensure(self, asset_id: str, title_id: str, key_classes: Any) -> list[ContentKey]:
        return [
            ContentKey(bytes([number + 1]) * 16, b"k" * 16, key_class)
            for number, key_class in enumerate(KeyClass)
            if key_class in key_classes
        ]
