"""How good and how fast search is: `python -m benchmarks.search.run --data FOLDER`; see docs/search.md."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.gateway.tables import print_table
from benchmarks.loading import run_load
from benchmarks.search.checking import check_answers
from benchmarks.search.data import (
    combined_titles,
    judged_queries,
    movielens_titles,
    real_misspellings,
    typed_with_two_edits,
    wikipedia_films,
)
from benchmarks.search.engines import open_engine
from benchmarks.search.latency import (
    Latency,
    ask_at_rate,
    ask_door,
    fill_store,
    of_titles_alone,
    operation,
    searches,
    typed_beginnings,
    typed_letter_by_letter,
)
from benchmarks.search.personal import judged_with_tastes, measure_gains, read_people
from benchmarks.search.quality import Quality, mean_ndcg, recall
from benchmarks.search.serving import PACKAGES, Serving, serving
from subgraphs.titles.domain.title import Title
from subgraphs.titles.services.search import FIRST_HITS

ENGINES = ("tantivy", "opensearch", "fts5", "fts5-trigram", "multi_match")
PARTS = ("ndcg", "typos", "personal", "latency")
LARGE = 50_000
WARM_UP = 1_000
"""Questions of each kind before those that count: until then hardly a cast or a word was met before."""
WORST = 8


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
    if {"typos", "personal", "latency"} & set(parts):
        films = wikipedia_films(data)
        if "typos" in parts:
            asyncio.run(_measure_typos(data, films, engines, arguments))
        if "personal" in parts:
            asyncio.run(_measure_personal(data, films))
        if "latency" in parts:
            _measure_latency(films, arguments)
            ours = [each for each in engines if each in {"tantivy", "opensearch"}]
            run_load(_measure_engines(films, ours, arguments))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.search.run",
        description="Measures nDCG@10 of judged queries, recall@5 of misspelled names, and latencies over HTTP.",
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="ndcg, typos, personal, latency (default: all)")
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


async def _measure_personal(data: Path, films: Sequence[Title]) -> None:
    people = read_people(data, films)
    rows = []
    for gain in await measure_gains(films, people):
        for measure, (without, with_taste, interval) in (
            ("reciprocal rank", gain.reciprocal),
            ("among the first 5", gain.success),
        ):
            more = f"{interval.mean:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"
            rows.append((gain.what, f"{gain.count:,}", measure, f"{without:.3f}", f"{with_taste:.3f}", more))
    print_table(
        f"Held-out liked films of half of {len(people.ratings)} people, {people.joined:,} of {people.total:,} joined",
        ("text", "searches", "mean", "text alone", "with taste", "difference, 95 %"),
        rows,
    )
    titles = movielens_titles(data)
    plain, difference = await judged_with_tastes(titles, judged_queries(data, titles), data)
    print(
        f"nDCG@10 of the judged queries: {plain:.3f} by text, with a taste "
        f"{difference.mean:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]\n"
    )


def _measure_latency(films: Sequence[Title], arguments: argparse.Namespace) -> None:
    rows: list[tuple[str, ...]] = []
    cost: list[tuple[str, ...]] = []
    for titles in (films, combined_titles(films, LARGE)):
        with tempfile.TemporaryDirectory() as folder:
            state_dir = Path(folder)
            asyncio.run(fill_store(state_dir, titles))
            with serving(state_dir) as served:
                for door in served.doors:
                    for row, row_of_cost in _measure_door(served, door, titles, arguments):
                        rows.append(row)
                        cost.append(row_of_cost)
    header = ("question", "p50 ms", "p95 ms", "p99 ms", "of it sent late, p99", "answers checked")
    print_table(f"{arguments.rate:g} different questions per second, open loop", header, rows)
    cost_header = ("processor time of each, ms", *PACKAGES, "together", "memory of titles")
    print_table("What they cost", cost_header, cost)


def _measure_door(
    served: Serving, door: str, titles: Sequence[Title], arguments: argparse.Namespace
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Two rows for each kind of question; no text is asked of both doors, or twice of one, but where they repeat."""
    count = round(arguments.rate * arguments.seconds)
    mine = slice(list(served.doors).index(door), None, len(served.doors))
    needed = len(served.doors) * (count + WARM_UP)
    suggestions = operation("shared/search_suggestions")
    for what, query, texts in (
        ("search", operation("shared/search"), searches(titles, needed)[mine]),
        ("suggestions", suggestions, typed_beginnings(titles, needed)[mine]),
        ("suggestions letter by letter", suggestions, typed_letter_by_letter(titles, count + WARM_UP)),
    ):
        asked = query if door == "gateway" else of_titles_alone(query)
        run_load(ask_door(served.doors[door], asked, texts[:WARM_UP], arguments.rate))
        before = served.cpu_seconds()
        latency = run_load(ask_door(served.doors[door], asked, texts[WARM_UP:], arguments.rate))
        after = served.cpu_seconds()
        checked = asyncio.run(check_answers(titles, latency.answers))
        name = f"{what}, {len(titles):,} titles, " + ("the gateway" if door == "gateway" else f"{door} alone")
        of_each = {each: (after[each] - before[each]) / count * 1e3 for each in after}
        memory = f"{served.resident_megabytes('titles'):.0f} MB"
        yield (
            (name, *_quantiles(latency), f"{latency.quantile_of_lateness(0.99):.1f}", f"{checked:,}"),
            (name, *(f"{ms:.2f}" for ms in (*of_each.values(), sum(of_each.values()))), memory),
        )


async def _measure_engines(films: Sequence[Title], engines: Sequence[str], arguments: argparse.Namespace) -> None:
    """Each engine through the port in this process, without GraphQL: what is asked for the first page of a search."""
    texts = searches(films, round(arguments.rate * arguments.seconds) + WARM_UP)
    rows: list[tuple[str, ...]] = []
    for name in engines:
        async with open_engine(name, arguments.opensearch) as engine:
            await engine.fill(films)
            ask = partial(engine.search, limit=FIRST_HITS)
            await ask_at_rate(ask, texts[:WARM_UP], arguments.rate)
            began = time.process_time()
            latency = await ask_at_rate(ask, texts[WARM_UP:], arguments.rate)
            used = (time.process_time() - began) / len(latency.milliseconds) * 1e3
        rows.append((name, *_quantiles(latency), f"{used:.2f}"))
    print_table(
        f"{arguments.rate:g} different searches per second of an engine alone, {len(films):,} titles",
        ("engine", "p50 ms", "p95 ms", "p99 ms", "processor time here, ms"),
        rows,
    )


def _quantiles(latency: Latency) -> list[str]:
    return [f"{latency.quantile(share):.1f}" for share in (0.5, 0.95, 0.99)]


if __name__ == "__main__":
    sys.exit(main())
