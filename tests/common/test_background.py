"""A background task never outlives its block, and never fails unseen."""

from __future__ import annotations

import asyncio

import structlog

from common.background import background


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again() -> None:
    """As clients under Python 3.11 do when the reply comes at the same moment."""
    cancellations = 0

    async def stubborn() -> None:
        nonlocal cancellations
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancellations += 1
                if cancellations == 2:
                    raise

    async with asyncio.timeout(5), background(stubborn(), "stubborn") as task:
        await asyncio.sleep(0)
    assert task.done()
    assert cancellations == 2


async def test_a_failure_is_logged_and_does_not_end_the_block() -> None:
    """The block's owner goes on; the log tells."""

    async def broken() -> None:
        raise LookupError("nothing here")

    with structlog.testing.capture_logs() as logs:
        async with background(broken(), "broken") as task:
            await asyncio.wait([task])
            await asyncio.sleep(0)
    [entry] = logs
    assert (entry["event"], entry["task"]) == ("background.failed", "broken")
