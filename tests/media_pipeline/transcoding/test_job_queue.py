"""The queue between service and workers, on a real Valkey: nothing is lost when a worker stops."""

from __future__ import annotations

import asyncio
import gc
import signal
import warnings
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from common.errors import ErrorKind, ServiceError
from media_pipeline.transcoding.adapters.job_queue import StreaqJobQueue, work_on_queue
from media_pipeline.transcoding.domain import Job, JobPriority, RetryLater

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def job(number: int, priority: JobPriority = JobPriority.NORMAL) -> Job:
    return Job(f"job_{number}", "mov", "ast", f"up_{number}", "uploads/up", "", priority, NOW, NOW)


async def enqueue(valkey_url: str, *jobs: Job) -> None:
    redis = Redis.from_url(valkey_url)
    await redis.flushall()
    await redis.aclose()
    queue = StreaqJobQueue(valkey_url)
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


async def test_a_queue_that_is_away_is_said_to_be():
    kind = None
    try:
        await StreaqJobQueue("redis://127.0.0.1:1/0").enqueue(job(1))
    except ServiceError as refused:
        kind = refused.kind
    assert kind is ErrorKind.UNAVAILABLE
    with warnings.catch_warnings():
        # the client library leaves streams of a connection that failed; collected here, they fail no other test
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
