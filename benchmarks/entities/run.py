"""What one `_entities` request with many films costs: `python -m benchmarks.entities.run`; see docs/benchmarks.md."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.entities.contestants import CONTESTANTS, SELECTIONS, Opened, expected_answer, films
from benchmarks.gateway.tables import print_ratios, print_table
from benchmarks.heartbeats.servers import valkey
from stack.entries import COLLECT_AFTER

WARM_UP = 5


def main() -> int:
    """Measure everybody; raises AssertionError when an answer is wrong."""
    arguments = _parser().parse_args()
    figures: dict[str, dict[str, float]] = {selection: {} for selection in SELECTIONS}
    with valkey() as valkey_url:
        for name in CONTESTANTS:
            # A process of its own for each: nobody pays for collecting another's garbage.
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                measured = pool.apply(_measure, (name, arguments.films, arguments.requests, valkey_url))
            for selection, milliseconds in measured.items():
                figures[selection][name] = milliseconds
    for selection, by_name in figures.items():
        rows = [(name, f"{milliseconds:.1f}") for name, milliseconds in by_name.items()]
        print_table(f"{arguments.films} films in one request, {selection} each", ("subgraph", "CPU ms"), rows)
        print_ratios("CPU per request", "marquee titles", by_name)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.entities.run",
        description="Median processor time of an _entities request on one core, from body bytes to answer bytes.",
    )
    parser.add_argument("--films", type=int, default=1_000)
    parser.add_argument("--requests", type=int, default=40, help="counted, for each selection, after a warm-up")
    return parser


def _measure(name: str, film_count: int, request_count: int, valkey_url: str) -> dict[str, float]:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    return asyncio.run(_measure_all(name, film_count, request_count, valkey_url))


async def _measure_all(name: str, film_count: int, request_count: int, valkey_url: str) -> dict[str, float]:
    known = films(film_count)
    measured: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with CONTESTANTS[name](known, Path(folder), valkey_url) as opened:
            # As processes of the stack do after their start.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*COLLECT_AFTER)
            for selection, fields in SELECTIONS.items():
                body = _body(known, fields)
                answer = json.loads(await _post(opened, body))
                assert answer == {"data": {"_entities": expected_answer(known, fields)}}, f"{name} answers wrongly"
                taken = []
                for _ in range(WARM_UP + request_count):
                    began = time.process_time()
                    await _post(opened, body)
                    taken.append((time.process_time() - began) * 1_000)
                measured[selection] = statistics.median(taken[WARM_UP:])
    return measured


def _body(known: list[Any], fields: str) -> bytes:
    query = f"query($of: [_Any!]!) {{ _entities(representations: $of) {{ __typename ... on Movie {{ {fields} }} }} }}"
    representations = [{"__typename": "Movie", "id": film.id} for film in known]
    return json.dumps({"query": query, "variables": {"of": representations}}).encode()


async def _post(opened: Opened, body: bytes) -> bytes:
    """The answer's bytes, by the ASGI interface: no client and no socket in the figure."""
    headers = {"content-type": "application/json", "content-length": str(len(body)), **opened.headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 4002),
        "state": {},
    }
    sent: list[bytes] = []
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
        else:
            sent.append(message.get("body", b""))

    await opened.app(scope, receive, send)
    assert statuses == [200], (statuses, b"".join(sent)[:300])
    return b"".join(sent)


if __name__ == "__main__":
    sys.exit(main())
