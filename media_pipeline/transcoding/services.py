"""The transcoding service's use cases: create, read, watch and cancel jobs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from common.clock import Clock
from common.errors import ErrorKind, ServiceError
from media_pipeline.kernel.ids import new_id
from media_pipeline.transcoding.domain import Job, JobPriority
from media_pipeline.transcoding.ports import AssetAnnouncements, JobQueue, JobStore

__all__ = ["JobPage", "JobRequest", "Jobs"]

MAX_PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 20
WATCH_INTERVAL_S = 0.3
MAX_ID_CHARACTERS = 128
MAX_FILENAME_CHARACTERS = 255
_SOURCE_OBJECT = re.compile(r"^uploads/[A-Za-z0-9_-]{1,64}$")
_JOB_ID = re.compile(r"^job_[0-9a-z]{26}$")


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What to transcode."""

    upload_id: str
    source_object: str
    title_id: str
    filename: str
    priority: JobPriority


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, newest first; `next_token` is empty on the last page."""

    jobs: tuple[Job, ...]
    next_token: str


class Jobs:
    """The use cases over the ports."""

    def __init__(self, store: JobStore, queue: JobQueue, events: AssetAnnouncements, clock: Clock) -> None:
        self._store = store
        self._queue = queue
        self._events = events
        self._clock = clock

    async def create(self, request: JobRequest) -> Job:
        """Queue an upload; the same upload gives the same job. Raises ServiceError INVALID_ARGUMENT."""
        for name, value in (("upload_id", request.upload_id), ("title_id", request.title_id)):
            if not 1 <= len(value) <= MAX_ID_CHARACTERS:
                raise ServiceError(
                    ErrorKind.INVALID_ARGUMENT, f"{name} has {len(value)} characters, wanted 1 to {MAX_ID_CHARACTERS}"
                )
        if not _SOURCE_OBJECT.fullmatch(request.source_object):
            raise ServiceError(
                ErrorKind.INVALID_ARGUMENT,
                f"source_object {request.source_object[:100]!r} is no upload; wanted uploads/<upload id>",
            )
        now = self._clock.now()
        job = await self._store.create(
            Job(
                id=new_id("job", now),
                title_id=request.title_id,
                asset_id=new_id("ast", now),
                upload_id=request.upload_id,
                source_object=request.source_object,
                filename=request.filename[:MAX_FILENAME_CHARACTERS],
                priority=request.priority,
                created_at=now,
                updated_at=now,
            )
        )
        if job.attempt == 0 and not job.is_final:
            # Also for a job that was known: the caller before may have died between storing and queuing.
            await self._queue.enqueue(job)
        return job

    async def get(self, job_id: str) -> Job:
        """One job; raises ServiceError NOT_FOUND."""
        job = await self._store.get(job_id) if _JOB_ID.fullmatch(job_id) else None
        if job is None:
            raise ServiceError(ErrorKind.NOT_FOUND, f"there is no job {job_id[:64]!r}")
        return job

    async def page(self, page_size: int, page_token: str, title_id: str) -> JobPage:
        """A page of jobs; raises ServiceError INVALID_ARGUMENT for a size or token that can't be."""
        limit = page_size or DEFAULT_PAGE_SIZE
        if limit > MAX_PAGE_SIZE:
            raise ServiceError(
                ErrorKind.INVALID_ARGUMENT, f"page_size is {page_size}, at most {MAX_PAGE_SIZE} are given"
            )
        if page_token and not _JOB_ID.fullmatch(page_token):
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, "page_token is not one of ours; use the last answer's")
        jobs = await self._store.page(before=page_token or None, limit=limit + 1, title_id=title_id or None)
        shown = tuple(jobs[:limit])
        return JobPage(shown, shown[-1].id if len(jobs) > limit else "")

    async def watch(self, job_id: str) -> AsyncIterator[Job]:
        """The job now and after each change, until it is final; raises ServiceError NOT_FOUND."""
        shown: Job | None = None
        while True:
            job = await self.get(job_id)
            if shown is None or replace(job, updated_at=shown.updated_at) != shown:
                yield job
                shown = job
            if job.is_final:
                return
            await asyncio.sleep(WATCH_INTERVAL_S)

    async def cancel(self, job_id: str) -> Job:
        """Ask a job to stop; one that waits stops at once, one that runs at its next step."""
        job = await self.get(job_id)
        if job.is_final:
            return job
        await self._store.request_cancel(job_id)
        now = self._clock.now()
        if job.attempt == 0 and await self._store.save(job.cancel(now)):
            await self._events.failed(job.title_id, job.upload_id, "CANCELLED", "the transcoding was cancelled", now)
        return await self.get(job_id)
