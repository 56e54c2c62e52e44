"""Relay connections: bounded pages forward, opaque cursors, the same PageInfo in every subgraph.

A cursor holds the sort key of its item, so that a page stays right while items are added or removed before it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import strawberry.federation

from common.errors import ErrorKind, ServiceError

__all__ = [
    "CursorKey",
    "Page",
    "PageInfo",
    "PageRequest",
    "page_info",
    "read_cursor",
    "read_page_request",
    "write_cursor",
]

ItemT = TypeVar("ItemT")
OtherT = TypeVar("OtherT")

CursorKey = tuple[str | int | float | None, ...]
"""The sort key of an item, as the store orders by it."""

_MAX_CURSOR_LENGTH = 4_096
"""The longest name that a list is ordered by, in any script, with room to spare."""


@strawberry.federation.type(shareable=True, description="Where a page stands in its list.")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What to read: `first` items after the item with sort key `after` (None: from the start)."""

    first: int
    after: CursorKey | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """Items in order with their sort keys; `has_previous_page` is true when the page began after a cursor."""

    items: tuple[ItemT, ...]
    keys: tuple[CursorKey, ...]
    has_next_page: bool
    has_previous_page: bool

    @property
    def cursors(self) -> tuple[str, ...]:
        """One for each item."""
        return tuple(write_cursor(key) for key in self.keys)

    @classmethod
    def cut(cls, found: Sequence[ItemT], request: PageRequest, key: Callable[[ItemT], CursorKey]) -> Page[ItemT]:
        """The page from `first + 1` items read (or all that there are): the one too many says that more follow."""
        items = tuple(found[: request.first])
        return cls(
            items=items,
            keys=tuple(key(item) for item in items),
            has_next_page=len(found) > request.first,
            has_previous_page=request.after is not None,
        )

    def map(self, change: Callable[[ItemT], OtherT]) -> Page[OtherT]:
        """The same page of other items."""
        return Page(tuple(change(item) for item in self.items), self.keys, self.has_next_page, self.has_previous_page)


def page_info(page: Page[ItemT]) -> PageInfo:
    """The GraphQL object for a page."""
    return PageInfo(
        has_next_page=page.has_next_page,
        has_previous_page=page.has_previous_page,
        start_cursor=write_cursor(page.keys[0]) if page.keys else None,
        end_cursor=write_cursor(page.keys[-1]) if page.keys else None,
    )


def read_page_request(first: int, after: str | None, *, max_first: int, key_length: int | None = None) -> PageRequest:
    """The request in a field's arguments; raises ServiceError naming the bound or the cursor.

    `key_length`: how many parts this list's sort key has; a cursor of another list is refused by it.
    """
    if not 0 <= first <= max_first:
        raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"first is {first}; ask for 0 to {max_first} items at a time")
    key = None if after is None else read_cursor(after)
    if key is not None and key_length is not None and len(key) != key_length:
        raise ServiceError(
            ErrorKind.INVALID_ARGUMENT, f"after is {after!r}, a cursor of another list; pass an endCursor of this one"
        )
    return PageRequest(first=first, after=key)


def write_cursor(key: CursorKey) -> str:
    """Opaque text for a sort key; `read_cursor` reads it back."""
    text = json.dumps(list(key), separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> CursorKey:
    """The sort key in a cursor; raises ServiceError for anything that write_cursor did not write."""
    key = _decoded(cursor) if len(cursor) <= _MAX_CURSOR_LENGTH else None
    if not isinstance(key, list) or not all(part is None or isinstance(part, str | int | float) for part in key):
        raise ServiceError(
            ErrorKind.INVALID_ARGUMENT,
            f"after is {cursor[:40]!r}, which is no cursor of this list; pass an endCursor as it was given",
        )
    return tuple(key)


def _decoded(cursor: str) -> object:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        return None
