"""What a home page costs at scale: `python -m benchmarks.home.run`; see docs/benchmarks.md.

Generates a catalogue and an audience once, runs the system as `marquee up` does, loads home pages as the clients do,
and checks every answer that it keeps.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from rich.console import Console

from benchmarks.gateway.tables import print_table
from benchmarks.home.deployment import Deployment, running_system
from benchmarks.home.fill import Filled, Size, ensure_filled
from benchmarks.home.freshness import Freshness, measure_freshness
from benchmarks.home.load import Loaded
from benchmarks.home.measure import (
    Round,
    call_recommendations,
    known_members,
    load_at_rate,
    load_one_by_one,
    milliseconds,
    requests_per_operation,
    what_failed,
)
from benchmarks.home.quiet import DEADLINE_S, wait_until_quiet
from benchmarks.home.screens import SCREENS, Request, make_requests, sign_tokens
from common.telemetry import configure_logs

SYSTEM_CORE, LOAD_CORE, BOTH = "0", "1", "0,1"
GENTLE_RATE = 20.0
"""Per second: nobody queues, and nothing is refused."""
ROUND_HEADER = ("load", "requests/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "core %", "kB gzip", "requests")
PROCESSES = ("gateway", "recommendations", "titles", "playback", "valkey", "others")


def main() -> int:
    """Fill, measure, print; 1 when an answer was wrong, 2 when the machine lacks something."""
    arguments = _parser().parse_args()
    if shutil.which("taskset") is None or len(os.sched_getaffinity(0)) < 2:
        print("two processor cores and taskset are needed (Debian: apt install util-linux)", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    configure_logs("home", "WARNING")
    console = Console(stderr=True)
    size = Size(arguments.titles, arguments.profiles, arguments.seed)
    state_dir = arguments.state or Path.home() / ".cache/marquee" / f"home-{size.titles}-{size.profiles}-{size.seed}"
    filled = ensure_filled(state_dir, size, arguments.first_port, console)
    if arguments.fill_only:
        return 0
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    _print_machine(filled)
    with running_system(state_dir, arguments.first_port, cores=SYSTEM_CORE) as system:
        _wait_for_rest(system, console)
        return _measure(filled, system, arguments, console)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.home.run",
        description="Measures home pages of a generated catalogue and audience; the data is made once and kept.",
    )
    parser.add_argument("--titles", type=int, default=50_000, help="films, series and episodes in all (50000)")
    parser.add_argument("--profiles", type=int, default=100_000, help="with their histories (100000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same data (1)")
    parser.add_argument("--state", type=Path, help="folder of the data (~/.cache/marquee/home-…)")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each load (15)")
    parser.add_argument("--warm", type=int, default=300, help="profiles that come again and again (300)")
    parser.add_argument("--rate", type=float, default=50.0, help="arrivals per second (50)")
    parser.add_argument("--watchers", type=int, default=60, help="profiles whose watching is followed (60)")
    parser.add_argument("--first-port", type=int, default=5300, help="the first of ten ports (5300)")
    parser.add_argument("--fill-only", action="store_true", help="make the data, measure nothing")
    return parser


def _measure(filled: Filled, system: Deployment, arguments: argparse.Namespace, console: Console) -> int:
    at_rate = min(len(filled.audience) // 2, round(arguments.rate * arguments.seconds))
    warm_count = min(arguments.warm, len(filled.audience) // 4)
    # Each kind of load has profiles of its own: nobody's page is known who was not to be.
    warm = range(warm_count)
    others = iter(range(warm_count, len(filled.audience)))
    members = known_members(filled, warm_count)
    rounds = _Rounds(console)
    for name, screen in SCREENS.items():
        console.print(f"{name}: home pages of {warm_count} profiles that come again, and of new ones")
        requests = make_requests(screen, sign_tokens(filled.state_dir, filled.audience, warm))
        new = make_requests(screen, sign_tokens(filled.state_dir, filled.audience, _take(others, warm_count)))
        _warm_up(filled, system, requests)
        rounds.add(load_one_by_one(f"{name}, page known", filled, system, requests, members, seconds=arguments.seconds))
        rounds.add(load_at_rate(f"{name}, page built", filled, system, new, {}, rate=GENTLE_RATE))
        system.pin(BOTH)
        again = [requests[place % len(requests)] for place in range(at_rate)]
        rounds.add(
            load_at_rate(
                f"{name}, {arguments.rate:g}/s, page known", filled, system, again, members, rate=arguments.rate
            )
        )
        first_time = make_requests(screen, sign_tokens(filled.state_dir, filled.audience, _take(others, at_rate // 2)))
        rounds.add(
            load_at_rate(
                f"{name}, {arguments.rate:g}/s, page built", filled, system, first_time, {}, rate=arguments.rate
            )
        )
        system.pin(SYSTEM_CORE)
    _print_rounds(rounds.done, requests_per_operation(system, 50))
    system.pin(BOTH)
    console.print("recommendations alone")
    # The loads before have put the first profiles' pages out of memory.
    call_recommendations(filled, system, warm, GENTLE_RATE)
    known = call_recommendations(filled, system, [place % warm_count for place in range(at_rate)], arguments.rate)
    built = call_recommendations(filled, system, _take(others, warm_count), GENTLE_RATE)
    console.print("what a heartbeat changes on another device")
    watchers = sign_tokens(filled.state_dir, filled.audience, _take(others, arguments.watchers))
    fresh = asyncio.run(measure_freshness(filled, system, watchers))
    _print_rest({"known": known, "built": built}, fresh)
    _print_memory(system)
    problems = [f"{each.name}: {problem}" for each in rounds.done for problem in each.problems] + fresh.wrong
    problems += [f"recommendations alone: {problem}" for page in (known, built) for problem in what_failed(page)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


class _Rounds:
    """The loads that are done; each is told at once, as all of them take minutes."""

    def __init__(self, console: Console) -> None:
        self.done: list[Round] = []
        self._console = console

    def add(self, done: Round) -> None:
        """Keep and tell."""
        self.done.append(done)
        self._console.print(
            f"  {done.name}: {done.per_second:.0f}/s, {done.total_cpu_ms:.2f} ms of processor, "
            f"p99 {done.loaded.ms(0.99):.0f} ms"
        )


def _wait_for_rest(system: Deployment, console: Console) -> None:
    console.print("waiting for the system to come to rest")
    if not wait_until_quiet(system):
        print(f"the system did not come to rest in {DEADLINE_S:g} s: figures are too high", file=sys.stderr)


def _take(numbers: Iterator[int], count: int) -> list[int]:
    """The next numbers."""
    return list(islice(numbers, count))


def _warm_up(filled: Filled, system: Deployment, requests: Sequence[Request]) -> None:
    """Plans, tokens and pages of the warm profiles: each comes twice, at a pace at which nothing is refused."""
    for _ in range(2):
        load_at_rate("warm-up", filled, system, requests, {}, rate=GENTLE_RATE)


def _print_machine(filled: Filled) -> None:
    made = filled.made_at.isoformat(timespec="seconds")
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {len(filled.catalogue.titles):,} titles, {len(filled.audience):,} profiles, "
        f"generated {made}; load average before: {os.getloadavg()[0]:.1f}, at {time.strftime('%H:%M')}"
    )


def _print_rounds(rounds: Sequence[Round], requests: float) -> None:
    rows = [
        (
            each.name,
            f"{each.per_second:.0f}",
            *(f"{each.loaded.ms(share):.1f}" for share in (0.5, 0.95, 0.99)),
            f"{each.total_cpu_ms:.2f}",
            f"{each.core_ratio * 100:.0f}",
            f"{each.kilobytes:.1f}",
            str(len(each.loaded.answers)),
        )
        for each in rounds
    ]
    print_table("Home pages (aims: TV 100/s per core, p99 50 ms at 50/s; phone 150/s per core)", ROUND_HEADER, rows)
    print(f"requests to subgraphs per operation: {requests:.2f} (aim: 5 at most)")
    shares = [
        (each.name, *(_told(_cpu_of(each, process)) for process in PROCESSES), f"{each.total_cpu_ms:.2f}")
        for each in rounds
    ]
    print_table("Processor time per request, ms, by process", ("load", *PROCESSES, "all"), shares)


def _cpu_of(each: Round, process: str) -> float:
    if process in each.cpu_ms and process != "others":
        return each.cpu_ms[process]
    return sum(used for name, used in each.cpu_ms.items() if name not in PROCESSES[:-1])


def _told(cpu_ms: float) -> str:
    """Of a process that began anew in between nobody knows what it used; it is among the others'."""
    return f"{cpu_ms:.2f}" if cpu_ms >= 0 else "—"


def _print_rest(pages: Mapping[str, Loaded], fresh: Freshness) -> None:
    rows = [
        (f"page from recommendations alone, {name}", f"{page.ms(0.5):.1f}", f"{page.ms(0.99):.1f}", "10")
        for name, page in pages.items()
    ]
    for name, times, aim in (
        ("heartbeat → continue watching on another device", fresh.continued_s, "300"),
        ("finished film → gone from what is recommended", fresh.recommended_s, "1000"),
    ):
        rows.append(
            (f"{name} ({len(times)})", f"{milliseconds(times, 0.5):.0f}", f"{milliseconds(times, 0.99):.0f}", aim)
        )
    print_table("Calls and freshness, ms", ("what", "p50", "p99", "aim for p99"), rows)


def _print_memory(system: Deployment) -> None:
    resident = sorted(system.usage().resident_bytes.items(), key=lambda item: -item[1])
    print_table("Resident memory", ("process", "MiB"), [(name, f"{size / 2**20:.0f}") for name, size in resident])


if __name__ == "__main__":
    sys.exit(main())
