"""Group commit: writes that wait at the same time share one transaction, and each is answered after its commit.

A commit that reaches the disk costs milliseconds whatever it holds, so the writer takes all that waits (up to a
bound), commits it together and only then answers. Nothing is put off on purpose: a lone write is committed at once.
When a batch fails, all its writers get the error and nothing of it is stored. Round trips to Valkey are shared in the
same way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import structlog

from common.errors import ErrorKind, ServiceError

__all__ = ["GroupCommit"]

log = structlog.get_logger(__name__)

RequestT = TypeVar("RequestT")
ResultT = TypeVar("ResultT")

MAX_BATCH = 256
"""Writes in one transaction: keeps a batch's statement below SQLite's limit of variables."""
MAX_WAITING = 5_000
"""Writes that may wait; more are refused, so that a stuck disk is told and not hidden."""


class GroupCommit(Generic[RequestT, ResultT]):
    """`commit` writes a batch in one transaction and returns one result per request, in order."""

    def __init__(
        self,
        commit: Callable[[Sequence[RequestT]], Awaitable[Sequence[ResultT]]],
        *,
        max_batch: int = MAX_BATCH,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._commit = commit
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[RequestT, asyncio.Future[ResultT]]] = deque()
        self._arrived = asyncio.Event()
        self._open = False

    async def submit(self, request: RequestT) -> ResultT:
        """Write and return the result after the commit. Raises ServiceError UNAVAILABLE, or what the commit raised.

        Cancelling the caller does not take the write back.
        """
        if not self._open:
            raise ServiceError(ErrorKind.UNAVAILABLE, "playback is closing; try again in a second")
        if len(self._waiting) >= self._max_waiting:
            raise ServiceError(
                ErrorKind.UNAVAILABLE, f"{len(self._waiting)} requests wait already; send this one again in a second"
            )
        result: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, result))
        self._arrived.set()
        return await result

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The writer as a background task; at the end of the block it first writes what waits."""
        self._open = True
        task = asyncio.create_task(self._run(), name="group-commit")
        try:
            yield
        finally:
            self._open = False
            self._arrived.set()
            await task

    async def _run(self) -> None:
        while self._open or self._waiting:
            if not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            batch = [self._waiting.popleft() for _ in range(min(self._max_batch, len(self._waiting)))]
            await self._commit_batch(batch)

    async def _commit_batch(self, batch: list[tuple[RequestT, asyncio.Future[ResultT]]]) -> None:
        try:
            results = await self._commit([request for request, _ in batch])
        except Exception as error:  # the writer's edge: every caller of the batch gets the error
            if isinstance(error, ServiceError):
                log.warning("group_commit.failed", batch=len(batch), error=error.message)
            else:
                log.exception("group_commit.failed", batch=len(batch))
            for _, waiter in batch:
                if not waiter.done():
                    waiter.set_exception(error)
            return
        for (_, waiter), result in zip(batch, results, strict=True):
            if not waiter.done():
                waiter.set_result(result)
