"""Jobs in a real Valkey: created once per upload, fenced by attempt, final when final."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from common.clock import FakeClock
from common.errors import ErrorKind, ServiceError
from media_pipeline.media.protection import Encryption
from media_pipeline.transcoding.adapters.valkey_jobs import ValkeyJobStore
from media_pipeline.transcoding.domain import Job, JobPriority, JobState, PublishedVariant
from media_pipeline.transcoding.services import JobRequest, Jobs

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Queue:
    """What was queued."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    async def enqueue(self, job: Job) -> None:
        self.ids.append(job.id)


class Events:
    """What was told."""

    def __init__(self) -> None:
        self.codes: list[str] = []

    async def published(self, data: Any, now: datetime) -> None:
        raise NotImplementedError

    async def failed(self, title_id: str, upload_id: str, code: str, reason: str, now: datetime) -> None:
        self.codes.append(code)


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    redis = Redis.from_url(valkey_url)
    await redis.flushall()
    yield redis
    await redis.aclose()


@pytest.fixture
def store(redis: Redis) -> ValkeyJobStore:
    return ValkeyJobStore(redis)


class Service:
    """The use cases with what they lean on."""

    def __init__(self, store: ValkeyJobStore) -> None:
        self.clock, self.queue, self.events, self.store = FakeClock(NOW), Queue(), Events(), store
        self.jobs = Jobs(store, self.queue, self.events, self.clock)

    async def create(self, number: int = 1, title_id: str = "mov_1") -> Job:
        self.clock.advance(timedelta(seconds=1))
        return await self.jobs.create(
            JobRequest(f"up_{number}", f"uploads/up_{number}", title_id, "a.mp4", JobPriority.NORMAL)
        )


@pytest.fixture
def service(store: ValkeyJobStore) -> Service:
    return Service(store)


def test_a_job_survives_its_text():
    job = Job("job_1", "mov", "ast", "up", "uploads/up", "Ü.mp4", JobPriority.HIGH, NOW, NOW)
    published = job.begin(NOW, "ast_2").publish(NOW, (PublishedVariant(Encryption.CLEAR, "a", "b"),))
    for value in (job, published, job.fail(NOW, "CODE", "reason"), job.cancel(NOW)):
        assert Job.from_json(value.to_json()) == value


def test_progress_never_falls_within_an_attempt():
    job = Job("job_1", "mov", "ast", "up", "uploads/up", "", JobPriority.LOW, NOW, NOW).begin(NOW, "ast_2")
    ratios = [(job := job.step(NOW, JobState.ENCODING, "", ratio)).progress_ratio for ratio in (0.1, 0.5, 0.3, 2.0)]
    assert ratios == [0.1, 0.5, 0.5, 1.0]
    assert job.begin(NOW, "ast_3").progress_ratio == 0


async def test_an_upload_has_one_job(service: Service):
    first, again = await service.create(), await service.create()
    assert again == first
    assert service.queue.ids == [first.id, first.id]
    assert [job.id for job in (await service.jobs.page(0, "", "")).jobs] == [first.id]


async def test_a_worker_that_was_taken_for_dead_can_write_nothing(service: Service, store: ValkeyJobStore):
    """Its attempt is old: neither progress nor publication of it is taken."""
    job = await service.create()
    first = job.begin(NOW, "ast_a")
    assert await store.begin(first)
    assert not await store.begin(replace(first, asset_id="ast_b"))
    second = first.begin(NOW, "ast_c")
    assert await store.begin(second)
    assert not await store.save(first.step(NOW, JobState.ENCODING, "zombie", 0.9))
    assert not await store.save(first.publish(NOW, ()))
    assert await store.save(second.publish(NOW, ()))
    assert not await store.save(second.fail(NOW, "LATE", "late"))
    stored = await store.get(job.id)
    assert stored is not None
    assert (stored.asset_id, stored.state) == ("ast_c", JobState.PUBLISHED)


async def test_pages_are_newest_first_bounded_and_complete(service: Service):
    made = [(await service.create(number, "mov_a" if number % 2 else "mov_b")).id for number in range(25)]
    seen: list[str] = []
    page_token = ""
    while True:
        page = await service.jobs.page(10, page_token, "")
        seen += [job.id for job in page.jobs]
        page_token = page.next_token
        if not page_token:
            break
    assert seen == list(reversed(made))
    assert [job.title_id for job in (await service.jobs.page(100, "", "mov_a")).jobs] == ["mov_a"] * 12
    with pytest.raises(ServiceError, match="at most 100"):
        await service.jobs.page(101, "", "")
    with pytest.raises(ServiceError, match="page_token"):
        await service.jobs.page(0, "nonsense", "")


async def test_a_waiting_job_is_cancelled_at_once_and_told(service: Service):
    job = await service.create()
    assert (await service.jobs.cancel(job.id)).state is JobState.CANCELLED
    assert (await service.jobs.cancel(job.id)).state is JobState.CANCELLED
    assert service.events.codes == ["CANCELLED"]


async def test_a_running_job_is_asked_to_stop(service: Service, store: ValkeyJobStore):
    job = await service.create()
    await store.begin(job.begin(NOW, "ast_a"))
    assert (await service.jobs.cancel(job.id)).state is JobState.PROBING
    assert await store.is_cancel_requested(job.id)


@pytest.mark.parametrize(
    "request_",
    [
        JobRequest("", "uploads/up_1", "mov", "", JobPriority.LOW),
        JobRequest("up_1", "uploads/up_1", "", "", JobPriority.LOW),
        JobRequest("up_1", "keys/master.key", "mov", "", JobPriority.LOW),
        JobRequest("up_1", "uploads/../keys", "mov", "", JobPriority.LOW),
        JobRequest("up_1", "uploads/up_1/parts", "mov", "", JobPriority.LOW),
    ],
)
async def test_jobs_that_cannot_be_are_refused(service: Service, request_: JobRequest):
    with pytest.raises(ServiceError) as refused:
        await service.jobs.create(request_)
    assert refused.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize("job_id", ["", "job_1", "../x", "job_01jg8k5zzzzzzzzzzzzzzzzzzz"])
async def test_unknown_jobs_are_not_found(service: Service, job_id: str):
    with pytest.raises(ServiceError) as refused:
        await service.jobs.get(job_id)
    assert refused.value.kind is ErrorKind.NOT_FOUND
