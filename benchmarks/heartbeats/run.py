"""Heartbeats per second of one core: `python -m benchmarks.heartbeats.run [STORE …]`; see docs/benchmarks.md."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.gateway.processes import cpu_seconds
from benchmarks.gateway.tables import print_ratios, print_table
from benchmarks.heartbeats.players import Player, Tally, make_players, report_for, sign_contexts
from benchmarks.heartbeats.servers import LOAD_CORE, OURS, free_port, playback_environment, start_server, valkey
from benchmarks.heartbeats.verify import count_lost, count_lost_naive
from common.telemetry import configure_logs

NAIVE = "from benchmarks.heartbeats.naive import serve; serve()"
WARM_UP_S = 2.0
CONTEXTS = 10
"""Per player: with six reports each they last for longer than a round."""
HEADER = ("store", "acknowledged/s", "CPU µs each", "core %", "p50 ms", "p99 ms", "refused", "lost")


@dataclass(frozen=True, slots=True)
class Figures:
    """One round."""

    per_second: float
    cpu_us: float
    core_ratio: float
    p50_ms: float
    p99_ms: float
    refused: int
    lost: int


def main() -> int:
    """Measure the chosen stores; 1 when an answer was wrong or an acknowledged heartbeat is not in its store."""
    arguments = _parser().parse_args()
    # Asked to stop, the blocks that own servers must end, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if shutil.which("taskset") is None or (os.cpu_count() or 1) < 2:
        print("two processor cores and taskset are needed (Debian: apt install util-linux)", file=sys.stderr)
        return 2
    configure_logs("heartbeats", "WARNING")
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    stores: dict[str, str | None] = {"sqlite": None, "naive": None}
    given = {"postgresql": arguments.postgresql, "mongodb": arguments.mongodb}
    stores.update({name: url for name, url in given.items() if url is not None})
    rows, cpu, lost = [], {}, 0
    for name in arguments.stores or list(stores):
        if name not in stores:
            print(f"give the address of {name} with --{name}; known here: {', '.join(stores)}", file=sys.stderr)
            return 2
        rounds = [_measure(name, stores[name], arguments) for _ in range(arguments.repeat)]
        middle = sorted(rounds, key=lambda figures: figures.cpu_us)[len(rounds) // 2]
        cpu[name], lost = middle.cpu_us, lost + sum(figures.lost for figures in rounds)
        rows.append(_row(name, middle))
    print_table("Acknowledged heartbeats through the subgraph's HTTP, one core", HEADER, rows)
    print_ratios("CPU per heartbeat", "sqlite", cpu)
    return 1 if lost else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.heartbeats.run",
        description="Measures acknowledged heartbeats, and checks that the store has every one of them.",
    )
    parser.add_argument("stores", nargs="*", metavar="STORE", help="sqlite, naive, postgresql, mongodb (default: all)")
    parser.add_argument("--seconds", type=float, default=8.0, help="of load per round, after two seconds of warm-up")
    parser.add_argument("--repeat", type=int, default=3, help="rounds; the one with the median processor time is told")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--players", type=int, default=400)
    parser.add_argument("--postgresql", metavar="URL", help="postgresql+asyncpg://… of an empty database")
    parser.add_argument("--mongodb", metavar="URL", help="mongodb://…/database")
    return parser


def _measure(name: str, store_url: str | None, arguments: argparse.Namespace) -> Figures:
    with tempfile.TemporaryDirectory() as folder, valkey() as valkey_url:
        state_dir, port = Path(folder), free_port()
        players = asyncio.run(make_players(state_dir, valkey_url, arguments.players))
        environment = playback_environment(state_dir, valkey_url, port, store_url)
        server = start_server(["-c", NAIVE if name == "naive" else OURS], environment, port)
        try:
            sign_contexts(state_dir, players, CONTEXTS)
            uvloop.run(report_for(port, players, arguments.connections, WARM_UP_S))
            began, began_cpu = time.monotonic(), cpu_seconds(server.pid)
            tally = uvloop.run(report_for(port, players, arguments.connections, arguments.seconds))
            took, cpu = time.monotonic() - began, cpu_seconds(server.pid) - began_cpu
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
        if tally.wrong:
            raise SystemExit(f"{len(tally.wrong)} wrong answers, the first: {tally.wrong[0]}")
        lost = count_lost_naive(state_dir, players) if name == "naive" else _count_lost(store_url, state_dir, players)
        return _figures(tally, took, cpu, lost)


def _count_lost(store_url: str | None, state_dir: Path, players: Sequence[Player]) -> int:
    return asyncio.run(count_lost(store_url, state_dir, players))


def _figures(tally: Tally, took_s: float, cpu_s: float, lost: int) -> Figures:
    cuts = statistics.quantiles(tally.latencies_s, n=100)
    return Figures(
        per_second=tally.acknowledged / took_s,
        cpu_us=cpu_s / tally.acknowledged * 1e6,
        core_ratio=cpu_s / took_s,
        p50_ms=cuts[49] * 1e3,
        p99_ms=cuts[98] * 1e3,
        refused=tally.unavailable,
        lost=lost,
    )


def _row(name: str, figures: Figures) -> tuple[str, ...]:
    return (
        name,
        f"{figures.per_second:,.0f}",
        f"{figures.cpu_us:.0f}",
        f"{figures.core_ratio * 100:.0f}",
        f"{figures.p50_ms:.1f}",
        f"{figures.p99_ms:.1f}",
        str(figures.refused),
        str(figures.lost),
    )


if __name__ == "__main__":
    sys.exit(main())
