"""Brings a generated catalogue and audience into a state folder, once; a stamp says that it is whole.

Titles go through titles' store and reach playback and recommendations as they always do, by its events. Histories of a
hundred thousand profiles would take an hour as heartbeats: their bookmarks and tastes are what the services' own rules
make of one report each, written many at once, and read back through the ports at the end. Recommenders are trained
by the same command that operators use.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import orjson
from redis.asyncio import Redis
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.home.audience import Audience, Entry, Member, make_audience
from benchmarks.home.catalogue import CLOSES_IN, Catalogue, make_catalogue
from benchmarks.home.deployment import REPOSITORY, Deployment, running_system
from common.clock import SystemClock
from common.settings import SharedSettings
from common.valkey import open_valkey
from stack.valkey import valkey_url
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.kernel.sql import open_engine, sqlite_url, writing
from subgraphs.playback.adapters.instants import to_micros
from subgraphs.playback.adapters.sqlalchemy import tables
from subgraphs.playback.adapters.sqlalchemy.bookmarks import row_of_record
from subgraphs.playback.domain.bookmarks import BookmarkKey, PositionReport, ReportOrder, WatchRecord, hear_report
from subgraphs.playback.settings import PlaybackSettings
from subgraphs.playback.stores import open_stores
from subgraphs.recommendations.adapters.sqlalchemy.titles import SqlTitleStore as RecommendationsTitles
from subgraphs.recommendations.adapters.valkey.tastes import KEY_PREFIX, ValkeyTasteStore
from subgraphs.recommendations.adapters.valkey.trends import ValkeyTrendCounters
from subgraphs.titles.adapters.opening import open_search_index, open_title_store
from subgraphs.titles.services.calendar import AvailabilityCalendar
from subgraphs.titles.services.indexing import SearchUpdater

__all__ = ["Filled", "Size", "ensure_filled", "read_filled"]

ItemT = TypeVar("ItemT")

FORM = 1
"""Of what lies in the folder; another number fills it anew."""
STAMP = "benchmark.json"
TITLES_AT_ONCE, BOOKMARKS_AT_ONCE, TASTES_AT_ONCE, VIEWS_AT_ONCE = 500, 20_000, 500, 32
COUNTED_VIEWS = 10_000
"""Of the last week, for what is trending."""
CHECKED_PROFILES = 20
SPREAD_DEADLINE_S = 240.0
GOOD_FOR = CLOSES_IN - timedelta(days=1)
"""While titles close only when the generator knows it."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is generated, and from which seed."""

    titles: int
    profiles: int
    seed: int


@dataclass(frozen=True, slots=True)
class Filled:
    """A state folder with everything in it, and what the generator knows of it."""

    state_dir: Path
    made_at: datetime
    catalogue: Catalogue
    audience: Audience


def read_filled(state_dir: Path, size: Size) -> Filled | None:
    """What lies in the folder; None when it is of another size, too old, or was not finished."""
    try:
        stamp = json.loads((state_dir / STAMP).read_text())
    except (OSError, ValueError):
        return None
    if stamp.get("form") != FORM or stamp.get("size") != asdict(size) or not stamp.get("is_whole"):
        return None
    made_at = datetime.fromisoformat(stamp["made_at"])
    return _generate(state_dir, size, made_at) if datetime.now(UTC) - made_at < GOOD_FOR else None


def ensure_filled(state_dir: Path, size: Size, first_port: int, console: Console) -> Filled:
    """What lies in the folder, filled first when it is not this; a folder of anything else is refused."""
    known = read_filled(state_dir, size)
    if known is not None:
        asyncio.run(_align_index(state_dir))
        _ensure_trained(known, first_port, console)
        return known
    if state_dir.exists():
        if any(state_dir.iterdir()) and not (state_dir / STAMP).exists():
            raise SystemExit(f"{state_dir} holds something else than this benchmark's data; give another --state")
        shutil.rmtree(state_dir)
    began = time.monotonic()
    filled = _generate(state_dir, size, datetime.now(UTC))
    state_dir.mkdir(parents=True)
    # Says whose the folder is, and that it is not whole yet.
    _write_stamp(filled, size, is_whole=False)
    asyncio.run(_fill_stores(filled, console))
    with running_system(state_dir, first_port) as system:
        asyncio.run(_fill_running(filled, system, console))
    _ensure_trained(filled, first_port, console)
    _write_stamp(filled, size, is_whole=True)
    console.print(f"filled {state_dir} in {time.monotonic() - began:.0f} s")
    return filled


def _write_stamp(filled: Filled, size: Size, *, is_whole: bool) -> None:
    stamp = {"form": FORM, "size": asdict(size), "made_at": filled.made_at.isoformat(), "is_whole": is_whole}
    (filled.state_dir / STAMP).write_text(json.dumps(stamp))


def _generate(state_dir: Path, size: Size, made_at: datetime) -> Filled:
    catalogue = make_catalogue(size.titles, size.seed, made_at)
    return Filled(state_dir, made_at, catalogue, make_audience(catalogue, size.profiles, size.seed))


async def _fill_stores(filled: Filled, console: Console) -> None:
    with _progress(console) as progress:
        await _write_titles(filled, progress)
        await _write_bookmarks(filled, progress)
    await _align_index(filled.state_dir)


async def _write_titles(filled: Filled, progress: Progress) -> None:
    """Into the store and the search index, as an import does; events follow when the system runs."""
    folder = filled.state_dir / "titles"
    folder.mkdir()
    clock, catalogue = SystemClock(), filled.catalogue
    task = progress.add_task("titles", total=len(catalogue.titles))
    async with open_title_store(sqlite_url(folder / "titles.sqlite"), clock) as store:
        # Series before their seasons, seasons before their episodes.
        episodes = [episode for each in catalogue.episodes for episode in each]
        for titles, seasons in ((catalogue.works, catalogue.seasons), (episodes, ())):
            for some in _chunks(titles, TITLES_AT_ONCE):
                await store.save(some)
                progress.advance(task, len(some))
            await store.save([], seasons)


async def _align_index(state_dir: Path) -> None:
    """The search index as the store is, in this program's form, so that no rebuild runs beside what is measured."""
    folder, clock = state_dir / "titles", SystemClock()
    async with (
        open_title_store(sqlite_url(folder / "titles.sqlite"), clock) as store,
        open_search_index(None, "benchmark", folder / "search", clock) as index,
    ):
        await SearchUpdater(store, index, AvailabilityCalendar(), store.titles).settle()


async def _write_bookmarks(filled: Filled, progress: Progress) -> None:
    shared = SharedSettings(state_dir=filled.state_dir)
    settings = PlaybackSettings(shared=shared)
    async with open_stores(settings):
        pass
    engine = open_engine(settings.resolved_store_url)
    task = progress.add_task("bookmarks of profiles", total=len(filled.audience))
    statement = tables.upsert(engine, tables.bookmarks)
    try:
        for members in _chunks(filled.audience.members(), BOOKMARKS_AT_ONCE // 10):
            rows = [
                row_of_record(_heard(member, entry, filled.made_at)) for member in members for entry in member.entries
            ]
            async with writing(engine) as connection:
                await connection.execute(statement, rows)
            progress.advance(task, len(members))
    finally:
        await engine.dispose()


def _heard(member: Member, entry: Entry, made_at: datetime) -> WatchRecord:
    """What playback makes of the last report of this viewing."""
    viewer, at = member.viewer, made_at - timedelta(seconds=entry.age_s)
    report = PositionReport(
        key=BookmarkKey(ProfileId(viewer.profile_id or ""), TitleId(entry.title_id)),
        account_id=AccountId(viewer.account_id or ""),
        series_id=None if entry.series_id is None else TitleId(entry.series_id),
        device_id="living-room",
        order=ReportOrder(to_micros(at), 1),
        position_s=entry.position_s,
        duration_s=entry.duration_s,
        credits_start_s=None,
        received_at=at,
        is_final=True,
    )
    return hear_report(None, report).record


async def _fill_running(filled: Filled, system: Deployment, console: Console) -> None:
    url = valkey_url(filled.state_dir, system.ports["STACK_VALKEY"])
    async with open_valkey(url) as redis:
        with _progress(console) as progress:
            await _write_tastes(filled, redis, progress)
            await _count_views(filled, redis, progress)
            await _wait_for_titles(filled, system, progress)
        await _check(filled, redis)


async def _write_tastes(filled: Filled, redis: Redis, progress: Progress) -> None:
    task = progress.add_task("tastes of profiles", total=len(filled.audience))
    now_s = filled.made_at.timestamp()
    for members in _chunks(filled.audience.members(), TASTES_AT_ONCE):
        async with redis.pipeline(transaction=False) as pipeline:
            for member in members:
                pipeline.hset(f"{KEY_PREFIX}{member.viewer.profile_id}", mapping=_taste_fields(member, now_s))
            await pipeline.execute()
        progress.advance(task, len(members))


def _taste_fields(member: Member, now_s: float) -> dict[Any, Any]:
    """The hash of a profile's taste as the store keeps it."""
    fields: dict[str, bytes | int] = {"c": orjson.dumps([now_s, member.viewer.country])}
    for entry in member.entries:
        place = [entry.position_s, entry.duration_s, entry.is_finished, entry.is_finished]
        fields[f"w:{entry.title_id}"] = orjson.dumps([round(now_s - entry.age_s, 3), place])
    for title_id in member.listed:
        fields[f"o:list:{title_id}"] = orjson.dumps([now_s, True])
    for title_id in member.thumbed_up:
        fields[f"o:thumb:{title_id}"] = orjson.dumps([now_s, "THUMBS_UP"])
    fields["v"] = len(fields)
    return fields


async def _count_views(filled: Filled, redis: Redis, progress: Progress) -> None:
    """The last views of all profiles, as playback's events would have counted them."""
    recent = [
        (entry.age_s, member.viewer.profile_id or "", entry.series_id or entry.title_id, member.viewer.country)
        for member in islice(filled.audience.members(), COUNTED_VIEWS)
        for entry in member.entries
        if entry.age_s < timedelta(days=7).total_seconds()
    ][:COUNTED_VIEWS]
    counters = ValkeyTrendCounters(redis)
    task = progress.add_task("views", total=len(recent))
    for views in _chunks(recent, VIEWS_AT_ONCE):
        await asyncio.gather(
            *(
                counters.count_view(profile_id, title_id, country, filled.made_at - timedelta(seconds=age_s))
                for age_s, profile_id, title_id, country in views
            )
        )
        progress.advance(task, len(views))


async def _wait_for_titles(filled: Filled, system: Deployment, progress: Progress) -> None:
    """Until playback and recommendations have heard of every title."""
    wanted = len(filled.catalogue.titles)
    task = progress.add_task("titles told to the others", total=wanted)
    deadline = time.monotonic() + SPREAD_DEADLINE_S
    async with _recommendations_titles(filled.state_dir) as titles:
        while time.monotonic() < deadline:
            known = len(await titles.load())
            progress.update(task, completed=known)
            lags = [system.health(name).get("events") or {} for name in ("PLAYBACK", "RECOMMENDATIONS")]
            if known == wanted and not any(lag["undelivered"] or lag["pending"] for lag in map(_titles_lag, lags)):
                return
            await asyncio.sleep(2)
    raise SystemExit(f"after {SPREAD_DEADLINE_S:g} s the other services still have not heard of all titles")


def _titles_lag(lags: dict[str, dict[str, int]]) -> dict[str, int]:
    return lags.get("titles") or {"undelivered": 1, "pending": 0}


@contextlib.asynccontextmanager
async def _recommendations_titles(state_dir: Path) -> AsyncIterator[RecommendationsTitles]:
    engine = open_engine(sqlite_url(state_dir / "recommendations" / "recommendations.sqlite"))
    try:
        yield RecommendationsTitles(engine)
    finally:
        await engine.dispose()


async def _check(filled: Filled, redis: Redis) -> None:
    """What was written in bulk is what the services read; raises SystemExit where it is not."""
    tastes = ValkeyTasteStore(redis)
    settings = PlaybackSettings(shared=SharedSettings(state_dir=filled.state_dir))
    async with open_stores(settings) as stores:
        for member in islice(filled.audience.members(), CHECKED_PROFILES):
            profile_id = ProfileId(member.viewer.profile_id or "")
            expected = {_heard(member, entry, filled.made_at).bookmark for entry in member.entries}
            taste = await tastes.taste(profile_id)
            wanted = {(entry.title_id, entry.is_finished) for entry in member.entries}
            if set(await stores.bookmarks.history(profile_id, limit=1_000)) != expected:
                raise SystemExit(f"playback has another history of {profile_id} than the generator")
            if {(title_id, watched.ever_completed) for title_id, watched in taste.watched.items()} != wanted:
                raise SystemExit(f"recommendations has another taste of {profile_id} than the generator")


def _ensure_trained(filled: Filled, first_port: int, console: Console) -> None:
    """Unless there is a version of the recommenders already."""
    folder = filled.state_dir / "objects" / "models"
    if not folder.is_dir() or not any(folder.iterdir()):
        with running_system(filled.state_dir, first_port) as system:
            _train(system, console)


def _train(system: Deployment, console: Console) -> None:
    console.print("training the recommenders")
    done = subprocess.run(
        [sys.executable, "-m", "stack", "train"],
        env={**system.environment, "PATH": os.environ.get("PATH", "")},
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"`marquee train` ended with {done.returncode}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    console.print(done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<26}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def _chunks(items: Iterable[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
