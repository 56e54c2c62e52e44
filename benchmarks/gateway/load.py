"""Load on a server: wrk on the load's core, and a checker beside it that reads whole answers all the while."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.gateway.processes import LOAD_CORE

__all__ = ["LoadResult", "check_answer", "checked_all_the_while", "put_load_on"]

_CHECK_EVERY_S = 0.5
_WRK_SCRIPT = """
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


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What wrk saw; times of single requests in milliseconds. `failures`: statuses above 399 and broken sockets."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    failures: int


def put_load_on(url: str, query: str, *, seconds: int, connections: int, identical: bool) -> LoadResult:
    """A closed loop of POSTs; unless `identical`, each has an Authorization header of its own."""
    authorization = '"Bearer same"' if identical else '"Bearer " .. counter .. "-" .. tostring(request)'
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_WRK_SCRIPT.format(body=json.dumps(json.dumps({"query": query})), authorization=authorization))
        script.flush()
        output = subprocess.run(
            ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
             "-s", script.name, url],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", output)
    if found is None:
        raise SystemExit(f"wrk told no result: {output}")
    requests, duration_us, p50_us, p99_us, bad_status, bad_socket = (int(value) for value in found.groups())
    return LoadResult(requests, duration_us / 1e6, p50_us / 1e3, p99_us / 1e3, bad_status + bad_socket)


def check_answer(name: str, url: str, query: str, expected: Any) -> None:
    """Raise SystemExit when the answer is not the expected one."""
    headers = {"authorization": "Bearer check", "accept": "application/json"}
    answer = httpx.post(url, json={"query": query}, headers=headers, timeout=30)
    body = answer.json()
    if answer.status_code != 200 or {"data": body.get("data")} != expected or body.get("errors"):
        raise SystemExit(f"{name} answers wrongly ({answer.status_code}): {answer.text[:500]}")


@contextlib.contextmanager
def checked_all_the_while(name: str, url: str, query: str, expected: Any) -> Iterator[None]:
    """Check the answer before, twice a second during, and after; raises SystemExit when one is wrong."""
    check_answer(name, url, query, expected)
    stop = threading.Event()
    wrong: list[str] = []

    def watch() -> None:
        while not stop.wait(_CHECK_EVERY_S):
            try:
                check_answer(name, url, query, expected)
            except SystemExit as error:
                wrong.append(str(error))
            except httpx.HTTPError as error:
                wrong.append(f"{name} did not answer during the load: {error!r}")

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()
    if wrong:
        raise SystemExit(wrong[0])
    check_answer(name, url, query, expected)
