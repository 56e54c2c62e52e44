"""Browsing as one SQL statement: filter, visibility and order inside the query, so that a page costs a page.

Several lists asked together, such as those of all genres, are one statement too: a part per list, joined by UNION ALL.

Keyset pages: the cursor holds the sort key of the last item, and the statement goes on behind it in the index's order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Float,
    FromClause,
    Row,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    union_all,
)

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.pagination import PageRequest
from subgraphs.kernel.policy import EVERYWHERE
from subgraphs.titles.adapters.sql import tables as t
from subgraphs.titles.domain.browsing import (
    PART_KINDS,
    BrowseRequest,
    CatalogueScope,
    Facets,
    TitleFilter,
    TitleSort,
)

__all__ = [
    "MAX_LISTS_PER_QUERY",
    "browse_statement",
    "facets_statement",
    "ids_in_order",
    "is_visible",
    "read_facets",
]

MAX_LISTS_PER_QUERY = 40
"""A list binds at most 24 variables; together they stay below SQLite's oldest limit of 999."""

_LAST = "\U0010ffff"
"""Greater than every letter."""

_SORT_COLUMN = {
    TitleSort.POPULARITY: "popularity",
    TitleSort.NEWEST: "added_at",
    TitleSort.RELEASE_YEAR: "release_year",
    TitleSort.NAME: "sort_name",
}


def browse_statement(scope: CatalogueScope, requests: Sequence[BrowseRequest]) -> CompoundSelect[Any]:
    """Rows of (place, id, number, word): for the request at each place one id more than its page asks for.

    A list's sort value is a number or a word, the other one null: PostgreSQL's columns have one type. The rows of a
    place are those that come first, in no promised order; `ids_in_order` makes it.
    """
    parts = []
    for place, request in enumerate(requests):
        part = _one_list(scope, request).subquery()
        is_word = request.sort is TitleSort.NAME
        number: ColumnElement[Any] = cast(null(), Float) if is_word else part.c.value
        word: ColumnElement[Any] = part.c.value if is_word else cast(null(), Text)
        parts.append(select(literal(place).label("place"), part.c.id, number.label("number"), word.label("word")))
    return union_all(*parts)


def ids_in_order(requests: Sequence[BrowseRequest], rows: Iterable[Row[Any]]) -> list[list[TitleId]]:
    """What `browse_statement` found, one list per request."""
    found: list[list[tuple[Any, str]]] = [[] for _ in requests]
    for row in sorted(rows, key=lambda row: row.id):
        found[row.place].append((row.number if row.word is None else row.word, row.id))
    for request, pairs in zip(requests, found, strict=True):
        pairs.sort(key=itemgetter(0), reverse=not request.is_ascending)
    return [[TitleId(title_id) for _, title_id in pairs] for pairs in found]


def facets_statement(scope: CatalogueScope, chosen: TitleFilter) -> Select[Any]:
    """Rows of (initial, release_year, count) for what a list with this filter holds; `read_facets` adds them up."""
    titles = t.titles.c
    conditions = [titles.kind.in_(chosen.kinds), *_filters(chosen), *is_visible(scope)]
    if chosen.kind in PART_KINDS:
        conditions.append(_is_of_nothing_hidden(scope))
    if chosen.genre_id is not None:
        of_genre = select(t.title_genres.c.title_id).where(t.title_genres.c.genre_id == chosen.genre_id)
        conditions.append(titles.id.in_(of_genre))
    return (
        select(titles.initial, titles.release_year, func.count().label("title_count"))
        .where(*conditions)
        .group_by(titles.initial, titles.release_year)
    )


def read_facets(rows: Iterable[Row[Any]]) -> Facets:
    """The sums."""
    return Facets.of((row.initial, row.release_year, row.title_count) for row in rows)


def _one_list(scope: CatalogueScope, request: BrowseRequest) -> Select[Any]:
    chosen, sort = request.chosen, request.sort
    ordered: Any = t.titles.c
    ordered_id: ColumnElement[str] = t.titles.c.id
    if chosen.genre_id is not None:
        # The genre's own index has the order: SQLite must start there, so the sort columns are taken from it.
        ordered, ordered_id = t.title_genres.c, t.title_genres.c.title_id
    column = ordered[_SORT_COLUMN[sort]]
    statement = select(t.titles.c.id, column.label("value"))
    if chosen.genre_id is not None:
        statement = statement.join_from(t.title_genres, t.titles, t.titles.c.id == t.title_genres.c.title_id)
        statement = statement.where(t.title_genres.c.genre_id == chosen.genre_id)
    is_ascending = request.is_ascending
    return (
        statement.where(
            t.titles.c.kind.in_(chosen.kinds),
            *_filters(chosen),
            *is_visible(scope),
            _after(request.page, column, ordered_id, is_ascending=is_ascending),
        )
        .order_by(column.asc() if is_ascending else column.desc(), ordered_id)
        .limit(request.page.first + 1)
    )


def _is_of_nothing_hidden(scope: CatalogueScope) -> ColumnElement[bool]:
    """Of an episode or video: that what it belongs to is visible, too."""
    parent = t.titles.alias("parent")
    of_title = parent.c.id == func.coalesce(t.titles.c.video_of, t.titles.c.series_id)
    return ~select(parent.c.id).where(of_title, not_(and_(*is_visible(scope, parent)))).exists()


def is_visible(scope: CatalogueScope, table: FromClause = t.titles) -> list[ColumnElement[bool]]:
    """The policy's visibility rules over a row of `titles`; the tests compare them with `decide`."""
    titles, windows, blocks = table.c, t.windows.c, t.blocks.c
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
    is_there = [titles.is_withdrawn.is_(False), titles.is_delisted.is_(False)]
    rules = [*is_there, titles.minimum_age <= scope.maximum_age, is_open, ~block.exists()]
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
    if chosen.maximum_age is not None:
        filters.append(titles.minimum_age <= chosen.maximum_age)
    for column, value in (
        (titles.original_language, chosen.original_language),
        (titles.origin_country, chosen.origin_country),
        (titles.initial, chosen.initial),
    ):
        if value is not None:
            filters.append(column == value)
    if chosen.name_prefix is not None:
        # Not BETWEEN: PostgreSQL takes no COLLATE inside, which every word compared with this column carries.
        filters += [titles.sort_name >= chosen.name_prefix, titles.sort_name <= chosen.name_prefix + _LAST]
    if chosen.added_since is not None:
        filters.append(titles.added_at >= t.to_micros(chosen.added_since))
    if chosen.person_id is not None:
        credited = select(t.credits_.c.title_id).where(t.credits_.c.person_id == chosen.person_id)
        if chosen.person_role is not None:
            credited = credited.where(t.credits_.c.role == chosen.person_role.value)
        filters.append(titles.id.in_(credited))
    return filters


def _after(
    page: PageRequest, column: Any, ordered_id: ColumnElement[str], *, is_ascending: bool
) -> ColumnElement[bool]:
    if page.after is None:
        return true()
    _, value, last_id = page.after
    # The plain bound lets the index start at the right place; the second half makes it exact among equals.
    bound = column >= value if is_ascending else column <= value
    behind = column > value if is_ascending else column < value
    return and_(bound, or_(behind, ordered_id > last_id))
