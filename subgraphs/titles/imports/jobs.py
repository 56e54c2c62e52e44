"""Imports as jobs: one at a time, each in a folder of its own, resumable after a stop or a crash.

A folder holds the file as it was sent, `job.json` (how far it is, written after each batch) and `rejects.jsonl` (every
row that was left out or put right). A batch is stored before it is counted: after a kill at any moment the last batch
may be done twice, which changes nothing, and its rejects are cut off and written again. The file is removed once the
import is done or refused. At most MAX_JOBS folders are kept, and MAX_UPLOADS files.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import orjson
import structlog

from common.clock import Clock
from common.errors import ServiceError
from subgraphs.kernel.ids import new_id
from subgraphs.titles.imports.formats import CatalogueFormat
from subgraphs.titles.imports.job import ImportJob, JobState
from subgraphs.titles.imports.rows import ImportRefused
from subgraphs.titles.imports.run import Batch, ImportRequest, import_catalogue
from subgraphs.titles.imports.threads import run_in_thread
from subgraphs.titles.ports import TitleStore
from subgraphs.titles.services.writing import CatalogueWriter

__all__ = ["LEASE_RENEWAL_S", "ImportBusy", "ImportJobs", "ImportLease", "TooLarge", "UnknownImport", "UploadStalled"]

log = structlog.get_logger(__name__)

MAX_JOBS = 20
MAX_UPLOADS = 5
"""Files that are kept of broken-off imports; older ones have to be sent again."""
PIECE_TIMEOUT_S = 60.0
MAX_REJECTS_BYTES = 256 * 1024 * 1024
"""Of one report; further rows are counted and not listed."""
MAX_REASON_LENGTH = 500
LEASE_RENEWAL_S = 20.0
INDEX_WAIT_S = 120.0
"""How long an import waits for the search index after its last row; the index goes on without it."""
CANCEL_AGAIN_S = 0.1
"""A cancellation can get lost before Python 3.12, when it arrives together with what is waited for."""
_JOB, _UPLOAD, _REJECTS = "job.json", "upload", "rejects.jsonl"
_STOPPED = (JobState.INTERRUPTED, "the titles service was stopped")


class ImportBusy(Exception):
    """Another import is running, here or in another process on the same catalogue."""


class UnknownImport(Exception):
    """There is no such import, or it can't be resumed; the message says which."""


class TooLarge(Exception):
    """The file passes the limit."""


class UploadStalled(Exception):
    """The sender fell silent."""


class ImportLease(Protocol):
    """Held by whoever imports, among all processes on one catalogue. Methods raise ConnectionError."""

    async def acquire(self) -> bool:
        """Whether it is ours now."""
        ...

    async def renew(self) -> bool:
        """Whether it is still ours."""
        ...

    async def release(self) -> None:
        """Let another have it; nothing happens when it is not ours."""
        ...


class ImportJobs:
    """The imports of one titles process. `settled` returns when what was written can be found."""

    def __init__(
        self,
        folder: Path,
        writer: CatalogueWriter,
        store: TitleStore,
        lease: ImportLease,
        *,
        clock: Clock,
        settled: Callable[[], Awaitable[None]],
        max_bytes: int,
    ) -> None:
        self._folder = folder
        self._writer = writer
        self._store = store
        self._lease = lease
        self._clock = clock
        self._settled = settled
        self.max_bytes = max_bytes
        self._busy = False
        self._running: ImportJob | None = None
        self._task: asyncio.Task[None] | None = None
        self._has_begun = asyncio.Event()
        self._stop_state, self._stop_message = _STOPPED

    async def start(
        self,
        catalogue_format: CatalogueFormat,
        pieces: AsyncIterator[bytes],
        *,
        file_name: str,
        show: str | None,
        is_removal_allowed: bool,
    ) -> ImportJob:
        """Receive a file and begin; raises ImportBusy, TooLarge, ConnectionError, and what `pieces` raises."""
        async with self._claimed():
            now = self._clock.now()
            job = ImportJob(new_id("imp", now), file_name, catalogue_format, show, is_removal_allowed, 0, now)
            folder = self._folder / job.id
            await asyncio.to_thread(self._make_folder, folder)
            try:
                job = replace(job, size_bytes=await self._receive(pieces, folder / _UPLOAD))
                await self._require_lease()
                await asyncio.to_thread(_write_job, folder, job)
            except BaseException:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                raise
            return self._launch(job)

    async def resume(self, import_id: str | None) -> ImportJob:
        """Go on with an import, the last one that was broken off where none is named.

        Raises ImportBusy, UnknownImport and ConnectionError.
        """
        async with self._claimed():
            if import_id is None:
                found = next((job for job in await self.jobs() if job.state.is_resumable), None)
                if found is None:
                    raise UnknownImport("no import was broken off; start one with a file")
            else:
                found = await self.job(import_id)
            if not found.state.is_resumable:
                raise UnknownImport(f"import {found.id} is {found.state}; only a broken-off one can be resumed")
            job = replace(
                found,
                state=JobState.RUNNING,
                started_at=self._clock.now(),
                ended_at=None,
                message=None,
                rows_before=found.progress.read,
            )
            if not await asyncio.to_thread((self._folder / job.id / _UPLOAD).exists):
                raise UnknownImport(f"the file of import {job.id} is kept no longer; send it again")
            await asyncio.to_thread(_cut_rejects, self._folder / job.id, job)
            return self._launch(job)

    async def job(self, import_id: str) -> ImportJob:
        """One import as it is now; raises UnknownImport."""
        if self._running is not None and self._running.id == import_id:
            return self._running
        job = await asyncio.to_thread(_read_job, self._folder / Path(import_id).name)
        if job is None or job.id != import_id:
            raise UnknownImport(f"there is no import {import_id[:60]!r}; the last {MAX_JOBS} are kept")
        return self._as_it_is(job)

    async def jobs(self) -> list[ImportJob]:
        """The newest first, at most MAX_JOBS."""
        return [self._as_it_is(job) for job in await asyncio.to_thread(self._read_jobs)][:MAX_JOBS]

    async def cancel(self, import_id: str) -> ImportJob:
        """End it after its batch, what is stored stays; raises UnknownImport. An ended import stays as it is."""
        job = await self.job(import_id)
        if job.state is JobState.RUNNING and self._task is not None:
            await self._stop(JobState.CANCELLED, "cancelled; what was imported before stays")
        return await self.job(import_id)

    def rejects_path(self, import_id: str) -> Path:
        """The report of an import's rows that were rejected or repaired, which need not exist."""
        return self._folder / Path(import_id).name / _REJECTS

    async def aclose(self) -> None:
        """Break off what runs; it can be resumed."""
        await self._stop(*_STOPPED)

    @contextlib.asynccontextmanager
    async def _claimed(self) -> AsyncIterator[None]:
        """Nobody else imports; given back at the block's end unless a job was launched in it."""
        if self._busy:
            raise ImportBusy("another import is running; wait for its end, or cancel it")
        self._busy = True
        try:
            if not await self._lease.acquire():
                raise ImportBusy("another titles process imports; wait for its end, or cancel it there")
            try:
                yield
            finally:
                if self._task is None:
                    await self._release()
        finally:
            self._busy = self._task is not None

    async def _require_lease(self) -> None:
        """A file that came slowly may have outlasted it."""
        if not await self._lease.renew():
            raise ImportBusy("another titles process began to import while the file was received")

    async def _release(self) -> None:
        # Of a stream that is away the lease goes by itself.
        with contextlib.suppress(ConnectionError):
            await self._lease.release()

    def _launch(self, job: ImportJob) -> ImportJob:
        self._running = job
        self._has_begun = asyncio.Event()
        self._task = asyncio.create_task(self._run(job), name=f"import {job.id}")
        return job

    async def _run(self, job: ImportJob) -> None:
        folder = self._folder / job.id
        self._has_begun.set()
        self._stop_state, self._stop_message = _STOPPED
        renewal = asyncio.create_task(self._keep_lease(), name="import lease")
        try:
            ended = await self._import(job, folder)
        except asyncio.CancelledError:
            ended = self._now(job).ended(self._stop_state, self._clock.now(), self._stop_message)
        finally:
            renewal.cancel()
        with contextlib.suppress(OSError):
            _write_job(folder, ended)
            if not ended.state.is_resumable:
                (folder / _UPLOAD).unlink(missing_ok=True)
            (folder / "seen.sqlite").unlink(missing_ok=True)
        log.info("import.ended", id=ended.id, state=ended.state, message=ended.message, **_counts(ended))
        try:
            await self._release()
        finally:
            self._running, self._task, self._busy = None, None, False

    async def _import(self, job: ImportJob, folder: Path) -> ImportJob:
        request = ImportRequest(
            folder / _UPLOAD, job.catalogue_format, folder, job.show, is_removal_allowed=job.is_removal_allowed
        )

        async def keep(batch: Batch) -> None:
            self._running = await run_in_thread(_keep_batch, folder, self._now(job), batch)

        start = job.progress if job.progress.read else None
        try:
            outcome = await import_catalogue(self._writer, self._store, request, keep, start)
        except ImportRefused as error:
            return self._now(job).ended(JobState.REFUSED, self._clock.now(), str(error))
        except ServiceError as error:
            return self._now(job).ended(JobState.INTERRUPTED, self._clock.now(), f"{error.message}; resume it later")
        except Exception:  # a task's edge: whoever follows the job is told
            log.exception("import.failed", id=job.id)
            message = "internal error, see the titles service's log; what was imported before stays"
            return self._now(job).ended(JobState.INTERRUPTED, self._clock.now(), message)
        self._running = replace(self._now(job), progress=outcome.progress, held_removals=outcome.held_removals)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(INDEX_WAIT_S):
                await self._settled()
        return self._now(job).ended(JobState.DONE, self._clock.now())

    def _now(self, job: ImportJob) -> ImportJob:
        return self._running or job

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(LEASE_RENEWAL_S)
            try:
                if await self._lease.renew():
                    continue
            except ConnectionError as error:
                log.warning("import.lease", error=str(error))
                continue
            self._stop_state = JobState.INTERRUPTED
            self._stop_message = "another process imports meanwhile; resume this one afterwards"
            if self._task is not None:
                self._task.cancel()
            return

    async def _stop(self, state: JobState, message: str) -> None:
        task = self._task
        if task is None:
            return
        # A task that is cancelled before it has begun does nothing at all, not even say so.
        await self._has_begun.wait()
        while not task.done():
            self._stop_state, self._stop_message = state, message
            task.cancel()
            await asyncio.wait([task], timeout=CANCEL_AGAIN_S)

    def _as_it_is(self, job: ImportJob) -> ImportJob:
        """A job that is written down as running and does not run was killed."""
        if self._running is not None and self._running.id == job.id:
            return self._running
        if job.state is JobState.RUNNING:
            return replace(job, state=JobState.INTERRUPTED, message="the titles service was killed")
        return job

    async def _receive(self, pieces: AsyncIterator[bytes], path: Path) -> int:
        received = 0
        with path.open("wb") as file:
            while (piece := await _next_piece(pieces)) is not None:
                received += len(piece)
                if received > self.max_bytes:
                    raise TooLarge(f"the file has more than {self.max_bytes} bytes")
                await asyncio.to_thread(file.write, piece)
        return received

    def _make_folder(self, folder: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        newest_first = sorted(self._folder.glob("imp_*"), reverse=True)
        for old in newest_first[MAX_UPLOADS - 1 :]:
            (old / _UPLOAD).unlink(missing_ok=True)
        for old in newest_first[MAX_JOBS - 1 :]:
            shutil.rmtree(old, ignore_errors=True)
        folder.mkdir()

    def _read_jobs(self) -> list[ImportJob]:
        # Ids sort by age.
        jobs = (_read_job(folder) for folder in sorted(self._folder.glob("imp_*"), reverse=True))
        return [job for job in jobs if job is not None]


async def _next_piece(pieces: AsyncIterator[bytes]) -> bytes | None:
    try:
        async with asyncio.timeout(PIECE_TIMEOUT_S):
            return await anext(pieces, None)
    except TimeoutError as error:
        raise UploadStalled(f"nothing of the file came for {PIECE_TIMEOUT_S:.0f} s; send it again") from error


def _counts(job: ImportJob) -> dict[str, int]:
    progress = job.progress
    return {
        "read": progress.read,
        "created": progress.taken.created,
        "updated": progress.taken.updated,
        "unchanged": progress.taken.unchanged,
        "matched": progress.taken.matched,
        "removed": progress.removed,
        "rejected": progress.rejected,
    }


def _keep_batch(folder: Path, job: ImportJob, batch: Batch) -> ImportJob:
    lines = b"".join(
        orjson.dumps(
            {"line": line, "outcome": outcome, "reason": reason[:MAX_REASON_LENGTH]}, option=orjson.OPT_APPEND_NEWLINE
        )
        for outcome, rows in (("rejected", batch.rejected), ("repaired", batch.repaired))
        for line, reason in rows
    )
    written = job.rejects_bytes
    if lines and written + len(lines) <= MAX_REJECTS_BYTES:
        with (folder / _REJECTS).open("ab") as file:
            file.write(lines)
        written += len(lines)
    kept = replace(job, progress=batch.progress, rejects_bytes=written)
    _write_job(folder, kept)
    return kept


def _cut_rejects(folder: Path, job: ImportJob) -> None:
    """Rows that were listed and not counted will be listed again."""
    with (folder / _REJECTS).open("ab") as file:
        file.truncate(job.rejects_bytes)


def _write_job(folder: Path, job: ImportJob) -> None:
    """Whole or not at all, also when the machine loses power."""
    beside = folder / "job.json.new"
    with beside.open("wb") as file:
        file.write(orjson.dumps(job.to_json()))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / _JOB)


def _read_job(folder: Path) -> ImportJob | None:
    try:
        return ImportJob.from_json(orjson.loads((folder / _JOB).read_bytes()))
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        log.warning("import.unreadable", folder=folder.name, error=str(error))
        return None
