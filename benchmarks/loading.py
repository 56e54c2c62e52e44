"""How a benchmark's own process sends its load: as lightly as it can, since it shares the machine with what it asks."""

from __future__ import annotations

import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

__all__ = ["run_load"]

ResultT = TypeVar("ResultT")


def run_load(load: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run it on uvloop without the garbage collector.

    A benchmark has whole catalogues in memory, made by itself to check answers: a full collection of these, a tenth of
    a second, would count as the latency of every request under way.
    """
    gc.disable()
    try:
        return uvloop.run(load)
    finally:
        gc.enable()
