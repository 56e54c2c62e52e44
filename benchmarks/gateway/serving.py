"""Requests under load: which query, sent how, to whom; and the table of what each request cost.

Every contestant runs alone on the gateway's core. Rounds go through all contestants, so that what the machine does
otherwise meets all of them; the round with the median processor time is told.
"""

from __future__ import annotations

import json
import lzma
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.gateway.contestants import (
    HERE,
    OURS,
    SUBGRAPHS_URL,
    Contestant,
    Peers,
    gateways,
    hand_written,
    plain_proxy,
)
from benchmarks.gateway.load import checked_all_the_while, put_load_on
from benchmarks.gateway.processes import GATEWAY_CORE, LOAD_CORE, cpu_seconds, memory_bytes, running
from benchmarks.gateway.tables import print_ratios, print_table

__all__ = ["SERVING_SCENARIOS", "LoadOptions", "run_serving"]

_SMALL_QUERY = "{ me { id reviews { id product { name } } } }"
_ONE_SUBGRAPH_QUERY = "{ topProducts { upc name price weight } }"


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How long and how hard; `only`: words of which a contestant's name must have one (none: all)."""

    case: Path
    seconds: int
    warm_up_s: int
    connections: int
    repeat: int
    only: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One table: the query and its right answer, who takes part, and whether requests may share an answer."""

    title: str
    query: Callable[[Path], str]
    expected: Callable[[Path], Any]
    contestants: Callable[[Path, Peers | None], list[Contestant]]
    identical: bool = False


@dataclass(frozen=True, slots=True)
class _Measured:
    """One contestant's run. `subgraph_requests` and `cpu_ms` are per request.

    `core_ratio`: how much of a processor core it used; well below 1 other work of the machine was in its way, or the
    load could not keep up.
    """

    requests_per_s: float
    core_ratio: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float
    memory_mib: float
    subgraph_requests: float
    failures: int


def _heavy_query(case: Path) -> str:
    return (case / "query.graphql").read_text()


def _heavy_answer(case: Path) -> Any:
    return json.loads(lzma.decompress((case / "expected.json.xz").read_bytes()))


def _small_answer(case: Path) -> Any:
    """By the rules of the case's data: `me` is the first user, and every user wrote the first two reviews."""
    data = json.loads((case / "data.json").read_text())
    names = {product["upc"]: product["name"] for product in data["products"]}
    reviews = [{"id": each["id"], "product": {"name": names[each["product"]["upc"]]}} for each in data["reviews"][:2]]
    return {"data": {"me": {"id": data["users"][0]["id"], "reviews": reviews}}}


def _one_subgraph_answer(case: Path) -> Any:
    products = json.loads((case / "data.json").read_text())["products"][:5]
    return {"data": {"topProducts": [{key: p[key] for key in ("upc", "name", "price", "weight")} for p in products]}}


SERVING_SCENARIOS = {
    "heavy": Scenario(
        "heavy query: six levels, 88 kB; every request with its own Authorization",
        _heavy_query,
        _heavy_answer,
        lambda supergraph, peers: [*gateways(supergraph, peers), hand_written()],
    ),
    "identical": Scenario(
        "heavy query, identical requests, in-flight de-duplication on",
        _heavy_query,
        _heavy_answer,
        lambda supergraph, peers: gateways(supergraph, peers, deduplicate=True),
        identical=True,
    ),
    "small": Scenario(
        "small query: three fetches in a row; every request with its own Authorization",
        lambda _case: _SMALL_QUERY,
        _small_answer,
        gateways,
    ),
    "single": Scenario(
        "one-subgraph query; every request with its own Authorization",
        lambda _case: _ONE_SUBGRAPH_QUERY,
        _one_subgraph_answer,
        lambda supergraph, peers: [*gateways(supergraph, peers), plain_proxy()],
    ),
}


def run_serving(name: str, options: LoadOptions, peers: Peers | None) -> bool:
    """Measure one scenario and print its table; whether all requests succeeded."""
    scenario = SERVING_SCENARIOS[name]
    chosen = [
        each
        for each in scenario.contestants(options.case / "supergraph.graphql", peers)
        if not options.only or any(word.lower() in each.name.lower() for word in options.only)
    ]
    runs: dict[str, list[_Measured]] = {each.name: [] for each in chosen}
    subgraphs = [sys.executable, str(HERE / "subgraphs.py"), str(options.case), SUBGRAPHS_URL.rsplit(":", 1)[1]]
    with running(subgraphs, f"{SUBGRAPHS_URL}/counts", env=None, core=LOAD_CORE):
        for number in range(options.repeat):
            for each in chosen:
                print(f"  {name}: round {number + 1} of {options.repeat}, {each.name} …", file=sys.stderr, flush=True)
                runs[each.name].append(_measure(each, scenario, options))
    middle = {contestant: _middle(measured) for contestant, measured in runs.items()}
    print_table(
        scenario.title,
        ("gateway", "req/s", "core %", "CPU ms", "p50 ms", "p99 ms", "MiB", "fetches", "failed"),
        [
            (
                contestant,
                f"{m.requests_per_s:.0f}",
                f"{m.core_ratio * 100:.0f}",
                f"{m.cpu_ms:.2f}",
                f"{m.p50_ms:.1f}",
                f"{m.p99_ms:.1f}",
                f"{m.memory_mib:.0f}",
                f"{m.subgraph_requests:.2f}",
                str(m.failures),
            )
            for contestant, m in middle.items()
        ],
    )
    print_ratios("CPU per request", OURS, {contestant: m.cpu_ms for contestant, m in middle.items()})
    return not any(m.failures for measured in runs.values() for m in measured)


def _measure(contestant: Contestant, scenario: Scenario, options: LoadOptions) -> _Measured:
    query, expected, url = scenario.query(options.case), scenario.expected(options.case), contestant.url
    with running(contestant.command, url, env=contestant.env, core=GATEWAY_CORE) as (pid, _):
        with checked_all_the_while(contestant.name, url, query, expected):
            put_load_on(
                url, query, seconds=options.warm_up_s, connections=options.connections, identical=scenario.identical
            )
            cpu_before, fetched_before = cpu_seconds(pid), _subgraph_requests()
            load = put_load_on(
                url, query, seconds=options.seconds, connections=options.connections, identical=scenario.identical
            )
            cpu_s, fetched = cpu_seconds(pid) - cpu_before, _subgraph_requests() - fetched_before
        memory_mib = memory_bytes(pid) / 2**20
    return _Measured(
        load.requests / load.seconds,
        cpu_s / load.seconds,
        cpu_s * 1e3 / load.requests,
        load.p50_ms,
        load.p99_ms,
        memory_mib,
        fetched / load.requests,
        load.failures,
    )


def _middle(runs: Sequence[_Measured]) -> _Measured:
    middle = statistics.median_low(run.cpu_ms for run in runs)
    return next(run for run in runs if run.cpu_ms == middle)


def _subgraph_requests() -> int:
    """Requests that the subgraphs have seen."""
    counts: dict[str, int] = httpx.get(f"{SUBGRAPHS_URL}/counts").json()
    return sum(counts.values())
