"""What a search goes through: the gateway, titles with its engine, and playback for the hits' progress."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.gateway.processes import cpu_seconds, memory_bytes
from benchmarks.heartbeats.servers import REPOSITORY, free_port, start_server, valkey
from benchmarks.search.engines import VIEWER
from common.settings import SharedSettings
from common.tokens import VIEWER_HEADER, Viewer, ensure_key_file, sign_access_token, sign_viewer_context

__all__ = ["PACKAGES", "Door", "Serving", "serving"]

IDLE_DEADLINE_S = 300
IDLE_S = 5
"""So long that work which a busy machine lets do little at a time is seen."""
START_DEADLINE_S = 300.0
"""For a busy machine."""
TOKEN_LIFE = timedelta(hours=6)
PROCESS = """
import gc
from common.telemetry import configure_logs
from stack.entries import COLLECT_AFTER, run_{name}
import {package}.app
gc.collect()
gc.freeze()
gc.set_threshold(*COLLECT_AFTER)
configure_logs("{name}", "WARNING")
run_{name}()
"""
"""One process as the whole system runs it; {package}.app is what it imports before it freezes."""
PACKAGES = {"titles": "subgraphs.titles", "playback": "subgraphs.playback", "gateway": "gateway.server"}


@dataclass(frozen=True, slots=True)
class Door:
    """Where questions are sent, and the header that says who asks; it is good for less than a minute."""

    url: str
    header: Callable[[], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Serving:
    """The running processes by name, all of them on this machine, none on a core of its own."""

    doors: Mapping[str, Door]
    """The gateway's, and titles' own."""
    processes: Mapping[str, subprocess.Popen[bytes]]

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time that each process has used so far."""
        return {name: cpu_seconds(process.pid) for name, process in self.processes.items()}

    def resident_megabytes(self, name: str) -> float:
        """Of one process, as it is now."""
        return memory_bytes(self.processes[name].pid) / 1e6


@contextlib.contextmanager
def serving(state_dir: Path, viewer: Viewer = VIEWER) -> Iterator[Serving]:
    """A catalogue that lies in `state_dir`, served until the block ends; it is idle when the block begins."""
    key = ensure_key_file(SharedSettings(state_dir=state_dir).keys_dir / "access.pem")
    jwks_path = state_dir / "access.jwks.json"
    jwks_path.write_text(json.dumps(key.public_jwks()))
    ports = {name: free_port() for name in PACKAGES}
    urls = {name: f"http://127.0.0.1:{ports[name]}/graphql" for name in ("titles", "playback")}
    with valkey() as valkey_url, tempfile.TemporaryDirectory() as folder:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MARQUEE_")},
            "MARQUEE_STATE_DIR": str(state_dir),
            "MARQUEE_VALKEY_URL": valkey_url,
            "MARQUEE_LOG_LEVEL": "WARNING",
            "MARQUEE_TITLES_ARTWORK_PRERENDERED_TITLES": "0",
            "MARQUEE_GATEWAY_SUPERGRAPH": str(REPOSITORY / "schema" / "supergraph.graphql"),
            "MARQUEE_GATEWAY_SUBGRAPH_URLS": json.dumps(urls),
            "MARQUEE_GATEWAY_ACCESS_JWKS": str(jwks_path),
            "MARQUEE_GATEWAY_SIGN_VIEWER_CONTEXT": "true",
            "PYTHONPATH": str(REPOSITORY),
            "HOME": folder,
            **{f"MARQUEE_{name.upper()}_PORT": str(port) for name, port in ports.items()},
        }
        started: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for name, package in PACKAGES.items():
                program = PROCESS.format(name=name, package=package)
                started[name] = start_server(
                    ["-c", program], environment, ports[name], core=None, deadline_s=START_DEADLINE_S
                )
            _wait_until_idle(started["titles"].pid)
            token = sign_access_token(key, viewer, datetime.now(UTC), TOKEN_LIFE)
            word = ensure_key_file(SharedSettings(state_dir=state_dir).keys_dir / "viewer.pem")
            doors = {
                "gateway": Door(
                    f"http://127.0.0.1:{ports['gateway']}/graphql", lambda: {"authorization": f"Bearer {token}"}
                ),
                "titles": Door(
                    urls["titles"],
                    lambda: {VIEWER_HEADER: sign_viewer_context(word, viewer.to_claims(), datetime.now(UTC))},
                ),
            }
            yield Serving(doors, started)
        finally:
            for process in started.values():
                process.send_signal(signal.SIGTERM)
            for process in started.values():
                process.wait()


def _wait_until_idle(pid: int) -> None:
    """Until the catalogue is indexed and announced, which a new store begins with, and read into the memory."""
    for _ in range(0, IDLE_DEADLINE_S, IDLE_S):
        before = cpu_seconds(pid)
        time.sleep(IDLE_S)
        if cpu_seconds(pid) - before < 0.05:
            return
    raise SystemExit(f"the server was not idle within {IDLE_DEADLINE_S} s")
