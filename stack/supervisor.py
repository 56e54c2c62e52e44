"""Starts the processes, waits until they are ready, restarts what dies, and ends everything.

Children are forked from one server process that has imported the libraries already: ten processes cost one import,
and share its memory. Each child leads its own process group, so that Ctrl-C in a terminal reaches the supervisor alone
and the order of stopping is ours.
"""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import IO, Any

import aiohttp
import structlog

from common.telemetry import configure_logs
from stack.lifeline import STOP_GRACE_S, hold_lifeline
from stack.processes import ProcessRow, Readiness, Stage

__all__ = ["Child", "PortTaken", "StartFailed", "Supervisor", "check_ports_free"]

log = structlog.get_logger(__name__)

READY_DEADLINE_S = 60.0
POLL_INTERVAL_S = 0.05
MAX_RESTARTS = 5
RESTART_WINDOW_S = 60.0
"""A process that died more than MAX_RESTARTS times in this window stays down: restarting does not help it."""
MAX_LOG_BYTES = 10_000_000
LOG_TAIL_LINES = 15


class PortTaken(Exception):
    """A port that we need is in use; the message names it, the process and the setting that moves it."""


class StartFailed(Exception):
    """A process died or did not become ready in time; the message ends with its last log lines."""


@dataclass
class Child:
    """One process of the table while it runs.

    `port` is None where it listens nowhere; `port_variable` is the environment variable that moves it.
    """

    row: ProcessRow
    port: int | None
    port_variable: str
    process: ForkServerProcess | None = None
    started_at: list[float] = field(default_factory=list)


def check_ports_free(ports: Iterator[tuple[str, int, str]]) -> None:
    """Raise PortTaken for the first (process, port, variable) that something else listens on."""
    for name, port, variable in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise PortTaken(
                    f"port {port}, wanted by {name}, is in use by another program. "
                    f"Stop that program or choose another port: {variable}={port + 1000} make up"
                ) from error


class Supervisor:
    """Owns the children. Use start(), then watch(); stop() at the end, whatever happened."""

    def __init__(self, children: list[Child], log_dir: Path) -> None:
        self.children = children
        self._log_dir = log_dir
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["stack.preload"])
        # The writing end stays here and nowhere else: see lifeline.py.
        self._lifeline_reader, self._lifeline_writer = self._context.Pipe(duplex=False)

    async def start(self) -> None:
        """Start every child and return when all are ready; raise StartFailed for the first that is not.

        Stores that others need from their first moment on come first; the rest starts at once.
        """
        self._log_dir.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + READY_DEADLINE_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as client:
            for is_store in (True, False):
                group = [child for child in self.children if (child.row.stage is Stage.STORE) is is_store]
                for child in group:
                    self._start(child)
                await asyncio.gather(*(self._wait_for(child, client, deadline) for child in group))

    async def watch(self) -> None:
        """Restart children that die, until cancelled; give up on one that keeps dying, with a line in the log."""
        while True:
            await asyncio.sleep(0.5)
            for child in self.children:
                if child.process is not None and not child.process.is_alive():
                    self._restart_or_give_up(child)

    def stop(self) -> None:
        """End all children, stage by stage; those that do not go within STOP_GRACE_S are killed.

        The gateway first, so that what it has begun still finds its subgraphs; the stores last, for the same reason.
        """
        running = [child for child in reversed(self.children) if child.process is not None and child.process.is_alive()]
        for stage in (Stage.FRONT, Stage.SERVICE, Stage.STORE):
            _end([child for child in running if child.row.stage is stage])
        self._lifeline_writer.close()

    def log_path(self, child: Child) -> Path:
        """Where the child's standard output and error go."""
        return self._log_dir / f"{child.row.name}.log"

    def _start(self, child: Child) -> None:
        path = self.log_path(child)
        if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        child.started_at.append(time.monotonic())
        child.process = self._context.Process(
            target=_run_child,
            args=(child.row.name, child.row.entry, str(path), self._lifeline_reader),
            name=f"marquee-{child.row.name}",
        )
        child.process.start()

    def _restart_or_give_up(self, child: Child) -> None:
        assert child.process is not None
        recent = [at for at in child.started_at if time.monotonic() - at < RESTART_WINDOW_S]
        exit_code = child.process.exitcode
        if len(recent) > MAX_RESTARTS:
            log.error("process.given_up", name=child.row.name, exit_code=exit_code, log=str(self.log_path(child)))
            child.process = None
            return
        log.warning("process.restarted", name=child.row.name, exit_code=exit_code, log=str(self.log_path(child)))
        self._start(child)

    async def _wait_for(self, child: Child, client: aiohttp.ClientSession, deadline: float) -> None:
        while not await self._is_ready(child, client):
            if child.process is None or not child.process.is_alive():
                code = child.process.exitcode if child.process else None
                raise StartFailed(f"{child.row.name} ended while starting (exit code {code}).\n{self._log_tail(child)}")
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"{child.row.name} was not ready after {READY_DEADLINE_S:.0f} s.\n{self._log_tail(child)}"
                )
            await asyncio.sleep(POLL_INTERVAL_S)

    async def _is_ready(self, child: Child, client: aiohttp.ClientSession) -> bool:
        if child.row.readiness is Readiness.NONE or child.port is None:
            return True
        try:
            if child.row.readiness is Readiness.HTTP:
                async with client.get(f"http://127.0.0.1:{child.port}/health") as answer:
                    return answer.status == 200
            if child.row.readiness is Readiness.PROBE:
                assert child.row.probe is not None
                is_ready: bool = await _named(child.row.probe)(child.port)
                return is_ready
            _, writer = await asyncio.open_connection("127.0.0.1", child.port)
            writer.close()
        except (OSError, aiohttp.ClientError, TimeoutError):
            return False
        return True

    def _log_tail(self, child: Child) -> str:
        path = self.log_path(child)
        lines = path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:] if path.exists() else []
        return "\n".join([f"The end of {path}:", *lines])


def _end(children: list[Child]) -> None:
    """Ask all at once, wait for each, and kill who is still there."""
    processes = [child.process for child in children if child.process is not None]
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_GRACE_S
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join(1.0)


def _run_child(name: str, entry: str, log_path: str, lifeline: Connection) -> None:
    """What a child does first: its own process group, its log, the lifeline; then the entry function."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _send_output_to(log_path)
    hold_lifeline(lifeline)
    configure_logs(name, os.environ.get("MARQUEE_LOG_LEVEL", "INFO"))
    _named(entry)()


def _named(path: str) -> Any:
    """The function at "module:function"."""
    module, _, function = path.partition(":")
    return getattr(importlib.import_module(module), function)


def _send_output_to(log_path: str) -> None:
    file: IO[bytes] = Path(log_path).open("ab", buffering=0)  # noqa: SIM115  # stays open as long as the process
    os.dup2(file.fileno(), sys.stdout.fileno())
    os.dup2(file.fileno(), sys.stderr.fileno())
