"""An import: a file's rows into the catalogue, in batches, counted.

Idempotent: rows are compared with what is stored, so that a second run changes only what differs. Resumable at any
batch: the rows before are read again, for what a reader must know of them, and not written. Reading happens in a
thread, batch by batch, so that the service goes on answering meanwhile, and no more than a batch is in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import assert_never

import structlog

from common.errors import ServiceError
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.domain.title import Season, Title, TitleKind
from subgraphs.titles.imports.feed import FeedReader
from subgraphs.titles.imports.files import ImportFile, open_import_file
from subgraphs.titles.imports.formats import CatalogueFormat, open_format
from subgraphs.titles.imports.rows import (
    AvailabilityRow,
    ImportedRow,
    ImportRefused,
    RejectedRow,
    RemovalRow,
    Row,
    SeasonRow,
)
from subgraphs.titles.imports.seen import Seen
from subgraphs.titles.imports.threads import run_in_thread
from subgraphs.titles.ports import TitleStore
from subgraphs.titles.services.writing import CatalogueWriter, Taken

__all__ = ["MAX_REMOVED_RATIO", "Batch", "ImportOutcome", "ImportProgress", "ImportRequest", "import_catalogue"]

log = structlog.get_logger(__name__)

BATCH_SIZE = 500
MAX_REMOVED_RATIO = 0.1
"""Of a source's listed titles, as many may be missing from a full feed without a word; more looks like a mistake."""
RETRY_DELAYS_S = (1.0, 5.0, 20.0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to import. `show` goes with TVmaze's episodes; `work_dir` is for what is met on the way."""

    path: Path
    catalogue_format: CatalogueFormat
    work_dir: Path
    show: str | None = None
    is_removal_allowed: bool = False


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is: rows read and bytes of the file, and what became of the rows.

    `removed` titles were delisted; `repaired` rows were put right, and are among the others.
    """

    read: int = 0
    bytes_read: int = 0
    taken: Taken = field(default_factory=Taken)
    removed: int = 0
    rejected: int = 0
    repaired: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """After a batch: progress, and the rows of it that were rejected or repaired, as (line, reason)."""

    progress: ImportProgress
    rejected: tuple[tuple[int, str], ...]
    repaired: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """The end of an import; `held_removals` says why titles that a full feed lacks were left in the catalogue."""

    progress: ImportProgress
    held_removals: str | None = None


OnBatch = Callable[[Batch], Awaitable[None]]


async def import_catalogue(
    writer: CatalogueWriter,
    store: TitleStore,
    request: ImportRequest,
    on_batch: OnBatch,
    start: ImportProgress | None = None,
) -> ImportOutcome:
    """Take a file into the catalogue, from `start` on; raises ImportRefused when it is no such file.

    When `on_batch` is called, its rows are stored; progress that it keeps is a start for another run.
    """
    with open_import_file(request.path) as file, Seen(request.work_dir / "seen.sqlite") as seen:
        opened = await run_in_thread(open_format, request.catalogue_format, file, seen, request.show)
        if opened.feed is not None:
            await _require_newest(store, opened.feed)
        state = start or ImportProgress()
        if start is not None:
            await _skip(opened.rows, start.read)
        first_reject: tuple[int, str] | None = None
        while rows := await run_in_thread(_next_batch, opened.rows, BATCH_SIZE):
            applied = await _applied(writer, store, rows)
            first_reject = first_reject or next(iter(applied.rejected), None)
            state = _after(state, rows, applied, file)
            _require_some_use(state, first_reject, is_end=len(rows) < BATCH_SIZE)
            await on_batch(Batch(state, applied.rejected, applied.repaired))
        if state.read == 0:
            raise ImportRefused("the file has no rows")
        if opened.feed is None:
            return ImportOutcome(state)
        return await _finish_feed(writer, store, opened.feed, state, request)


@dataclass(frozen=True, slots=True)
class _Applied:
    taken: Taken
    removed: int
    rejected: tuple[tuple[int, str], ...]
    repaired: tuple[tuple[int, str], ...]


async def _applied(writer: CatalogueWriter, store: TitleStore, rows: Sequence[Row]) -> _Applied:
    """Again after a while when the store is away: a hiccup should not end the import of an hour."""
    for delay_s in RETRY_DELAYS_S:
        try:
            return await _Batching(writer, store, rows).apply()
        except ServiceError as error:
            log.warning("import.waiting", error=error.message, delay_s=delay_s)
            await asyncio.sleep(delay_s)
    return await _Batching(writer, store, rows).apply()


async def _skip(rows: Iterator[Row], count: int) -> None:
    """Batch by batch, so that it can be cancelled."""
    while count > 0:
        count -= len(await run_in_thread(_next_batch, rows, min(count, BATCH_SIZE))) or count


def _next_batch(rows: Iterator[Row], size: int) -> list[Row]:
    return list(islice(rows, size))


def _after(state: ImportProgress, rows: Sequence[Row], applied: _Applied, file: ImportFile) -> ImportProgress:
    return ImportProgress(
        read=state.read + len(rows),
        bytes_read=file.bytes_read(),
        taken=state.taken + applied.taken,
        removed=state.removed + applied.removed,
        rejected=state.rejected + len(applied.rejected),
        repaired=state.repaired + len(applied.repaired),
    )


def _require_some_use(state: ImportProgress, first_reject: tuple[int, str] | None, *, is_end: bool) -> None:
    """A file of which nothing is of use is another file than was meant."""
    if state.rejected == state.read and (state.read >= BATCH_SIZE or is_end) and first_reject is not None:
        line, reason = first_reject
        raise ImportRefused(f"none of the first {state.read:,} rows can be used; the first is line {line}: {reason}")


async def _require_newest(store: TitleStore, feed: FeedReader) -> None:
    newest = await store.position(_position_name(feed))
    if newest is not None and _micros(feed.header.generated_at) < newest:
        last = (_EPOCH + timedelta(microseconds=newest)).isoformat()
        raise ImportRefused(
            f"feed {feed.header.feed_id} is of {feed.header.generated_at.isoformat()}, older than the last one of "
            f"source {feed.header.source}, which is of {last}; send a newer one"
        )


def _position_name(feed: FeedReader) -> str:
    return f"feed:{feed.header.source}"


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


async def _finish_feed(
    writer: CatalogueWriter, store: TitleStore, feed: FeedReader, state: ImportProgress, request: ImportRequest
) -> ImportOutcome:
    held: str | None = None
    if feed.is_full:
        listed, missing = 0, 0
        async for ids, gone in _compare(store, feed):
            listed, missing = listed + len(ids), missing + len(gone)
        held = None if request.is_removal_allowed else _why_held(feed, listed, missing)
        if missing and held is None:
            async for _, gone in _compare(store, feed):
                state = replace(state, removed=state.removed + await writer.delist(gone))
    await store.set_position(_position_name(feed), _micros(feed.header.generated_at))
    return ImportOutcome(state, held)


async def _compare(store: TitleStore, feed: FeedReader) -> AsyncIterator[tuple[list[TitleId], list[TitleId]]]:
    """A source's listed titles, page by page, and those of them that the feed has no line about."""
    after = ""
    while ids := await store.ids_of_source(feed.header.source, after, BATCH_SIZE):
        yield ids, [title_id for title_id in ids if not feed.lists(title_id)]
        after = ids[-1]


def _why_held(feed: FeedReader, listed: int, missing: int) -> str | None:
    if not missing:
        return None
    if feed.doubt is not None:
        return f"{missing:,} titles are missing from the feed, but {feed.doubt}"
    if missing > MAX_REMOVED_RATIO * listed:
        return f"{missing:,} of {listed:,} titles are missing from the feed, more than {MAX_REMOVED_RATIO:.0%}"
    return None


class _Batching:
    """Some rows, into titles as they are to be stored."""

    def __init__(self, writer: CatalogueWriter, store: TitleStore, rows: Sequence[Row]) -> None:
        self._writer = writer
        self._store = store
        self._rows = rows
        self._titles: dict[TitleId, Title] = {}
        self._seasons: list[Season] = []
        self._removed: list[TitleId] = []
        self._rejected: list[tuple[int, str]] = []
        self._repaired: list[tuple[int, str]] = []

    async def apply(self) -> _Applied:
        stored = await self._store.titles(self._ids_to_read())
        series = await self._known_series()
        for row in self._rows:
            match row:
                case ImportedRow():
                    self._add_title(row, stored, series)
                case SeasonRow():
                    self._add_season(row, series)
                case AvailabilityRow():
                    self._add_availability(row, stored)
                case RemovalRow():
                    self._add_removal(row, stored)
                case RejectedRow():
                    self._rejected.append((row.line, row.reason))
                case _:
                    assert_never(row)
        taken = await self._writer.take(list(self._titles.values()), self._seasons)
        removed = await self._writer.delist(self._removed) if self._removed else 0
        return _Applied(taken, removed, tuple(self._rejected), tuple(self._repaired))

    def _ids_to_read(self) -> list[TitleId]:
        ids: list[TitleId] = []
        for row in self._rows:
            if isinstance(row, ImportedRow) and row.keeps_availability:
                ids.append(row.title.id)
            elif isinstance(row, AvailabilityRow | RemovalRow):
                ids += row.title_ids
        return list(dict.fromkeys(ids))

    async def _known_series(self) -> set[TitleId]:
        """Series in the store or in this batch, of those that the batch speaks of."""
        wanted = {row.title.series_id for row in self._rows if isinstance(row, ImportedRow)}
        wanted |= {row.season.series_id for row in self._rows if isinstance(row, SeasonRow)}
        here = {row.title.id for row in self._rows if isinstance(row, ImportedRow)}
        elsewhere = [series_id for series_id in wanted if series_id is not None and series_id not in here]
        return here | set(await self._store.digests(elsewhere)) if elsewhere else here

    def _add_title(self, row: ImportedRow, stored: dict[TitleId, Title], series: set[TitleId]) -> None:
        title = row.title
        if title.kind is TitleKind.EPISODE and title.series_id not in series:
            self._rejected.append((row.line, _NO_SERIES))
            return
        if row.keeps_availability and (before := stored.get(title.id)) is not None:
            title = replace(title, windows=before.windows, blocked_countries=before.blocked_countries)
        self._titles[title.id] = title
        self._seasons += row.seasons
        if row.remark is not None:
            self._repaired.append((row.line, row.remark))

    def _add_season(self, row: SeasonRow, series: set[TitleId]) -> None:
        if row.season.series_id in series:
            self._seasons.append(row.season)
        else:
            self._rejected.append((row.line, _NO_SERIES))

    def _add_availability(self, row: AvailabilityRow, stored: dict[TitleId, Title]) -> None:
        known = (self._titles.get(title_id) or stored.get(title_id) for title_id in row.title_ids)
        title = next(filter(None, known), None)
        if title is None:
            self._rejected.append((row.line, f"the source has no title {row.key!r} here, in this feed or before"))
            return
        self._titles[title.id] = replace(title, windows=row.windows, blocked_countries=row.blocked_countries)

    def _add_removal(self, row: RemovalRow, stored: dict[TitleId, Title]) -> None:
        known = [title_id for title_id in row.title_ids if title_id in stored]
        self._removed += known
        if not known:
            self._rejected.append((row.line, f"the source has no title {row.key!r} here that could be removed"))


_NO_SERIES = "its series is not in the catalogue, or is there from another source; import the series first"
