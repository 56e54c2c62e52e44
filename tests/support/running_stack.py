"""The whole product as a user starts it: `marquee up` in a process of its own, on free ports, in a fresh state folder."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from stack.lifeline import die_with_parent

REPOSITORY = Path(__file__).resolve().parents[2]
PORT_NAMES = (
    "GATEWAY",
    "PROFILES",
    "TITLES",
    "PLAYBACK",
    "RECOMMENDATIONS",
    "TRANSCODING",
    "LICENSING",
    "STEERING",
    "DELIVERY",
    "STACK_VALKEY",
)
READY_DEADLINE_S = 90.0
# One address makes all of a suite's accounts; the limits have tests of their own.
GENEROUS = {
    "MARQUEE_PROFILES_SIGN_UPS_PER_HOUR": "1000",
    "MARQUEE_PROFILES_LOG_INS_PER_HOUR": "1000",
    # An erasure begins at once and needs no quarter of an hour to come to rest.
    "MARQUEE_PROFILES_ERASURE_GRACE_S": "0",
    "MARQUEE_PROFILES_ERASURE_SETTLE_S": "2",
    "MARQUEE_PROFILES_PRIVACY_LEASE_S": "3",
    # Half the work for the demo film; what the usual preset makes is looked at in tests/media_pipeline.
    "MARQUEE_WORKER_PRESET": "ultrafast",
    # And it does not wait until another test worker leaves a core free.
    "MARQUEE_WORKER_NICENESS": "0",
}


@dataclass
class Answer:
    """A GraphQL answer with its HTTP side."""

    status: int
    body: dict[str, Any]
    headers: httpx.Headers
    content: bytes

    @property
    def data(self) -> Any:
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def error_codes(self) -> list[str]:
        return [error.get("extensions", {}).get("code", "") for error in self.body.get("errors", [])]


@dataclass
class RunningStack:
    """`marquee up`, its ports, and clients for them."""

    state_dir: Path
    ports: dict[str, int]
    process: subprocess.Popen[str]
    log_path: Path
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    @classmethod
    def start(
        cls, state_dir: Path, *, demo: bool = True, servers: bool = False, extra_env: dict[str, str] | None = None
    ) -> RunningStack:
        ports = dict(zip(PORT_NAMES, free_ports(len(PORT_NAMES)), strict=True))
        state_dir.mkdir(parents=True, exist_ok=True)
        log_path = state_dir.parent / f"{state_dir.name}.console"
        with log_path.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "stack", "up", "--demo" if demo else "--no-demo", *["--servers"] * servers],
                cwd=REPOSITORY,
                env={**environment(state_dir, ports), **(extra_env or {})},
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
                # A test run that is killed must not leave a whole product behind.
                preexec_fn=die_with_parent,
            )
        stack = cls(state_dir, ports, process, log_path)
        stack._wait_until("ready after", READY_DEADLINE_S)
        return stack

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['GATEWAY']}"

    @property
    def media_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['DELIVERY']}"

    @property
    def console(self) -> str:
        return self.log_path.read_text()

    @property
    def seconds_until_ready(self) -> float:
        found = re.search(r"ready after ([\d.]+) s", self.console)
        assert found is not None
        return float(found[1])

    def graphql(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        sent = {"authorization": f"Bearer {token}"} if token else {}
        answer = self.client.post(
            f"{self.gateway_url}/graphql",
            json={"query": query, "variables": variables or {}},
            headers={**sent, **(headers or {})},
        )
        return Answer(answer.status_code, answer.json(), answer.headers, answer.content)

    def operation(self, name: str, variables: dict[str, Any] | None = None, *, token: str | None = None) -> Answer:
        """Run one of schema/operations, e.g. "tv/home"."""
        text = (REPOSITORY / "schema" / "operations" / f"{name}.graphql").read_text()
        return self.graphql(text, variables, token=token)

    def environment(self) -> dict[str, str]:
        """For other commands against this stack, `marquee ingest` for example."""
        return {
            **environment(self.state_dir, self.ports),
            "MARQUEE_PUBLIC_GATEWAY_URL": self.gateway_url,
            "MARQUEE_PUBLIC_MEDIA_URL": self.media_url,
        }

    def run_marquee(self, *arguments: str, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "stack", *arguments],
            cwd=REPOSITORY,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def wait_for_console(self, text: str, timeout_s: float) -> None:
        self._wait_until(text, timeout_s)

    def stop(self, number: int = signal.SIGINT) -> int:
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def _wait_until(self, text: str, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while text not in self.console:
            if self.process.poll() is not None:
                raise AssertionError(f"marquee up ended with {self.process.returncode}:\n{self.console}\n{self.logs()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{text!r} was not said in {timeout_s} s:\n{self.console}\n{self.logs()}")
            time.sleep(0.1)

    def logs(self) -> str:
        """The last lines of every process's log, for a failing test's message."""
        paths = sorted((self.state_dir / "logs").glob("*.log"))
        tails = {path.name: path.read_text(errors="replace").splitlines()[-12:] for path in paths}
        return "\n".join("\n".join([f"--- {name}", *tail]) for name, tail in tails.items())


def environment(state_dir: Path, ports: dict[str, int]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MARQUEE_")}
    return {
        **kept,
        "MARQUEE_STATE_DIR": str(state_dir),
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "200",
        **{f"MARQUEE_{name}_PORT": str(port) for name, port in ports.items()},
    }


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def is_listening(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def processes_of(state_dir: Path) -> list[int]:
    """Pids of live processes whose environment names the state folder; Linux only."""
    found = []
    wanted = f"MARQUEE_STATE_DIR={state_dir}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0") and "Z" not in _state(entry):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def listener_pid(state_dir: Path, port: int) -> int:
    """Which of the stack's processes listens on the port; Linux only."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if columns[1].endswith(f":{port:04X}") and columns[3] == "0A":
            inodes.add(f"socket:[{columns[9]}]")
    for pid in processes_of(state_dir):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if os.readlink(descriptor) in inodes:
                    return pid
            except OSError:
                continue
    raise AssertionError(f"nothing listens on port {port}")


def _state(entry: Path) -> str:
    return (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
