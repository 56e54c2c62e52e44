"""Cursors of pages: bound to a revision, so that paging neither repeats nor skips while the page changes.

A cursor is (revision, key of the list, place): the list is SECTIONS or a section's key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from graphql import GraphQLError

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.pagination import PageInfo, read_cursor, write_cursor

__all__ = ["SECTIONS", "Place", "Slice", "check_first", "cursor_of", "cut", "page_expired", "place_of"]

ItemT = TypeVar("ItemT")

SECTIONS = ""
MAX_FIRST = 50


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cursor points."""

    revision: str
    list_key: str
    offset: int


@dataclass(frozen=True)
class Slice(Generic[ItemT]):
    """Items with their places, which `cursor_of` writes for those who ask."""

    items: Sequence[ItemT]
    places: Sequence[Place]
    info: PageInfo


def place_of(cursor: str) -> Place:
    """What a cursor says; raises ServiceError for anything that `cut` did not write."""
    key = read_cursor(cursor)
    match key:
        case (str(revision), str(list_key), int(offset)) if offset >= 0:
            return Place(revision, list_key, offset)
        case _:
            raise ServiceError(
                ErrorKind.INVALID_ARGUMENT, "after is a cursor of another list; pass an endCursor of this one"
            )


def cursor_of(place: Place) -> str:
    """What `place_of` reads back."""
    return write_cursor((place.revision, place.list_key, place.offset))


def cut(items: Sequence[ItemT], revision: str, list_key: str, first: int, after: Place | None) -> Slice[ItemT]:
    """`first` items after a place, or from the start; raises ServiceError naming the bound or the foreign list."""
    check_first(first)
    if after is not None and after.list_key != list_key:
        raise ServiceError(
            ErrorKind.INVALID_ARGUMENT, "after is a cursor of another list; pass an endCursor of this one"
        )
    start = 0 if after is None else after.offset + 1
    found = items[start : start + first]
    places = [Place(revision, list_key, start + offset) for offset in range(len(found))]
    info = PageInfo(
        has_next_page=start + len(found) < len(items),
        has_previous_page=start > 0,
        start_cursor=cursor_of(places[0]) if places else None,
        end_cursor=cursor_of(places[-1]) if places else None,
    )
    return Slice(found, places, info)


def check_first(first: int) -> int:
    """A number of items at a time; raises ServiceError naming the bound."""
    if not 0 <= first <= MAX_FIRST:
        raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"first is {first}; ask for 0 to {MAX_FIRST} items at a time")
    return first


def page_expired() -> GraphQLError:
    """The error that tells a client to load the page again; clients branch on the code."""
    return GraphQLError(
        "the page that this cursor belongs to is not kept any more; load the page again without a cursor",
        extensions={"code": "PAGE_EXPIRED"},
    )
