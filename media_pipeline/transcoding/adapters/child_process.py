"""Runs a program that reads files of strangers: low priority, bounded, dead when we are.

A child is killed as a group on cancellation, at its deadline, or when it shows no progress; on Linux the kernel
kills it when this process dies, however that happens.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ChildFailed", "ChildLimits", "run_child"]

MAX_KEPT_ERROR_CHARACTERS = 4000
MAX_OUTPUT_BYTES = 8 << 20
LAUNCHER = Path(__file__).with_name("child_launcher.py")


class ChildFailed(Exception):
    """The program failed, hung or took too long. `said` is the end of its standard error.

    `status` is its exit status, None when it was stopped by us or by a signal.
    """

    def __init__(self, message: str, said: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.said = said
        self.status = status


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """How long and how large. `stall_s` None: output is not watched."""

    timeout_s: float
    stall_s: float | None = None
    niceness: int = 10
    max_file_bytes: int = 32 << 30


async def run_child(
    command: Sequence[str],
    limits: ChildLimits,
    *,
    working_folder: Path | None = None,
    on_line: Callable[[str], Awaitable[None]] | None = None,
) -> bytes:
    """Run to the end and return standard output, or feed its lines to `on_line` and return nothing.

    Raises ChildFailed; what `on_line` raises ends the child and goes on to the caller.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(LAUNCHER)),
        *(str(os.getpid()), str(limits.niceness), str(limits.max_file_bytes), *command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=working_folder,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    errors = asyncio.create_task(_read_tail(process.stderr))
    try:
        async with asyncio.timeout(limits.timeout_s):
            output = await _read_output(process.stdout, limits.stall_s, on_line)
            status = await process.wait()
    except TimeoutError as error:
        raise ChildFailed(f"{Path(command[0]).name} made no progress in time and was stopped") from error
    finally:
        _kill_group(process)
        await process.wait()
        said = await errors
    if status != 0:
        raise ChildFailed(f"{Path(command[0]).name} ended with status {status}", said, status if status > 0 else None)
    return output


async def _read_output(
    stream: asyncio.StreamReader, stall_s: float | None, on_line: Callable[[str], Awaitable[None]] | None
) -> bytes:
    """All output, or nothing when lines are consumed. Raises TimeoutError after a silence of stall_s."""
    if on_line is None:
        output = await stream.read(MAX_OUTPUT_BYTES)
        if len(output) == MAX_OUTPUT_BYTES and not stream.at_eof():
            raise ChildFailed(f"output larger than {MAX_OUTPUT_BYTES} bytes")
        return output + await stream.read()
    while line := await asyncio.wait_for(stream.readline(), stall_s):
        await on_line(line.decode(errors="replace").rstrip())
    return b""


async def _read_tail(stream: asyncio.StreamReader) -> str:
    """The last characters of a stream; it is read to its end, so that the child never blocks on it."""
    tail = ""
    while chunk := await stream.read(4096):
        tail = (tail + chunk.decode(errors="replace"))[-MAX_KEPT_ERROR_CHARACTERS:]
    return tail


def _kill_group(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
