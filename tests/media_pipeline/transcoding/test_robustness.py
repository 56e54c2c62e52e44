"""Odd, damaged and hostile files: each gives a playable asset or a refusal with a reason, and nothing else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from common.clock import FakeClock
from media_pipeline.media.protection import ContentKey, KeyClass
from media_pipeline.transcoding.adapters.media_programs import FfmpegEncoder, FfprobeProbe, ShakaPackager
from media_pipeline.transcoding.domain import Job, JobPriority, JobState
from media_pipeline.transcoding.plan_encode import EncoderChoices
from media_pipeline.transcoding.transcode import Transcoder, TranscoderRules

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "data" / "media" / "robustness"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LARGE = {
    "8k24fps_300ms.mp4",
    "internal_emulator_transformer_output_270_rotated.mp4",
    "sample_fragmented_seekable_multiple_sidx.mp4",
    "edit_list_positive_shift.mp4",
    "trim_optimization_failure.mp4",
    "bbb_800x640_768kbps_30fps_avc_2b_firstpts_10_sec.mp4",
    "bbb_800x640_768kbps_30fps_avc_pyramid_3b.mp4",
}
"""Right results too, but seconds to minutes of encoding each: with MARQUEE_TEST_ALL_FILES=1."""


@dataclass
class MemoryJobs:
    """The job store's rules without a server."""

    job: Job

    async def create(self, job: Job) -> Job:
        return job

    async def get(self, job_id: str) -> Job:
        return self.job

    async def page(self, *, before: str | None, limit: int, title_id: str | None) -> Sequence[Job]:
        return [self.job]

    async def save(self, job: Job) -> bool:
        if self.job.is_final or job.attempt != self.job.attempt:
            return False
        self.job = job
        return True

    async def begin(self, job: Job) -> bool:
        self.job = job
        return True

    async def request_cancel(self, job_id: str) -> None:
        raise NotImplementedError

    async def is_cancel_requested(self, job_id: str) -> bool:
        return False


@dataclass
class FolderObjects:
    """The object store as a folder."""

    source: Path
    folder: Path

    async def download(self, source_object: str, target: Path) -> None:
        await asyncio.to_thread(target.write_bytes, await asyncio.to_thread(self.source.read_bytes))

    async def upload(self, folder: Path, prefix: str, names: Sequence[str]) -> None:
        for name in names:
            assert (folder / name).stat().st_size > 0
            (self.folder / f"{prefix}/{name}".replace("/", "_")).touch()

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


async def transcode(source: Path, tmp_path: Path) -> tuple[Job, Announcements, list[str]]:
    job = Job("job_1", "mov_1", "ast_0", "up_1", "uploads/up_1", source.name, JobPriority.NORMAL, NOW, NOW)
    jobs, events = MemoryJobs(job), Announcements()
    objects = tmp_path / "objects"
    await asyncio.to_thread(objects.mkdir)
    transcoder = Transcoder(
        jobs=jobs,
        probe=FfprobeProbe(),
        encoder=FfmpegEncoder(stall_s=60, niceness=5),
        packager=ShakaPackager(niceness=5),
        keys=FixedKeys(),
        objects=FolderObjects(source, objects),
        events=events,
        clock=FakeClock(NOW),
        rules=TranscoderRules(tmp_path / "work", EncoderChoices("ultrafast", 2), max_attempts=1, retry_delay_s=0),
    )
    await transcoder.run(job.id)
    return jobs.job, events, [path.name for path in await asyncio.to_thread(lambda: list(objects.iterdir()))]


def corpus() -> list[Path]:
    if not CORPUS.is_dir():
        return []
    left_out = set() if os.environ.get("MARQUEE_TEST_ALL_FILES") else LARGE
    return sorted(path for path in CORPUS.rglob("*") if path.is_file() and path.name not in left_out)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"the robustness corpus is not at {CORPUS}")
@pytest.mark.parametrize("source", corpus(), ids=lambda path: path.name)
async def test_every_file_is_published_whole_or_refused_with_a_reason(source: Path, tmp_path: Path):
    job, events, objects = await transcode(source, tmp_path)
    [(what, data)] = events.heard
    if job.state is JobState.PUBLISHED:
        assert what == "published"
        assert {name.rpartition("_")[2] for name in objects} >= {"master.m3u8", "manifest.mpd", "poster.jpg"}
        assert data["durationSeconds"] > 0
    else:
        assert (job.state, what) == (JobState.FAILED, "failed")
        # the file's fault, found at once: nothing that another attempt or an operator would have to look at
        assert data[0] != "GAVE_UP"
        assert "/" not in job.failure_reason
        assert objects == []
