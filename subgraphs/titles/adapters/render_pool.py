"""The artwork renderer's port on processes of their own, at low priority, so that drawing never holds up an answer.

A process that draws ends with its parent, however that ended: it waits on the parent's sentinel, which the system
closes.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import structlog

from subgraphs.titles.artwork.render import MasterSpec, render_master
from subgraphs.titles.artwork.typefaces import load_typefaces
from subgraphs.titles.ports import MasterRequest

__all__ = ["ArtworkUnavailable", "RenderPool"]

log = structlog.get_logger(__name__)

RENDER_TIMEOUT_S = 10.0
"""A hundred times what a picture takes on a busy machine."""
MAX_WAITING = 64
NICENESS = 15


class ArtworkUnavailable(Exception):
    """The picture can't be drawn now; later it may."""


class RenderPool:
    """Draws in `workers` processes, which start with the first picture."""

    def __init__(self, workers: int, font_dir: Path | None) -> None:
        self._workers = workers
        self._font_dir = font_dir
        self._pool: ProcessPoolExecutor | None = None
        self._waiting = 0

    async def render(self, request: MasterRequest) -> bytes:
        """The image's bytes; raises ArtworkUnavailable when too many wait, or a process was killed at it."""
        if self._waiting >= MAX_WAITING:
            raise ArtworkUnavailable(f"{MAX_WAITING} pictures are waiting to be drawn; try again in a few seconds")
        spec = MasterSpec(
            title_id=request.title_id,
            role=request.role,
            variant=request.variant,
            display_name=request.display_name,
            genres=request.genres,
            release_year=request.release_year,
            byline=request.byline,
        )
        self._waiting += 1
        try:
            async with asyncio.timeout(RENDER_TIMEOUT_S):
                return await asyncio.get_running_loop().run_in_executor(self._running_pool(), render_master, spec)
        except TimeoutError as error:
            raise ArtworkUnavailable(f"{request.role} of {request.title_id} was not drawn in time") from error
        except BrokenProcessPool as error:
            self._pool = None
            raise ArtworkUnavailable("the drawing process ended; a new one starts with the next picture") from error
        finally:
            self._waiting -= 1

    async def aclose(self) -> None:
        """End the processes; what is being drawn is finished first."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)

    def _running_pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            log.info("artwork.pool_started", workers=self._workers)
            # spawn: a fork of a process with threads (SQLite's, tantivy's) may inherit a lock that nobody lets go.
            self._pool = ProcessPoolExecutor(
                self._workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start_worker,
                initargs=(self._font_dir,),
            )
        return self._pool


def _start_worker(font_dir: Path | None) -> None:
    os.nice(NICENESS)
    load_typefaces(font_dir)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
