"""How good and how fast search is: `python -m benchmarks.search.run --data FOLDER`; see docs/search.md."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gateway.processes import cpu_seconds
from benchmarks.gateway.tables import print_table
from benchmarks.heartbeats.servers import LOAD_CORE, REPOSITORY, free_port, start_server, valkey
from benchmarks.search.data import (
    combined_titles,
    judged_queries,
    movielens_titles,
    real_misspellings,
    typed_with_two_edits,
    wikipedia_films,
)
from benchmarks.search.engines import open_engine
from benchmarks.search.latency import SEARCH, SUGGEST, ask_at_rate, fill_store, searches, typed_beginnings
from benchmarks.search.quality import Quality, mean_ndcg, recall
from subgraphs.titles.domain.title import Title

ENGINES = ("tantivy", "opensearch", "fts5", "fts5-trigram", "multi_match")
PARTS = ("ndcg", "typos", "latency")
LARGE = 50_000
WARM_UP = 200
WORST = 8
IDLE_DEADLINE_S = 180
SERVER = """
import gc
from common.telemetry import configure_logs
from stack.entries import run_titles
import subgraphs.titles.app
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)  # as stack.preload has it
configure_logs("titles", "WARNING")
run_titles()
"""


def main() -> int:
    """Measure the chosen parts; raises ValueError for an answer that is wrong."""
    arguments = _parser().parse_args()
    # Asked to stop, the blocks that own servers must end, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    data = Path(arguments.data)
    if not (data / "search").is_dir():
        print(f"{data} has no folder search; give the folder of public data with --data", file=sys.stderr)
        return 2
    engines = [
        each
        for each in arguments.engines or ENGINES
        if arguments.opensearch or each not in {"opensearch", "multi_match"}
    ]
    parts = arguments.parts or PARTS
    if "ndcg" in parts:
        asyncio.run(_measure_ndcg(data, engines, arguments.opensearch))
    if {"typos", "latency"} & set(parts):
        films = wikipedia_films(data)
        if "typos" in parts:
            asyncio.run(_measure_typos(data, films, engines, arguments))
        if "latency" in parts:
            _measure_latency(films, arguments)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.search.run",
        description="Measures nDCG@10 of judged queries, recall@5 of misspelled names, and latencies over HTTP.",
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="ndcg, typos, latency (default: all)")
    parser.add_argument("--data", required=True, help="folder with catalog/, ratings/ and search/")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, help="default: all that can be had")
    parser.add_argument("--opensearch", metavar="URL", help="measures OpenSearch, too; indexes are made and removed")
    parser.add_argument("--count", type=int, default=1_000, help="misspelled names of either kind")
    parser.add_argument("--rate", type=float, default=100.0, help="questions per second")
    parser.add_argument("--seconds", type=float, default=20.0, help="of load for each row of latencies")
    return parser


async def _measure_ndcg(data: Path, engines: Sequence[str], opensearch_url: str | None) -> None:
    titles = movielens_titles(data)
    queries = judged_queries(data, titles)
    good, lost = sum(sum(map(bool, query.grades.values())) for query in queries), sum(query.lost for query in queries)
    rows: list[tuple[str, str]] = []
    worst: tuple[tuple[str, float], ...] = ()
    for name in engines:
        async with open_engine(name, opensearch_url) as engine:
            await engine.fill(titles)
            quality = await mean_ndcg(engine, queries)
        rows.append((name, f"{quality.mean:.3f}"))
        worst = worst or quality.worst[:WORST]
    print_table(
        f"{len(queries)} judged queries on {len(titles):,} names; {good} of {good + lost} good titles are among them",
        ("engine", "nDCG@10"),
        rows,
    )
    print(f"worst of {engines[0]}: {', '.join(f'{text} {score:.2f}' for text, score in worst)}\n")


async def _measure_typos(
    data: Path, films: Sequence[Title], engines: Sequence[str], arguments: argparse.Namespace
) -> None:
    generated = typed_with_two_edits(films, arguments.count)
    real = real_misspellings(data, films, arguments.count)
    rows = []
    for name in engines:
        async with open_engine(name, arguments.opensearch) as engine:
            await engine.fill(films)
            of_generated = await recall(engine, films, generated)
            of_real = await recall(engine, films, real)
        rows.append((name, f"{of_generated.mean:.3f}", f"{of_real.mean:.3f}"))
        if name == engines[0]:
            missed = _missed(of_generated), _missed(of_real)
    print_table(
        f"Recall@5 of misspelled names of {len(films):,} films",
        ("engine", f"two random edits ({len(generated)})", f"real misspellings ({len(real)})"),
        rows,
    )
    print(f"missed by {engines[0]}: {missed[0]}; {missed[1]}\n")


def _missed(quality: Quality) -> str:
    return ", ".join(text for text, score in quality.worst[:WORST] if not score)


def _measure_latency(films: Sequence[Title], arguments: argparse.Namespace) -> None:
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    for titles in (films, combined_titles(films, LARGE)):
        rows: list[tuple[str, ...]] = []
        with tempfile.TemporaryDirectory() as folder, valkey() as valkey_url:
            state_dir, port = Path(folder), free_port()
            asyncio.run(fill_store(state_dir, titles))
            environment = {
                **{name: value for name, value in os.environ.items() if not name.startswith("MARQUEE_")},
                "MARQUEE_STATE_DIR": folder,
                "MARQUEE_VALKEY_URL": valkey_url,
                "MARQUEE_LOG_LEVEL": "WARNING",
                "MARQUEE_TITLES_PORT": str(port),
                "MARQUEE_TITLES_ARTWORK_PRERENDERED_TITLES": "0",
                "PYTHONPATH": str(REPOSITORY),
            }
            server = start_server(["-c", SERVER], environment, port)
            try:
                _wait_until_idle(server.pid)
                count = round(arguments.rate * arguments.seconds)
                for what, query, texts in (
                    ("search", SEARCH, searches(titles, count + WARM_UP)),
                    ("suggestions", SUGGEST, typed_beginnings(titles, count + WARM_UP)),
                ):
                    asyncio.run(ask_at_rate(port, state_dir, query, texts[:WARM_UP], arguments.rate))
                    began_cpu = cpu_seconds(server.pid)
                    latency = asyncio.run(ask_at_rate(port, state_dir, query, texts[WARM_UP:], arguments.rate))
                    cpu_ms = (cpu_seconds(server.pid) - began_cpu) / latency.count * 1e3
                    rows.append(
                        (
                            f"{what}, {len(titles):,} titles",
                            *(f"{ms:.1f}" for ms in (latency.p50_ms, latency.p99_ms, cpu_ms)),
                        )
                    )
            finally:
                server.send_signal(signal.SIGTERM)
                server.wait()
        header = ("question", "p50 ms", "p99 ms", "CPU ms each")
        print_table(f"{arguments.rate:g} different questions per second over HTTP, tantivy, one core", header, rows)


def _wait_until_idle(pid: int) -> None:
    """Until the catalogue is announced, which a new store begins with."""
    for _ in range(IDLE_DEADLINE_S):
        before = cpu_seconds(pid)
        time.sleep(1)
        if cpu_seconds(pid) - before < 0.05:
            return
    raise SystemExit(f"the server was not idle within {IDLE_DEADLINE_S} s")


if __name__ == "__main__":
    sys.exit(main())
