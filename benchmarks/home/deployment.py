"""The whole system as `marquee up` runs it, on chosen processor cores and ports, and what its processes cost."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from subgraphs.kernel.readiness import PREPARING

__all__ = ["Deployment", "Usage", "running_system", "system_environment"]

REPOSITORY = Path(__file__).resolve().parents[2]
PORT_NAMES = (
    "GATEWAY", "PROFILES", "TITLES", "PLAYBACK", "RECOMMENDATIONS", "TRANSCODING", "LICENSING", "STEERING", "DELIVERY",
    "STACK_VALKEY",
)  # fmt: skip
START_DEADLINE_S = 120.0
STOP_DEADLINE_S = 40.0
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

QUIET = {
    # A training, a learning of pictures, or artwork drawn in the background, in the middle of a measurement would be
    # measured.
    "MARQUEE_RECOMMENDATIONS_TRAIN_EVERY_S": "0",
    "MARQUEE_RECOMMENDATIONS_ARTWORK_LEARN_EVERY_S": "0",
    "MARQUEE_TITLES_ARTWORK_PRERENDERED_TITLES": "0",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes have used so far, by name: processor seconds, and resident bytes now."""

    cpu_s: Mapping[str, float]
    resident_bytes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Deployment:
    """A running system."""

    state_dir: Path
    ports: Mapping[str, int]
    pid: int

    def url(self, name: str) -> str:
        """Of one process, as in PORT_NAMES."""
        return f"http://127.0.0.1:{self.ports[name]}"

    @property
    def environment(self) -> dict[str, str]:
        """For other commands beside it."""
        return system_environment(self.state_dir, self.ports)

    def usage(self) -> Usage:
        """By process: named by the port that it listens on, and `others` for those that listen on none of ours.

        What its children used is in it, also of those that have ended: what a process learns, it learns in a child.
        """
        cpu: dict[str, float] = {}
        resident: dict[str, int] = {}
        names = _names_by_pid(self.pid, self.ports)
        for pid, name in names.items():
            with contextlib.suppress(OSError):
                columns = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                # In user and system mode, then both of the ended children that it waited for.
                cpu[name] = cpu.get(name, 0.0) + sum(map(int, columns[11:15])) / _CLOCK_TICKS
                resident[name] = resident.get(name, 0) + pages * os.sysconf("SC_PAGE_SIZE")
        return Usage(cpu, resident)

    def pin(self, cores: str) -> None:
        """Move every process and thread of it to these cores, as "0" or "0,1"."""
        wanted = {int(core) for core in cores.split(",")}
        for pid in _names_by_pid(self.pid, self.ports):
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    with contextlib.suppress(ProcessLookupError):
                        os.sched_setaffinity(int(task.name), wanted)

    def preparing(self) -> list[str]:
        """What the subgraphs are still busy with behind readiness, as their health checks say it."""
        checks = [self.health(name)["checks"] for name in ("TITLES", "RECOMMENDATIONS")]
        return [outcome for each in checks for outcome in each.values() if outcome.startswith(PREPARING)]

    def health(self, name: str) -> dict[str, Any]:
        """What a process says of itself."""
        found: dict[str, Any] = httpx.get(f"{self.url(name)}/health", timeout=5).json()
        return found


def system_environment(state_dir: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """The settings of a system with its data in a folder, listening on these ports."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MARQUEE_")}
    return {
        **kept,
        **QUIET,
        "MARQUEE_STATE_DIR": str(state_dir),
        "PYTHONUNBUFFERED": "1",
        **{f"MARQUEE_{name}_PORT": str(port) for name, port in ports.items()},
    }


@contextlib.contextmanager
def running_system(
    state_dir: Path, first_port: int, *, cores: str | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Deployment]:
    """`marquee up --no-demo` until the block ends; `settings` come on top. Raises SystemExit when it does not start."""
    ports = {name: first_port + place for place, name in enumerate(PORT_NAMES)}
    pinned = [] if cores is None else ["taskset", "-c", cores]
    with tempfile.TemporaryFile("w+") as console:
        process = subprocess.Popen(
            [*pinned, sys.executable, "-m", "stack", "up", "--no-demo"],
            env={**system_environment(state_dir, ports), **(settings or {})},
            cwd=REPOSITORY, stdout=console, stderr=console, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            _wait_until_ready(process, ports["GATEWAY"], console)
            yield Deployment(state_dir, ports, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                # What it started sees that it is gone, and goes as well.
                process.kill()
                process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, console: Any) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError, json.JSONDecodeError):
            if httpx.get(f"http://127.0.0.1:{port}/health", timeout=2).status_code == 200 and _says_ready(console):
                return
        time.sleep(0.2)
    console.seek(0)
    raise SystemExit(f"the system did not start:\n{console.read()[-3000:]}")


def _says_ready(console: Any) -> bool:
    console.seek(0)
    return "ready after" in console.read()


def _names_by_pid(root: int, ports: Mapping[str, int]) -> dict[int, str]:
    """Every process below `root` with the name of the port that it listens on; children share their parent's name."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    members = {root}
    while more := {pid for pid, parent in parents.items() if parent in members} - members:
        members |= more
    listeners = _listening_inodes(ports)
    found: dict[int, str] = {}
    for pid in sorted(members):
        own = next((listeners[inode] for inode in _sockets_of(pid) if inode in listeners), None)
        found[pid] = own or found.get(parents.get(pid, 0), "others")
    return found


def _listening_inodes(ports: Mapping[str, int]) -> dict[str, str]:
    by_port = {f"{port:04X}": name.removeprefix("STACK_").lower() for name, port in ports.items()}
    found: dict[str, str] = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            name = by_port.get(columns[1].rpartition(":")[2])
            if columns[3] == "0A" and name is not None:
                found[f"socket:[{columns[9]}]"] = name
    return found


def _sockets_of(pid: int) -> list[str]:
    found: list[str] = []
    with contextlib.suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.append(str(descriptor.readlink()))
    return found
