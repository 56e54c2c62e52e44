"""What may be asked of the catalogue: filter, order, and the part of it that this viewer may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.errors import ErrorKind, ServiceError
from common.tokens import Viewer
from subgraphs.kernel.pagination import PageRequest
from subgraphs.kernel.policy import MAX_MATURITY
from subgraphs.titles.domain.title import GenreId, TitleKind

__all__ = ["BrowseRequest", "CatalogueScope", "TitleFilter", "TitleSort"]


class TitleSort(StrEnum):
    """The orders of a list; ties are broken by id, so that every order is total."""

    POPULARITY = "POPULARITY"
    NEWEST = "NEWEST"
    RELEASE_YEAR = "RELEASE_YEAR"
    NAME = "NAME"


@dataclass(frozen=True, slots=True)
class TitleFilter:
    """What the client narrows a list by; None does not narrow. Without a kind, episodes are left out."""

    kind: TitleKind | None = None
    genre_id: GenreId | None = None
    release_year_from: int | None = None
    release_year_to: int | None = None
    kids_only: bool = False

    @property
    def kinds(self) -> tuple[TitleKind, ...]:
        """The kinds that pass."""
        return (TitleKind.MOVIE, TitleKind.SERIES) if self.kind is None else (self.kind,)


@dataclass(frozen=True, slots=True)
class BrowseRequest:
    """One page of one list. Raises ServiceError for a cursor of a list in another order, whose keys mean nothing here.

    Checked when it is made, and not where it is read: several requests are read together, and one that is wrong must
    not spoil the others.
    """

    chosen: TitleFilter
    sort: TitleSort
    page: PageRequest

    def __post_init__(self) -> None:
        if self.page.after is None:
            return
        order, value, last_id = self.page.after
        wanted = str if self.sort is TitleSort.NAME else int | float
        if order != self.sort.value or not isinstance(value, wanted) or not isinstance(last_id, str):
            raise ServiceError(
                ErrorKind.INVALID_ARGUMENT,
                f"after is a cursor of a list in another order than {self.sort.value}; start again",
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
