"""The queue between service and workers, on a real Valkey: nothing is lost when a worker stops."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from media_pipeline.transcoding.adapters.job_queue import open_job_queue, work_on_queue
from media_pipeline.transcoding.domain import Job, JobPriority, RetryLater

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def job(number: int, priority: JobPriority = JobPriority.NORMAL) -> Job:
    return Job(f"job_{number}", "mov", "ast", f"up_{number}", "uploads/up", "", priority, NOW, NOW)


async def enqueue(valkey_url: str, *jobs: Job) -> None:
    redis = Redis.from_url(valkey_url)
    await redis.flushall()
    await redis.aclose()
    async with open_job_queue(valkey_url) as queue:
        for item in jobs:
            await queue.enqueue(item)


async def work_until(
    valkey_url: str, run_job: Callable[[str], Awaitable[None]], done: asyncio.Event, timeout_s: float = 20
) -> None:
    task = asyncio.create_task(work_on_queue(valkey_url, run_job, concurrency=1, lease_s=3))
    try:
        async with asyncio.timeout(timeout_s):
            await done.wait()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_stopped_workers_job_goes_to_another(valkey_url: str):
    """Stopping cancels the running job, so that its programs end, and gives it back."""
    await enqueue(valkey_url, job(1))
    started, cancelled, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def never_ends(job_id: str) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def ends(job_id: str) -> None:
        assert job_id == "job_1"
        finished.set()

    await work_until(valkey_url, never_ends, started)
    assert cancelled.is_set()
    await work_until(valkey_url, ends, finished)


@pytest.mark.parametrize("error", [RetryLater(0), RuntimeError("unforeseen")], ids=["retry", "unforeseen"])
async def test_a_failed_attempt_is_repeated(valkey_url: str, error: Exception, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("media_pipeline.transcoding.adapters.job_queue.UNEXPECTED_RETRY_S", 0)
    await enqueue(valkey_url, job(1))
    runs, again = [], asyncio.Event()

    async def fails_once(job_id: str) -> None:
        runs.append(job_id)
        if len(runs) == 1:
            raise error
        again.set()

    await work_until(valkey_url, fails_once, again)
    assert runs == ["job_1", "job_1"]


async def test_a_job_queued_twice_runs_once_and_urgent_ones_first(valkey_url: str):
    await enqueue(
        valkey_url, job(1, JobPriority.LOW), job(1, JobPriority.LOW), job(2, JobPriority.LOW), job(3, JobPriority.HIGH)
    )
    runs, all_done = [], asyncio.Event()

    async def note(job_id: str) -> None:
        runs.append(job_id)
        if set(runs) == {"job_1", "job_2", "job_3"}:
            all_done.set()

    await work_until(valkey_url, note, all_done)
    assert sorted(runs) == ["job_1", "job_2", "job_3"]
    assert runs[0] == "job_3"


async def test_signals_are_left_to_the_process(valkey_url: str):
    before = signal.getsignal(signal.SIGTERM)
    during: list[object] = []
    await enqueue(valkey_url, job(1))
    done = asyncio.Event()

    async def look(job_id: str) -> None:
        during.append(signal.getsignal(signal.SIGTERM))
        done.set()

    await work_until(valkey_url, look, done)
    assert during == [before]
