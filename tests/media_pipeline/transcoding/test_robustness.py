"""Odd, damaged and hostile files: each gives a playable asset or a refusal with a reason, and nothing else."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from common.clock import FakeClock
from media_pipeline.transcoding.adapters.media_programs import FfmpegEncoder, FfprobeProbe, ShakaPackager
from media_pipeline.transcoding.domain import Job, JobState
from media_pipeline.transcoding.plan_encode import EncoderChoices
from media_pipeline.transcoding.transcode import Transcoder, TranscoderRules
from tests.support.transcoding_parts import NOW, Announcements, FixedKeys, FolderObjects, MemoryJobs, queued_job

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "data" / "media" / "robustness"
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


async def transcode(source: Path, tmp_path: Path) -> tuple[Job, Announcements, list[str]]:
    jobs, events = MemoryJobs(queued_job(source.name)), Announcements()
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
    await transcoder.run(jobs.job.id)
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
