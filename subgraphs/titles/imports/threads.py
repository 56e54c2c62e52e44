"""Work in a thread that is never left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

__all__ = ["run_in_thread"]

P = ParamSpec("P")
ResultT = TypeVar("ResultT")


async def run_in_thread(function: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs) -> ResultT:
    """As asyncio.to_thread; but a cancellation waits until the thread is done.

    What it works on (a file, a database) is closed by whoever is cancelled, and must not be closed under its hands.
    """
    task = asyncio.create_task(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
