"""Where a title stands in each order: the cursor of a list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from subgraphs.kernel.pagination import CursorKey
from subgraphs.titles.domain.browsing import SortDirection, TitleSort, order_name
from subgraphs.titles.domain.text import sort_name
from subgraphs.titles.domain.title import Title

__all__ = ["sort_key"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sort_key(title: Title, sort: TitleSort, direction: SortDirection | None = None) -> CursorKey:
    """Order, value, id: what a store needs to go on behind this title."""
    name = order_name(sort, direction)
    match sort:
        case TitleSort.POPULARITY:
            return (name, title.popularity, title.id)
        case TitleSort.NEWEST:
            return (name, (title.added_at - _EPOCH) // timedelta(microseconds=1), title.id)
        case TitleSort.RELEASE_YEAR:
            return (name, title.release_year or 0, title.id)
        case TitleSort.NAME:
            return (name, sort_name(title.display_name), title.id)
