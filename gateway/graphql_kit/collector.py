"""Pausing Python's cycle collector while large trees are built.

Parsing and merging schemas makes hundreds of thousands of objects that all stay; the collector, woken by every few
thousand of them, walks all of them again and finds nothing. Measured on 190 kB of SDL: two thirds of the time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["paused_collector"]


@contextmanager
def paused_collector() -> Iterator[None]:
    """No cycle collection inside; nested pauses end with the outermost. Reference counting goes on as always."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
