"""What building a page costs: `python -m benchmarks.pages.run --data FOLDER`; see docs/pages.md.

Processor time of one thread, in one process, of pages that nothing was kept of, for profiles with 100 watched titles
and reasons; by kind of page, and by stage for the home page. Each profile's page is built three times: `first` when the
process meets the profile (titles like its favourites may have to be looked for), `again` after that, as when an event
has changed its taste, and `same taste`, when its scores are kept: another page of it, or an event that it learns
nothing from.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.gateway.tables import print_table
from benchmarks.pages.worlds import NOW, World, generated_records, make_world, real_records
from common.tokens import Viewer
from stack.entries import COLLECT_AFTER
from subgraphs.recommendations.domain.artwork_sizes import ImageFormat
from subgraphs.recommendations.domain.devices import Device, FormFactor
from subgraphs.recommendations.domain.page import PageWish
from subgraphs.recommendations.domain.sections import PageKind, SectionKind
from subgraphs.recommendations.pages import build_page as builder
from subgraphs.recommendations.pages.build_page import PageFacts, PageRequest, build_page, draft_page

STAGES: Mapping[str, Sequence[str]] = {
    "signals": ("read_signals",),
    "scores": ("Models.scored",),
    "candidate rows": ("propose_rows",),
    "choice": ("PageChoice", "PageChoice.best"),
    "sections and reasons": ("_hero_section", "_section"),
    "matches": ("_matches",),
    "revision": ("_finish",),
}
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
"""As in serving: pages of many profiles are made at once, each in one thread."""
PHONE = (FormFactor.PHONE, 390, 844, 3.0)
TV = (FormFactor.TV, 1920, 1080, 1.0)


def main() -> int:
    """Print the tables."""
    arguments = _parser().parse_args()
    if not os.environ.items() >= ONE_THREAD.items():
        # The libraries read it when they are loaded, which they are.
        os.execve(
            sys.executable, [sys.executable, "-m", "benchmarks.pages.run", *sys.argv[1:]], os.environ | ONE_THREAD
        )
    data = Path(arguments.data)
    worlds: dict[str, Callable[[], Any]] = {}
    if (data / "catalog").is_dir():
        worlds["36,000 real films"] = lambda: real_records(data)
    else:
        print(f"{data} has no folder catalog: real films are left out", file=sys.stderr)
    if arguments.titles:
        worlds[f"{arguments.titles:,} generated titles"] = lambda: generated_records(arguments.titles)
    for name, records in worlds.items():
        world = make_world(records(), arguments.profiles, Path(arguments.cache).expanduser())
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        _report(f"{name} ({len(world.models.catalogue):,} titles, {len(world.tastes)} profiles)", world)
        gc.unfreeze()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pages.run", description="Measures the processor time of building pages."
    )
    parser.add_argument("--data", default="../shared/data", help="folder of public data with catalog/")
    parser.add_argument("--titles", type=int, default=50_000, help="of the generated catalogue; 0: leave it out")
    parser.add_argument("--profiles", type=int, default=100, help="profiles to make pages for")
    parser.add_argument("--cache", default="~/.cache/marquee/benchmarks", help="where trained models are kept")
    return parser


def _report(name: str, world: World) -> None:
    rows = []
    for kind, device in ((PageKind.HOME, TV), (PageKind.HOME, PHONE), (PageKind.MOVIES, TV), (PageKind.GENRE, TV)):
        found = [_times(world, kind, device) for _ in range(2)]
        found.append(_times(world, kind, device, is_kept=True))
        rows.append(
            [f"{kind.value.lower()}, {device[0].value}", *(figure for each in found for figure in _figures(each))]
        )
    header = ["page", "first p50 ms", "p99", "again p50 ms", "p99", "same taste p50 ms", "p99"]
    print_table(f"Pages, {name}", header, rows)
    shares = _stages(world)
    print_table(
        f"Home page on a TV by stage, {name}",
        ["stage", "p50 ms", "p99"],
        [[stage, *_figures(times)] for stage, times in shares.items()],
    )


def _times(
    world: World, kind: PageKind, device: tuple[FormFactor, int, int, float], *, is_kept: bool = False
) -> list[float]:
    """Milliseconds of processor time, a page for each profile; `is_kept`: whose scores are kept."""
    times = []
    for number in range(len(world.tastes)):
        request, facts = _ask(world, number, kind, device)
        world.models.forget_scores()
        if is_kept:
            draft_page(request, facts, NOW)
        started = time.thread_time()
        build_page(request, facts, NOW, timedelta(minutes=10))
        times.append((time.thread_time() - started) * 1_000)
    return times


def _ask(
    world: World, number: int, kind: PageKind, device: tuple[FormFactor, int, int, float]
) -> tuple[PageRequest, PageFacts]:
    form_factor, width, height, ratio = device
    drawn = Device(form_factor, width, height, ratio, (ImageFormat.WEBP,), frozenset(SectionKind))
    genre_id = min(world.models.catalogue.genres_by_id) if kind is PageKind.GENRE else None
    owner = f"prof_{number}"
    viewer = Viewer(account_id="acc_1", country="US", subscription="ACTIVE", profile_id=owner, maturity=18)
    request = PageRequest(PageWish(kind, drawn, genre_id), viewer, "US", owner)
    return request, PageFacts(world.models, world.tastes[number], world.trends)


def _stages(world: World) -> dict[str, list[float]]:
    """Milliseconds of each stage, by clocks around the functions that build_page calls."""
    spent = dict.fromkeys(STAGES, 0.0)
    found: dict[str, list[float]] = {stage: [] for stage in STAGES}

    def timed(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            started = time.thread_time()
            try:
                return function(*arguments, **options)
            finally:
                spent[stage] += (time.thread_time() - started) * 1_000

        return call

    with ExitStack() as stack:
        for stage, names in STAGES.items():
            # Methods first: afterwards the class's name is another function.
            for name in reversed(names):
                class_name, _, attribute = name.rpartition(".")
                owner = getattr(builder, class_name) if class_name else builder
                stack.enter_context(patch.object(owner, attribute, timed(stage, getattr(owner, attribute))))
        for number in range(len(world.tastes)):
            for stage in spent:
                spent[stage] = 0.0
            request, facts = _ask(world, number, PageKind.HOME, TV)
            world.models.forget_scores()
            build_page(request, facts, NOW, timedelta(minutes=10))
            for stage, times in found.items():
                times.append(spent[stage])
    return found


def _figures(times: Sequence[float]) -> list[str]:
    return [f"{np.percentile(times, 50):.2f}", f"{np.percentile(times, 99):.2f}"]


if __name__ == "__main__":
    raise SystemExit(main())
