"""Composition, loading and start-up for generated graphs of many subgraphs.

What our composer wrote is what every gateway is started with, so a start that answers shows that others can load it.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.gateway.contestants import OURS, Peers, gateways
from benchmarks.gateway.generated_graphs import many_subgraphs
from benchmarks.gateway.processes import GATEWAY_CORE, TookTooLong, memory_bytes, run_json, running
from benchmarks.gateway.tables import print_table

__all__ = ["run_composing"]


def run_composing(counts: Sequence[int], peers: Peers | None, repeat: int) -> None:
    """Measure graphs of these numbers of subgraphs and print two tables."""
    composed: list[tuple[str, ...]] = []
    started: list[tuple[str, ...]] = []
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            sources = [
                {"name": s.name, "url": f"http://{s.name}.invalid/", "sdl": s.sdl} for s in many_subgraphs(count)
            ]
            (folder / "subgraphs.json").write_text(json.dumps(sources))
            composed += _composed(count, folder, peers, repeat)
            started += _started(count, folder / "supergraph.graphql", peers, repeat)
    print_table("composition and loading", ("subgraphs", "composer", "compose s", "supergraph kB", "load s"), composed)
    print_table("start-up, until the first answer", ("subgraphs", "gateway", "start s", "MiB"), started)


def _composed(count: int, folder: Path, peers: Peers | None, repeat: int) -> list[tuple[str, ...]]:
    subgraphs, supergraph = str(folder / "subgraphs.json"), str(folder / "supergraph.graphql")
    commands = {OURS: [sys.executable, "-m", "benchmarks.gateway.compose_ours", subgraphs, supergraph]}
    if peers is not None:
        script = peers.script("compose.mjs")
        commands["Apollo"] = [peers.node, script, "apollo", subgraphs]
        commands["The Guild"] = [peers.node, script, "guild", subgraphs]
    rows = []
    for composer, command in commands.items():
        print(f"  composing: {count} subgraphs, {composer} …", file=sys.stderr, flush=True)
        env = peers.env() if peers is not None and composer != OURS else None
        try:
            runs = [run_json(command, env=env) for _ in range(repeat)]
        except TookTooLong as error:
            rows.append((str(count), composer, f"> {error.seconds:.0f}", "-", "-"))
            continue
        kilobytes = f"{runs[0]['supergraph_bytes'] / 1e3:.0f}"
        load_s = _median(runs, "load_s") if "load_s" in runs[0] else "-"
        rows.append((str(count), composer, _median(runs, "compose_s"), kilobytes, load_s))
    return rows


def _started(count: int, supergraph: Path, peers: Peers | None, repeat: int) -> list[tuple[str, ...]]:
    rows = []
    for each in gateways(supergraph, peers):
        print(f"  start-up: {count} subgraphs, {each.name} …", file=sys.stderr, flush=True)
        runs: list[dict[str, Any]] = []
        for _ in range(repeat):
            with running(each.command, each.url, env=each.env, core=GATEWAY_CORE) as (pid, seconds):
                runs.append({"start_s": seconds, "mib": memory_bytes(pid) / 2**20})
        memory_mib = statistics.median(run["mib"] for run in runs)
        rows.append((str(count), each.name, _median(runs, "start_s"), f"{memory_mib:.0f}"))
    return rows


def _median(runs: Sequence[dict[str, Any]], key: str) -> str:
    return f"{statistics.median(run[key] for run in runs):.2f}"
