"""The queue of jobs on streaq: leases renewed while a job runs, a dead worker's job taken over, three priorities."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from anyio import TASK_STATUS_IGNORED, CancelScope, CapacityLimiter
from anyio.abc import TaskStatus
from anyio.streams.memory import MemoryObjectReceiveStream
from coredis.exceptions import RedisError
from redis.asyncio import Redis
from streaq import Worker
from streaq.constants import REDIS_HEALTH, REDIS_PREFIX
from streaq.types import StreamMessage, StreaqRetry

from common.errors import ErrorKind, ServiceError
from media_pipeline.transcoding.domain import Job, JobPriority, RetryLater

__all__ = ["StreaqJobQueue", "is_working", "work_on_queue"]

log = structlog.get_logger(__name__)

QUEUE_NAME = "transcoding"
TASK_NAME = "transcode"
ENQUEUE_TIMEOUT_S = 3.0
UNEXPECTED_RETRY_S = 5
SHUTDOWN_RETRY_S = 1
"""Long enough that the worker that gives a job back does not take it again."""


class StreaqJobQueue:
    """The port on Valkey. It connects for each job: uploads are rare, and nothing has to be up before us."""

    def __init__(self, valkey_url: str) -> None:
        self._valkey_url = valkey_url

    async def enqueue(self, job: Job) -> None:
        """Queue a job under its own id, so that queuing it twice is harmless; raises ServiceError UNAVAILABLE."""
        try:
            async with asyncio.timeout(ENQUEUE_TIMEOUT_S), _new_worker(self._valkey_url, lease_s=60.0) as worker:
                task = worker.enqueue_unsafe(TASK_NAME, job.id).start(priority=job.priority.value)
                task.id = job.id
                await task
        except* (RedisError, OSError, TimeoutError) as errors:
            raise ServiceError(ErrorKind.UNAVAILABLE, "the job queue is away; try again") from errors


async def work_on_queue(
    valkey_url: str, run_job: Callable[[str], Awaitable[None]], *, concurrency: int, lease_s: float
) -> None:
    """Run jobs until cancelled; running ones are cancelled too and go back to the queue.

    `run_job` gets a job's id and may raise RetryLater; anything else that it raises is logged and the job repeated.
    """
    worker = _new_worker(valkey_url, lease_s=lease_s, concurrency=concurrency)
    running: set[asyncio.Task[None]] = set()
    stopping = asyncio.Event()

    @worker.task(name=TASK_NAME, max_tries=None, ttl=0, silent=True)
    async def transcode(job_id: str) -> None:
        if stopping.is_set():
            raise StreaqRetry("the worker is shutting down", delay=SHUTDOWN_RETRY_S)
        # A task of its own: the queue shields what it runs, and shutting down must reach the encoder.
        task = asyncio.ensure_future(run_job(job_id))
        running.add(task)
        try:
            await task
        except RetryLater as error:
            raise StreaqRetry(str(error), delay=error.delay_s) from error
        except asyncio.CancelledError:
            raise StreaqRetry("the worker is shutting down", delay=SHUTDOWN_RETRY_S) from None
        except Exception as error:
            # The task's edge. The job counts its attempts, so this ends; losing the job would leave it waiting for
            # ever.
            log.exception("worker.job_failed_inside", job_id=job_id)
            raise StreaqRetry("the attempt broke", delay=UNEXPECTED_RETRY_S) from error
        finally:
            running.discard(task)

    serving = asyncio.create_task(worker.run_async(), name="transcoding queue")
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        stopping.set()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        raise


async def is_working(redis: Redis, host: str) -> bool:
    """Whether a worker on this host has said within its lease that it is alive."""
    alive = redis.scan_iter(match=f"{REDIS_PREFIX}{QUEUE_NAME}{REDIS_HEALTH}:{host}-*", count=1_000)
    return await anext(aiter(alive), None) is not None


class _EmbeddedWorker(Worker[None]):
    """The library's worker as a part of a process that has its own ideas of ending."""

    async def signal_handler(self, scope: CancelScope) -> None:
        """Leave signals to the process.

        The library takes SIGTERM for itself whatever its settings say; the process, which cancels our task then,
        would never hear of it.
        """

    async def run_consumers(
        self,
        receive: MemoryObjectReceiveStream[StreamMessage],
        renew_scope: CancelScope,
        produce_scope: CancelScope,
        *,
        task_status: TaskStatus[CapacityLimiter] = TASK_STATUS_IGNORED,
    ) -> None:
        """As the library does, and close the stream, of which it closes only the copies."""
        with receive:
            await super().run_consumers(receive, renew_scope, produce_scope, task_status=task_status)


def _new_worker(valkey_url: str, *, lease_s: float, concurrency: int = 1) -> Worker[None]:
    return _EmbeddedWorker(
        redis_url=valkey_url,
        concurrency=concurrency,
        queue_name=QUEUE_NAME,
        priorities=[priority.value for priority in JobPriority],
        # a waiting job is better with another worker than in this one's pocket
        prefetch=1,
        serializer=json.dumps,
        deserializer=json.loads,
        idle_timeout=lease_s,
        # Its sign of life is found by the host's name.
        id=f"{socket.gethostname()}-{secrets.token_hex(4)}",
    )
