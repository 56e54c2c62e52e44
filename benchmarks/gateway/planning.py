"""Cold planning: how long a query costs that no gateway has seen, and how many fetches its plan has.

Every figure comes from a process of its own, whose first plan is told beside the median of the later ones.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.gateway.contestants import OURS, Peers
from benchmarks.gateway.generated_graphs import many_plans, many_plans_query
from benchmarks.gateway.processes import TookTooLong, run_json
from benchmarks.gateway.tables import print_table

__all__ = ["run_planning"]

_PLANS_PER_PROCESS = 5
_FEW_STATES = 100
"""A budget of planning that ends the search of many plans soon: what it found by then must be right all the same."""


def run_planning(case: Path, many_plans_case: Path | None, peers: Peers | None, repeat: int) -> None:
    """Measure the heavy query, the public fixture where its folder is given, and the generated one."""
    with tempfile.TemporaryDirectory() as name:
        generated = Path(name)
        sources = [{"name": s.name, "url": f"http://{s.name}.invalid/", "sdl": s.sdl} for s in many_plans()]
        (generated / "subgraphs.json").write_text(json.dumps(sources))
        run_json(_module("compose_ours", generated / "subgraphs.json", generated / "supergraph.graphql"))
        (generated / "query.graphql").write_text(many_plans_query())
        folders = {"heavy query": case, "many plans, generated": generated}
        if many_plans_case is not None:
            folders["many plans, public fixture"] = many_plans_case
        rows = [row for title, folder in folders.items() for row in _rows(title, folder, peers, repeat)]
    header = ("query", "planner", "load ms", "first plan ms", "later plans ms", "fetches", "in a row", "verdict")
    print_table("cold planning, in one process without HTTP", header, rows)


def _rows(title: str, folder: Path, peers: Peers | None, repeat: int) -> list[tuple[str, ...]]:
    supergraph, query = folder / "supergraph.graphql", folder / "query.graphql"
    count = str(_PLANS_PER_PROCESS)
    ours = [*_module("plan_ours", supergraph, query), count]
    commands: dict[str, list[str]] = {OURS: ours}
    if "many" in title:
        commands[f"{OURS}, {_FEW_STATES} states"] = [*ours, str(_FEW_STATES)]
    env: Mapping[str, str] | None = None
    if peers is not None:
        script, env = peers.script("plan.mjs"), peers.env()
        commands["Apollo"] = [peers.node, script, "apollo", str(supergraph), str(query), count]
        commands["Hive, Rust"] = [peers.node, script, "hive", str(supergraph), str(query), count]
    rows = []
    for planner, command in commands.items():
        print(f"  planning: {title}, {planner} …", file=sys.stderr, flush=True)
        try:
            runs = [run_json(command, env=None if command[0] == sys.executable else env) for _ in range(repeat)]
        except TookTooLong as error:
            rows.append((title, planner, "-", f"> {error.seconds * 1e3:.0f}", "-", "-", "-", "-"))
            continue
        rows.append(_row(title, planner, runs))
    return rows


def _row(title: str, planner: str, runs: list[dict[str, Any]]) -> tuple[str, ...]:
    load_ms = statistics.median(run["load_ms"] for run in runs)
    first_ms = statistics.median(run["plan_ms"][0] for run in runs)
    later_ms = statistics.median(ms for run in runs for ms in run["plan_ms"][1:])
    size = (str(runs[0]["fetches"]), str(runs[0]["in_a_row"]), runs[0]["verdict"])
    return title, planner, f"{load_ms:.1f}", f"{first_ms:.1f}", f"{later_ms:.1f}", *size


def _module(name: str, *arguments: Path) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.gateway.{name}", *(str(each) for each in arguments)]
