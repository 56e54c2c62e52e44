"""An import: a file's rows into the catalogue, in batches, counted.

Idempotent and resumable: rows are compared with what is stored, so that a second run, or one after a break, changes
only what differs. Reading happens in a thread, batch by batch, so that the service goes on answering meanwhile.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, cast

from subgraphs.titles.imports.netflix import read_netflix
from subgraphs.titles.imports.rows import ImportedRow, RejectedRow, Row
from subgraphs.titles.imports.wikipedia import read_wikipedia
from subgraphs.titles.services.writing import CatalogueWriter, Taken

__all__ = ["FORMATS", "ImportProgress", "ImportRefused", "ImportReport", "import_catalogue"]

FORMATS: Mapping[str, Callable[[Iterable[str]], Iterator[Row]]] = {
    "wikipedia": read_wikipedia,
    "netflix": read_netflix,
}
BATCH_SIZE = 500
MAX_LISTED = 10_000
"""Rejected and repaired lines listed in a report; further ones are counted."""
MAX_LINE_LENGTH = 1_000_000
"""Characters; a longer line ends the import, it is no catalogue."""
_GZIP_MAGIC = b"\x1f\x8b"


class ImportRefused(Exception):
    """Nothing more of this file can be read; what was taken before stays."""


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is: rows read, and what became of them."""

    read: int = 0
    taken: Taken = field(default_factory=Taken)
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The end of an import. `rejected` and `repaired` are (line, reason), the first MAX_LISTED of each."""

    created: int
    updated: int
    unchanged: int
    matched: int
    rejected_count: int
    rejected: tuple[tuple[int, str], ...]
    repaired: tuple[tuple[int, str], ...]


async def import_catalogue(
    writer: CatalogueWriter,
    format_name: str,
    path: Path,
    progress: Callable[[ImportProgress], None] | None = None,
) -> ImportReport:
    """Take a file (plain or gzip) into the catalogue; raises ImportRefused when it is no such file.

    `progress` is called after each batch.
    """
    reader = FORMATS.get(format_name)
    if reader is None:
        raise ImportRefused(f"format is {format_name!r}; known are {', '.join(FORMATS)}")
    state = ImportProgress()
    rejected: list[tuple[int, str]] = []
    repaired: list[tuple[int, str]] = []
    with _open(path) as file:
        rows = reader(_lines(file))
        while batch := await asyncio.to_thread(_next_batch, rows, path):
            usable = [row for row in batch if isinstance(row, ImportedRow)]
            taken = await writer.take(
                [row.title for row in usable], [season for row in usable for season in row.seasons]
            )
            refused = [(row.line, row.reason) for row in batch if isinstance(row, RejectedRow)]
            rejected += refused[: MAX_LISTED - len(rejected)]
            remarks = [(row.line, row.remark) for row in usable if row.remark is not None]
            repaired += remarks[: MAX_LISTED - len(repaired)]
            state = ImportProgress(state.read + len(batch), state.taken + taken, state.rejected + len(refused))
            if progress is not None:
                progress(state)
    if state.read == 0:
        raise ImportRefused("the file has no rows")
    return ImportReport(
        created=state.taken.created,
        updated=state.taken.updated,
        unchanged=state.taken.unchanged,
        matched=state.taken.matched,
        rejected_count=state.rejected,
        rejected=tuple(rejected),
        repaired=tuple(repaired),
    )


def _open(path: Path) -> IO[str]:
    try:
        with path.open("rb") as file:
            is_compressed = file.read(2) == _GZIP_MAGIC
        # The wrapper closes what it wraps, and the caller closes the wrapper.
        raw = gzip.GzipFile(path, "rb") if is_compressed else path.open("rb")
    except OSError as error:
        raise ImportRefused(f"{path.name} can't be read: {error.strerror}") from error
    return io.TextIOWrapper(cast("IO[bytes]", raw), encoding="utf-8-sig", errors="strict", newline="")


def _lines(file: IO[str]) -> Iterator[str]:
    while line := file.readline(MAX_LINE_LENGTH + 1):
        if len(line) > MAX_LINE_LENGTH:
            raise ImportRefused(f"a line has more than {MAX_LINE_LENGTH} characters; this is no catalogue file")
        yield line


def _next_batch(rows: Iterator[Row], path: Path) -> list[Row]:
    try:
        return list(islice(rows, BATCH_SIZE))
    except UnicodeDecodeError as error:
        raise ImportRefused(f"{path.name} is no text in UTF-8: {error.reason}") from error
    except (EOFError, OSError, zlib.error) as error:
        raise ImportRefused(f"{path.name} is a damaged or cut-off gzip file: {error}") from error
