"""Measures this gateway beside others on one machine: one command, a table per scenario.

Usage: python -m benchmarks.gateway.run [SCENARIO …] [options]; see docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import shutil
import sys
from pathlib import Path

from benchmarks.gateway.composing import run_composing
from benchmarks.gateway.contestants import HERE, REPOSITORY, Peers
from benchmarks.gateway.planning import run_planning
from benchmarks.gateway.processes import LOAD_CORE
from benchmarks.gateway.serving import SERVING_SCENARIOS, LoadOptions, run_serving

SCENARIOS = {
    **{name: scenario.title for name, scenario in SERVING_SCENARIOS.items()},
    "planning": "cold planning: the heavy query and queries with very many possible plans",
    "composing": "composition, loading and start-up of 10, 100, 191 and 300 generated subgraphs",
}

MANY_PLANS = Path("packages/federation/tests/fixtures/many-plans")
"""Where the public fixture is in a checkout of its repository."""


def main() -> int:
    """Run the chosen scenarios; 1 when a request failed, 2 when the machine lacks something."""
    arguments = _parser().parse_args()
    unknown = [name for name in arguments.scenarios if name not in SCENARIOS]
    if unknown:
        return _refuse(f"there is no scenario '{unknown[0]}'; choose from {', '.join(SCENARIOS)}")
    chosen = arguments.scenarios or list(SCENARIOS)
    if not (arguments.case / "query.graphql").exists():
        return _refuse(f"no benchmark case in {arguments.case}; give its folder with --case")
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            return _refuse(f"{tool} is not installed (Debian: apt install wrk util-linux)")
    if (os.cpu_count() or 1) < 2:
        return _refuse("this machine has one processor core; two are needed, one for the gateway and one for the load")
    many_plans = None if arguments.many_plans is None else _many_plans(arguments.many_plans)
    if arguments.many_plans is not None and many_plans is None:
        return _refuse(f"neither {MANY_PLANS} nor query.graphql and supergraph.graphql are in {arguments.many_plans}")
    peers = _peers(arguments.peers)
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    _print_machine(peers)
    options = LoadOptions(
        arguments.case,
        arguments.seconds,
        arguments.warm_up,
        arguments.connections,
        arguments.repeat,
        tuple(arguments.only),
    )
    all_succeeded = True
    for name in chosen:
        if name == "planning":
            run_planning(arguments.case, many_plans, peers, arguments.repeat)
        elif name == "composing":
            run_composing(arguments.subgraphs, peers, arguments.repeat)
        else:
            all_succeeded &= run_serving(name, options, peers)
    return 0 if all_succeeded else 1


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:<10} {title}" for name, title in SCENARIOS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gateway.run",
        description=f"Measures this gateway beside others on one machine.\n\nscenarios (default: all):\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO")
    case = REPOSITORY.parent / "shared/cases/gateway_benchmark"
    parser.add_argument("--case", type=Path, default=case, help="folder with the heavy query, its data and its answer")
    parser.add_argument(
        "--many-plans", type=Path, help="folder with a query.graphql and supergraph.graphql to plan, too"
    )
    parser.add_argument("--peers", type=Path, default=HERE / "peers", help="npm folder where the peers are installed")
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="WORD", help="contestants with such a word in the name"
    )
    parser.add_argument("--seconds", type=int, default=10, help="load per contestant and round (10)")
    parser.add_argument("--warm-up", type=int, default=3, metavar="SECONDS", help="load before counting (3)")
    parser.add_argument("--connections", type=int, default=50, help="open at once (50)")
    parser.add_argument("--repeat", type=int, default=3, help="rounds; medians are told (3)")
    parser.add_argument("--subgraphs", type=int, nargs="*", default=[10, 100, 191, 300], help="graphs to compose")
    return parser


def _many_plans(folder: Path) -> Path | None:
    """The folder with the fixture, which may be in a checkout; None when it is not there."""
    return next((each for each in (folder / MANY_PLANS, folder) if (each / "query.graphql").is_file()), None)


def _peers(folder: Path) -> Peers | None:
    if (folder / "node_modules").is_dir():
        return Peers(folder.resolve())
    print(f"no peers: run `npm ci --ignore-scripts` in {folder} to measure beside them", file=sys.stderr)
    return None


def _print_machine(peers: Peers | None) -> None:
    """What the figures depend on, the other work on the machine included."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    today = dt.datetime.now(tz=dt.UTC).date()
    print(
        f"{today}, {os.cpu_count()} cores of {model}, Linux {platform.release()}, Python {platform.python_version()}, "
        f"load average before: {os.getloadavg()[0]:.1f}"
    )
    if peers is not None:
        print("peers: " + ", ".join(f"{name} {version}" for name, version in peers.versions().items()))


def _refuse(why: str) -> int:
    print(why, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
