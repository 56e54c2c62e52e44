"""Jobs in Valkey: one hash per job, one index by time, one by upload. Changes are fenced by attempt.

A worker that was taken for dead may come back: its attempt number is then old, and the script below refuses whatever
it writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from redis.asyncio import Redis

from media_pipeline.kernel.valkey import valkey_errors
from media_pipeline.transcoding.domain import FINAL_STATES, Job

__all__ = ["ValkeyJobStore"]

STORE = "the job store"
INDEX_KEY = "marquee:jobs:by-id"
"""A sorted set with equal scores: ids sort by time, so lexical order is order of creation."""
UPLOADS_KEY = "marquee:jobs:by-upload"
SCAN_BATCH = 100
MAX_SCANNED = 2000
"""A page filtered by title looks at this many jobs at most; older ones need another page."""

_SAVE = """
local attempt = tonumber(redis.call('HGET', KEYS[1], 'attempt') or '-1')
local state = redis.call('HGET', KEYS[1], 'state')
if attempt ~= tonumber(ARGV[1]) then return 0 end
if string.find(ARGV[5], '|' .. state .. '|', 1, true) then return 0 end
redis.call('HSET', KEYS[1], 'attempt', ARGV[2], 'state', ARGV[3], 'job', ARGV[4])
return 1
"""

_CREATE = """
local known = redis.call('HGET', KEYS[2], ARGV[1])
if known then return known end
redis.call('HSET', KEYS[1], 'attempt', 0, 'state', ARGV[3], 'job', ARGV[4])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], 0, ARGV[2])
return ARGV[2]
"""

_FINAL = "".join(f"|{state.value}|" for state in sorted(FINAL_STATES))


def _job_key(job_id: str) -> str:
    return f"marquee:jobs:{job_id}"


class ValkeyJobStore:
    """The port on a Redis client."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def create(self, job: Job) -> Job:
        """Store a new job, or return the one that its upload has already."""
        keys = [_job_key(job.id), UPLOADS_KEY, INDEX_KEY]
        arguments = [job.upload_id, job.id, job.state.value, job.to_json()]
        with valkey_errors(STORE):
            stored_id = _text(await cast("Any", self._redis.eval(_CREATE, len(keys), *keys, *arguments)))
        stored = await self.get(stored_id)
        assert stored is not None
        return stored

    async def get(self, job_id: str) -> Job | None:
        """One job; None when there is none."""
        with valkey_errors(STORE):
            text = await cast("Any", self._redis.hget(_job_key(job_id), "job"))
        return None if text is None else Job.from_json(text)

    async def page(self, *, before: str | None, limit: int, title_id: str | None) -> Sequence[Job]:
        """Jobs newest first."""
        jobs: list[Job] = []
        upper = f"({before}" if before else "+"
        scanned_count = 0
        while len(jobs) < limit and scanned_count < MAX_SCANNED:
            with valkey_errors(STORE):
                batch: list[Any] = await self._redis.zrevrangebylex(INDEX_KEY, upper, "-", start=0, num=SCAN_BATCH)
            for job_id in (_text(member) for member in batch):
                job = await self.get(job_id)
                if job is not None and (title_id is None or job.title_id == title_id) and len(jobs) < limit:
                    jobs.append(job)
                upper = f"({job_id}"
            scanned_count += len(batch)
            if len(batch) < SCAN_BATCH:
                break
        return jobs

    async def save(self, job: Job) -> bool:
        """Replace unless the job is final or belongs to a later attempt."""
        return await self._save(job, expected_attempt=job.attempt)

    async def begin(self, job: Job) -> bool:
        """Store a new attempt's first step; only one worker can be first."""
        return await self._save(job, expected_attempt=job.attempt - 1)

    async def request_cancel(self, job_id: str) -> None:
        """Note that somebody asked the job to stop."""
        with valkey_errors(STORE):
            await cast("Any", self._redis.hset(_job_key(job_id), "cancel", "1"))

    async def is_cancel_requested(self, job_id: str) -> bool:
        """Whether somebody asked the job to stop."""
        with valkey_errors(STORE):
            return bool(await cast("Any", self._redis.hexists(_job_key(job_id), "cancel")))

    async def _save(self, job: Job, expected_attempt: int) -> bool:
        arguments = [str(expected_attempt), str(job.attempt), job.state.value, job.to_json(), _FINAL]
        with valkey_errors(STORE):
            return bool(await cast("Any", self._redis.eval(_SAVE, 1, _job_key(job.id), *arguments)))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
