"""Browsing as one SQL statement: filter, visibility and order inside the query, so that a page costs a page.

Keyset pages: the cursor holds the sort key of the last item, and the statement goes on behind it in the index's order.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, true

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.pagination import PageRequest
from subgraphs.kernel.policy import EVERYWHERE
from subgraphs.titles.adapters.sql import tables as t
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter, TitleSort

__all__ = ["browse_statement", "is_visible"]

_SORT_COLUMN = {
    TitleSort.POPULARITY: "popularity",
    TitleSort.NEWEST: "added_at",
    TitleSort.RELEASE_YEAR: "release_year",
    TitleSort.NAME: "sort_name",
}


def browse_statement(
    scope: CatalogueScope, chosen: TitleFilter, sort: TitleSort, page: PageRequest
) -> Select[tuple[str]]:
    """Ids in order, one more than the page asks for."""
    statement = select(t.titles.c.id)
    ordered: Any = t.titles.c
    ordered_id: ColumnElement[str] = t.titles.c.id
    if chosen.genre_id is not None:
        # The genre's own index has the order: SQLite must start there, so the sort columns are taken from it.
        statement = statement.join_from(t.title_genres, t.titles, t.titles.c.id == t.title_genres.c.title_id)
        statement = statement.where(t.title_genres.c.genre_id == chosen.genre_id)
        ordered, ordered_id = t.title_genres.c, t.title_genres.c.title_id
    column = ordered[_SORT_COLUMN[sort]]
    is_ascending = sort is TitleSort.NAME
    return (
        statement.where(
            t.titles.c.kind.in_(chosen.kinds),
            *_filters(chosen),
            *is_visible(scope),
            _after(page, sort, column, ordered_id, is_ascending=is_ascending),
        )
        .order_by(column.asc() if is_ascending else column.desc(), ordered_id)
        .limit(page.first + 1)
    )


def is_visible(scope: CatalogueScope) -> list[ColumnElement[bool]]:
    """The policy's visibility rules over a row of `titles`; the tests compare them with `decide`."""
    titles, windows, blocks = t.titles.c, t.windows.c, t.blocks.c
    now = t.to_micros(scope.now)
    countries = [EVERYWHERE] if scope.country is None else [EVERYWHERE, scope.country]
    is_open = (
        select(windows.title_id)
        .where(
            windows.title_id == titles.id,
            windows.country.in_(countries),
            or_(windows.opens_at.is_(None), windows.opens_at <= now),
            or_(windows.closes_at.is_(None), windows.closes_at > now),
        )
        .exists()
    )
    block = select(blocks.title_id).where(blocks.title_id == titles.id)
    if scope.country is not None:
        block = block.where(blocks.country.in_(countries))
    rules = [titles.is_withdrawn.is_(False), titles.minimum_age <= scope.maximum_age, is_open, ~block.exists()]
    return [*rules, titles.is_kids.is_(True)] if scope.kids_only else rules


def _filters(chosen: TitleFilter) -> list[ColumnElement[bool]]:
    titles = t.titles.c
    filters: list[ColumnElement[bool]] = []
    if chosen.release_year_from is not None:
        filters.append(titles.release_year >= chosen.release_year_from)
    if chosen.release_year_to is not None:
        # An unknown year is stored as 0 and lies in no range.
        filters.append(titles.release_year.between(1, chosen.release_year_to))
    if chosen.kids_only:
        filters.append(titles.is_kids.is_(True))
    return filters


def _after(
    page: PageRequest, sort: TitleSort, column: Any, ordered_id: ColumnElement[str], *, is_ascending: bool
) -> ColumnElement[bool]:
    if page.after is None:
        return true()
    # A cursor's first part names the order that it belongs to: one of another order would silently skip titles.
    order, value, last_id = page.after
    wanted = str if sort is TitleSort.NAME else int | float
    if order != sort.value or not isinstance(value, wanted) or not isinstance(last_id, str):
        raise ServiceError(
            ErrorKind.INVALID_ARGUMENT, f"after is a cursor of a list in another order than {sort.value}; start again"
        )
    # The plain bound lets the index start at the right place; the second half makes it exact among equals.
    bound = column >= value if is_ascending else column <= value
    behind = column > value if is_ascending else column < value
    return and_(bound, or_(behind, ordered_id > last_id))
