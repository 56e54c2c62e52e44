"""What a reader yields: something for the catalogue, or a line that can't be used and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from subgraphs.kernel.ids import TitleId, stable_id
from subgraphs.kernel.policy import Window
from subgraphs.titles.domain.title import Season, Title, TitleKind

__all__ = [
    "AvailabilityRow",
    "ImportRefused",
    "ImportedRow",
    "RejectedRow",
    "RemovalRow",
    "Row",
    "RowUnusable",
    "SeasonRow",
    "ids_of_key",
]


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """A usable line; `remark` says what had to be put right in it.

    `keeps_availability`: the line says nothing of windows and blocks, so that a known title keeps those that it has.
    """

    line: int
    title: Title
    seasons: tuple[Season, ...] = ()
    remark: str | None = None
    keeps_availability: bool = False


@dataclass(frozen=True, slots=True)
class SeasonRow:
    """A season by itself; its series came before, in this file or an earlier one."""

    line: int
    season: Season


@dataclass(frozen=True, slots=True)
class AvailabilityRow:
    """Windows and blocks of a title that came before; one of `title_ids` is its id."""

    line: int
    key: str
    title_ids: tuple[TitleId, ...]
    windows: tuple[Window, ...]
    blocked_countries: frozenset[str]


@dataclass(frozen=True, slots=True)
class RemovalRow:
    """A title that its source offers no longer; one of `title_ids` is its id."""

    line: int
    key: str
    title_ids: tuple[TitleId, ...]


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A line that is left out. Lines are counted from 1, header included.

    `key` is the source's key of what the line was about, where that much could be read.
    """

    line: int
    reason: str
    key: str | None = None


Row = ImportedRow | SeasonRow | AvailabilityRow | RemovalRow | RejectedRow


class RowUnusable(Exception):
    """Raised inside a reader; its message becomes the row's reason, `key` the row's key."""

    def __init__(self, reason: str, key: str | None = None) -> None:
        super().__init__(reason)
        self.key = key


class ImportRefused(Exception):
    """Nothing (more) of this file can be read; what was taken before stays."""


_KINDS: Sequence[TitleKind] = (TitleKind.MOVIE, TitleKind.SERIES, TitleKind.EPISODE)


def ids_of_key(source: str, key: str) -> tuple[TitleId, ...]:
    """The ids that a source's key can stand for: one for each kind, since ids begin with their kind."""
    return tuple(TitleId(stable_id(kind.id_prefix, source, key)) for kind in _KINDS)
