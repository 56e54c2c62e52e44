"""Background tasks with an owner: they start with a block and are gone when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

__all__ = ["background"]

log = structlog.get_logger(__name__)

CANCEL_AGAIN_S = 0.1


@asynccontextmanager
async def background(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[asyncio.Task[None]]:
    """Run `work` beside the block; it is cancelled at the block's end, and its own failure is logged, not raised."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_log_failure)
    try:
        yield task
    finally:
        # Once is not enough: before Python 3.12, wait_for() swallows a cancellation that arrives together with the
        # result it waits for, and clients of stores use it for every reply.
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=CANCEL_AGAIN_S)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("background.failed", task=task.get_name(), exc_info=task.exception())
