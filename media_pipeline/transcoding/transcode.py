"""One attempt at one job: fetch, probe, plan, encode, package, publish. The worker's pipeline on one screen.

An attempt ends in exactly one way: published, failed for good (the file's fault, or no attempts left), given back to
the queue, or dropped because it was cancelled or superseded. Whatever it has stored is removed unless it was published.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from common.clock import Clock
from common.errors import ServiceError
from media_pipeline.kernel.ids import new_id
from media_pipeline.media.asset_layout import AssetLayout
from media_pipeline.transcoding.domain import AttemptSuperseded, Job, JobCancelled, JobState, MediaRejected, RetryLater
from media_pipeline.transcoding.encode import encode_tracks
from media_pipeline.transcoding.package import package_versions
from media_pipeline.transcoding.plan_encode import EncoderChoices, plan_encode
from media_pipeline.transcoding.ports import (
    AssetAnnouncements,
    AssetKeys,
    Encoder,
    EncoderFailed,
    JobStore,
    MediaProbe,
    ObjectAccess,
    Packager,
)
from media_pipeline.transcoding.publish import PublishedAsset, published_event_data, store_asset

__all__ = ["Transcoder", "TranscoderRules"]

log = structlog.get_logger(__name__)

PROBED_RATIO, ENCODED_RATIO, PACKAGED_RATIO = 0.05, 0.85, 0.92
"""How far a job is when each stage is done; encoding takes nearly all of the time."""


@dataclass(frozen=True, slots=True)
class TranscoderRules:
    """The worker's settings that an attempt depends on."""

    work_dir: Path
    choices: EncoderChoices
    max_attempts: int
    retry_delay_s: int


@dataclass(frozen=True, slots=True)
class Transcoder:
    """Runs attempts. All its parts are ports."""

    jobs: JobStore
    probe: MediaProbe
    encoder: Encoder
    packager: Packager
    keys: AssetKeys
    objects: ObjectAccess
    events: AssetAnnouncements
    clock: Clock
    rules: TranscoderRules

    async def run(self, job_id: str) -> None:
        """One attempt; raises RetryLater when another one may succeed."""
        job = await self._begin(job_id)
        if job is None:
            return
        log.info("job.started", job_id=job.id, title_id=job.title_id, attempt=job.attempt)
        folder = self._fresh_folder(job)
        asset: PublishedAsset | None = None
        try:
            asset = await self._attempt(job, folder)
            await self._mark_published(job, asset)
        except MediaRejected as error:
            log.info("job.rejected", job_id=job.id, code=error.code, reason=error.reason)
            await self._fail(job, error.code, error.reason)
        except JobCancelled:
            await self._cancel(job)
        except AttemptSuperseded:
            log.warning("job.superseded", job_id=job.id, attempt=job.attempt)
        except (EncoderFailed, ServiceError, OSError) as error:
            await self._retry_or_fail(job, error)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if asset is None:
                await self.objects.delete_prefix(AssetLayout(job.asset_id).root)

    async def _attempt(self, job: Job, folder: Path) -> PublishedAsset:
        """From the source object to the event; raises what ends an attempt."""
        source = folder / "source"
        await self.objects.download(job.source_object, source)
        facts = await self.probe.facts(source)
        plan = plan_encode(facts)
        rungs = ", ".join(f"{rendition.lines}p" for rendition in plan.video)
        tracks = await encode_tracks(
            self.encoder,
            plan,
            source,
            folder,
            choices=self.rules.choices,
            report=self._progress(job, JobState.ENCODING, f"encoding {rungs}", PROBED_RATIO, ENCODED_RATIO),
        )
        await self._step(job, JobState.PACKAGING, "cutting and encrypting segments", ENCODED_RATIO)
        packages = await package_versions(
            self.packager, self.keys, tracks, folder, asset_id=job.asset_id, title_id=job.title_id
        )
        await self._step(job, JobState.PUBLISHING, "storing", PACKAGED_RATIO)
        asset = PublishedAsset(AssetLayout(job.asset_id), tracks, packages)
        await store_asset(
            self.objects, asset, folder, self._progress(job, JobState.PUBLISHING, "storing", PACKAGED_RATIO, 1.0)
        )
        await self._step(job, JobState.PUBLISHING, "announcing", 1.0)
        # The event before the job's last state: a crash between them repeats the event, which is harmless, where the
        # other order could leave a job that says published and a catalogue that never heard of it.
        await self.events.published(published_event_data(job, asset), self.clock.now())
        return asset

    async def _mark_published(self, job: Job, asset: PublishedAsset) -> None:
        latest = await self.jobs.get(job.id) or job
        if latest.attempt == job.attempt:
            await self.jobs.save(latest.publish(self.clock.now(), asset.variants))
        log.info("job.published", job_id=job.id, asset_id=job.asset_id, seconds=asset.duration_s)

    async def _begin(self, job_id: str) -> Job | None:
        """The job in its next attempt; None when there is nothing to do."""
        known = await self.jobs.get(job_id)
        if known is None or known.is_final:
            return None
        now = self.clock.now()
        if await self.jobs.is_cancel_requested(job_id):
            await self._cancel(known)
            return None
        if known.attempt >= self.rules.max_attempts:
            await self._fail(known, "GAVE_UP", f"the file brought {known.attempt} attempts to an end; it can't be used")
            return None
        job = known.begin(now, new_id("ast", now))
        if not await self.jobs.begin(job):
            return None
        if known.attempt > 0 and known.state is not JobState.PUBLISHING:
            # A worker that died left these; after an announcement they may be on screens until the next one.
            await self.objects.delete_prefix(AssetLayout(known.asset_id).root)
        return job

    def _progress(
        self, job: Job, state: JobState, activity: str, from_ratio: float, to_ratio: float
    ) -> Callable[[float], Awaitable[None]]:
        """A stage's own 0 to 1 as a step of the job."""

        async def report(ratio: float) -> None:
            await self._step(job, state, activity, from_ratio + (to_ratio - from_ratio) * min(1.0, ratio))

        return report

    async def _step(self, job: Job, state: JobState, activity: str, ratio: float) -> None:
        """Store how far the attempt is; raises JobCancelled or AttemptSuperseded when it must stop."""
        if await self.jobs.is_cancel_requested(job.id):
            raise JobCancelled
        latest = await self.jobs.get(job.id) or job
        if latest.attempt != job.attempt or not await self.jobs.save(
            latest.step(self.clock.now(), state, activity, ratio)
        ):
            raise AttemptSuperseded

    async def _retry_or_fail(self, job: Job, error: Exception) -> None:
        log.warning("job.attempt_failed", job_id=job.id, attempt=job.attempt, error=str(error))
        if job.attempt >= self.rules.max_attempts:
            await self._fail(job, "GAVE_UP", f"transcoding failed {job.attempt} times; ask the operator for the reason")
            return
        if await self.jobs.save(job.requeue(self.clock.now(), f"attempt {job.attempt} failed, waiting to try again")):
            raise RetryLater(self.rules.retry_delay_s) from error

    async def _fail(self, job: Job, code: str, reason: str) -> None:
        now = self.clock.now()
        if await self.jobs.save(job.fail(now, code, reason)):
            await self.events.failed(job.title_id, job.upload_id, code, reason, now)

    async def _cancel(self, job: Job) -> None:
        now = self.clock.now()
        if await self.jobs.save(job.cancel(now)):
            await self.events.failed(job.title_id, job.upload_id, "CANCELLED", "the transcoding was cancelled", now)

    def _fresh_folder(self, job: Job) -> Path:
        """An empty folder for this attempt; what earlier attempts of the job left behind here is removed."""
        self.rules.work_dir.mkdir(parents=True, exist_ok=True)
        for leftover in self.rules.work_dir.glob(f"{job.id}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        folder = (self.rules.work_dir / f"{job.id}-{job.attempt}").resolve()
        folder.mkdir(mode=0o700)
        return folder
