"""What a reader yields: a title for the catalogue, or a line that can't be used and why."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.titles.domain.title import Season, Title

__all__ = ["ImportedRow", "RejectedRow", "Row", "RowUnusable"]


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """A usable line; `remark` says what had to be put right in it."""

    line: int
    title: Title
    seasons: tuple[Season, ...] = ()
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A line that is left out. Lines are counted from 1, header included."""

    line: int
    reason: str


Row = ImportedRow | RejectedRow


class RowUnusable(Exception):
    """Raised inside a reader; its message becomes the row's reason."""
