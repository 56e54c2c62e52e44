"""Processes of a measurement: started on one processor core, waited for, weighed, and ended again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

__all__ = ["GATEWAY_CORE", "LOAD_CORE", "TookTooLong", "cpu_seconds", "memory_bytes", "run_json", "running"]

GATEWAY_CORE, LOAD_CORE = "0", "1"
"""What is measured has the first to itself; load and subgraphs share the second."""
_START_DEADLINE_S = 90.0
_RUN_DEADLINE_S = 120.0
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class TookTooLong(Exception):
    """A program was ended after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@contextlib.contextmanager
def running(
    command: Sequence[str], url: str, *, env: Mapping[str, str] | None, core: str
) -> Iterator[tuple[int, float]]:
    """A server on its core; yields its process id and the seconds until it answered `{__typename}` at the address.

    Raises SystemExit with the end of its output when it stops or does not answer in time.
    """
    with tempfile.TemporaryFile() as log:
        began = time.monotonic()
        process = subprocess.Popen(
            ["taskset", "-c", core, *command], env=env, stdout=log, stderr=log, start_new_session=True
        )
        try:
            try:
                _wait_for(url, process)
            except SystemExit:
                log.seek(0)
                print(log.read().decode(errors="replace")[-3000:], file=sys.stderr)
                raise
            yield process.pid, time.monotonic() - began
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def run_json(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a program on the gateway's core prints as JSON.

    Raises SystemExit with its complaint when it fails, TookTooLong when it is not done in two minutes.
    """
    try:
        done = subprocess.run(
            ["taskset", "-c", GATEWAY_CORE, *command],
            env=env, capture_output=True, text=True, check=False, timeout=_RUN_DEADLINE_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise TookTooLong(_RUN_DEADLINE_S) from error
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_DEADLINE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"the program behind {url} ended with {process.returncode}")
        with contextlib.suppress(httpx.HTTPError):
            # A gateway that is still loading may answer with 503.
            if httpx.post(url, json={"query": "{__typename}"}, timeout=2).status_code < 500:
                return
        time.sleep(0.03)
    raise SystemExit(f"nothing answered at {url} within {_START_DEADLINE_S:g} s")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children."""
    total = 0
    for member in _family(pid):
        with contextlib.suppress(OSError):
            columns = Path(f"/proc/{member}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(columns[11]) + int(columns[12])
    return total / _CLOCK_TICKS


def memory_bytes(pid: int) -> int:
    """Resident memory of a process and its children."""
    pages = 0
    for member in _family(pid):
        with contextlib.suppress(OSError):
            pages += int(Path(f"/proc/{member}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _family(pid: int) -> list[int]:
    """The process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        current = queue.pop()
        found.append(current)
        queue.extend(children.get(current, ()))
    return found
