"""What may be asked of the catalogue: filter, order, and the part of it that this viewer may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.errors import ErrorKind, ServiceError
from common.tokens import Viewer
from subgraphs.kernel.pagination import PageRequest
from subgraphs.kernel.policy import MAX_MATURITY
from subgraphs.titles.domain.title import CreditRole, GenreId, PersonId, TitleKind

__all__ = [
    "PART_KINDS",
    "WHOLE_KINDS",
    "BrowseRequest",
    "CatalogueScope",
    "DurationBand",
    "Facets",
    "SortDirection",
    "TitleFilter",
    "TitleSort",
    "order_name",
]


class TitleSort(StrEnum):
    """The orders of a list; ties are broken by id, so that every order is total."""

    POPULARITY = "POPULARITY"
    NEWEST = "NEWEST"
    RELEASE_YEAR = "RELEASE_YEAR"
    NAME = "NAME"


WHOLE_KINDS = (TitleKind.MOVIE, TitleKind.SERIES)
"""What stands by itself, and in lists where no kind is named."""
PART_KINDS = (TitleKind.EPISODE, TitleKind.VIDEO)
"""What is shown only together with what it belongs to."""


class DurationBand(StrEnum):
    """How long a title runs, in whole minutes; a minute that has begun does not count."""

    UNDER_30_MINUTES = "UNDER_30_MINUTES"
    FROM_30_TO_59_MINUTES = "FROM_30_TO_59_MINUTES"
    FROM_60_TO_89_MINUTES = "FROM_60_TO_89_MINUTES"
    FROM_90_TO_119_MINUTES = "FROM_90_TO_119_MINUTES"
    FROM_120_MINUTES = "FROM_120_MINUTES"

    @classmethod
    def of(cls, duration_seconds: int | None) -> DurationBand | None:
        """The band of a duration; None where nobody knows it."""
        if duration_seconds is None:
            return None
        bands = list(cls)
        return bands[min(duration_seconds // (30 * 60), len(bands) - 1)]


class SortDirection(StrEnum):
    """Which end of an order comes first."""

    ASCENDING = "ASCENDING"
    DESCENDING = "DESCENDING"


def order_name(sort: TitleSort, direction: SortDirection | None) -> str:
    """What the cursors of an order are marked with; names go up and all else goes down where nothing is said."""
    usual = SortDirection.ASCENDING if sort is TitleSort.NAME else SortDirection.DESCENDING
    return sort.value if direction in {None, usual} else f"{sort.value} {direction}"


@dataclass(frozen=True, slots=True)
class TitleFilter:
    """What the client narrows a list by; None does not narrow. Without a kind, episodes and videos are left out.

    `name_prefix` is compared with `sort_name`, `initial` is one of `domain.text.initial`; `person_role` narrows
    `person_id`, and says nothing without it. `original_language` and `origin_country` are codes in ISO 639 and 3166.
    """

    kind: TitleKind | None = None
    genre_id: GenreId | None = None
    release_year_from: int | None = None
    release_year_to: int | None = None
    kids_only: bool = False
    maximum_age: int | None = None
    original_language: str | None = None
    origin_country: str | None = None
    person_id: PersonId | None = None
    person_role: CreditRole | None = None
    initial: str | None = None
    name_prefix: str | None = None
    added_since: datetime | None = None
    duration: DurationBand | None = None

    @property
    def kinds(self) -> tuple[TitleKind, ...]:
        """The kinds that pass."""
        return WHOLE_KINDS if self.kind is None else (self.kind,)

    @property
    def browse_only(self) -> tuple[str, ...]:
        """Names of what is set and only lists know: a search index need not."""
        names = ("person_id", "person_role", "initial", "name_prefix", "added_since")
        return tuple(name for name in names if getattr(self, name) is not None)

    def require_browsable(self) -> None:
        """Raises ServiceError when something is set that only search knows."""
        if self.duration is not None:
            raise ServiceError(
                ErrorKind.INVALID_ARGUMENT, "a list can't be narrowed by duration; leave it out, or search with it"
            )


@dataclass(frozen=True, slots=True)
class Facets:
    """How many titles of a list there are, in all, by initial and by decade (1920 is 1920 to 1929; None unknown)."""

    total_count: int
    count_by_initial: tuple[tuple[str, int], ...]
    count_by_decade: tuple[tuple[int | None, int], ...]

    @classmethod
    def of(cls, counts: Iterable[tuple[str, int, int]]) -> Facets:
        """From (initial, release year or 0, count) for each initial and year that there are."""
        by_initial: Counter[str] = Counter()
        by_decade: Counter[int] = Counter()
        for initial, release_year, count in counts:
            by_initial[initial] += count
            by_decade[release_year // 10 * 10] += count
        unknown = by_decade.pop(0, 0)
        decades: list[tuple[int | None, int]] = [*sorted(by_decade.items()), *([(None, unknown)] if unknown else [])]
        return cls(by_initial.total(), tuple(sorted(by_initial.items())), tuple(decades))


@dataclass(frozen=True, slots=True)
class BrowseRequest:
    """One page of one list. Raises ServiceError for a cursor of a list in another order, whose keys mean nothing here.

    Checked when it is made, and not where it is read: several requests are read together, and one that is wrong must
    not spoil the others.
    """

    chosen: TitleFilter
    sort: TitleSort
    page: PageRequest
    direction: SortDirection | None = None

    @property
    def is_ascending(self) -> bool:
        """Whether the smallest value comes first; ids are ascending among equals either way."""
        return self.sort is TitleSort.NAME if self.direction is None else self.direction is SortDirection.ASCENDING

    def __post_init__(self) -> None:
        self.chosen.require_browsable()
        if self.page.after is None:
            return
        order, value, last_id = self.page.after
        wanted = str if self.sort is TitleSort.NAME else int | float
        expected = order_name(self.sort, self.direction)
        if order != expected or not isinstance(value, wanted) or not isinstance(last_id, str):
            raise ServiceError(
                ErrorKind.INVALID_ARGUMENT,
                f"after is a cursor of a list in another order than {expected}; start again",
            )


@dataclass(frozen=True, slots=True)
class CatalogueScope:
    """The policy's visibility rules in a form that a store can put into its query.

    A store that applies it finds exactly the titles for which `decide(viewer, …).may_see` holds; the tests hold the two
    together. `country` None: nobody's country, windows for all countries only, and no title that is blocked anywhere.
    """

    country: str | None
    maximum_age: int
    kids_only: bool
    now: datetime

    @classmethod
    def of(cls, viewer: Viewer, now: datetime) -> CatalogueScope:
        """What `viewer` may see at `now`."""
        unlimited = MAX_MATURITY if viewer.profile_id is None else 0
        return cls(
            country=viewer.country,
            maximum_age=unlimited if viewer.maturity is None else viewer.maturity,
            kids_only=viewer.is_kids,
            now=now,
        )
