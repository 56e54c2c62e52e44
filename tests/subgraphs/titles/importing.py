"""Imports in tests: files made of lines, runs to their end, and what came of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from subgraphs.titles.imports import CatalogueFormat, ImportProgress, ImportRequest, import_catalogue
from subgraphs.titles.imports.run import Batch
from tests.subgraphs.titles.conftest import Parts


@dataclass
class Ran:
    """An import that came to its end."""

    progress: ImportProgress = field(default_factory=ImportProgress)
    held: str | None = None
    steps: list[ImportProgress] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)
    repaired: list[tuple[int, str]] = field(default_factory=list)

    @property
    def counts(self) -> tuple[int, int, int]:
        """Created, updated, unchanged."""
        taken = self.progress.taken
        return taken.created, taken.updated, taken.unchanged


async def run_import(parts: Parts, name: str, path: Path, **options: Any) -> Ran:
    """Import a file; options are ImportRequest's."""
    ran = Ran()

    async def note(batch: Batch) -> None:
        ran.steps.append(batch.progress)
        ran.rejected += batch.rejected
        ran.repaired += batch.repaired

    request = ImportRequest(path, CatalogueFormat(name), path.parent, **options)
    outcome = await import_catalogue(parts.writer, parts.store, request, note)
    ran.progress, ran.held = outcome.progress, outcome.held_removals
    return ran


def write(path: Path, text: str, *, compressed: bool = False) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if compressed else text.encode())
    return path


HEADER = {
    "record": "header",
    "format": "marquee-feed",
    "version": 1,
    "feedId": "acme-1",
    "source": "acme",
    "scope": "full",
    "generatedAt": "2026-11-20T00:00:00Z",
}


def lines_of(records: Iterable[dict[str, Any] | str]) -> str:
    """Records as JSON lines; a text is a line as it is."""
    return "".join(
        (record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)) + "\n" for record in records
    )


def feed(*records: dict[str, Any] | str, end: bool = True, **header: Any) -> str:
    """A feed of these records, with header and, for a full one, its end."""
    head = HEADER | header
    tail = [{"record": "end", "records": len(records)}] if end and head["scope"] == "full" else []
    return lines_of([head, *records, *tail])


def movie(key: str, **values: Any) -> dict[str, Any]:
    """A film that may be seen everywhere."""
    base = {"record": "title", "key": key, "kind": "MOVIE", "name": f"Film {key}", "releaseYear": 2020}
    return base | {"availability": {"windows": [{"country": "*"}]}} | values


def series(key: str, **values: Any) -> dict[str, Any]:
    """A series that may be seen everywhere."""
    return movie(key, **{"kind": "SERIES", "name": f"Series {key}"} | values)


def episode(key: str, series_key: str, season: int, number: int, **values: Any) -> dict[str, Any]:
    """An episode that may be seen where its series may."""
    base = {"record": "episode", "key": key, "series": series_key, "season": season, "number": number}
    return base | {"name": f"Episode {key}"} | values
