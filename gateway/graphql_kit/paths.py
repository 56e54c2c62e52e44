"""Paths into a response tree that stand for many places at once.

A FlattenPath reads `users.@.reviews.@.product|[Book]`: response keys, "every item" for each list that may be there, and
type conditions that let only objects of the named types through. It never holds an index: a path with indices is a
place, and places exist only while an answer is being built.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "EVERY_ITEM",
    "EveryItem",
    "FlattenElement",
    "FlattenPath",
    "KeyElement",
    "TypeCondition",
    "write_flatten_path",
]


@dataclass(frozen=True, slots=True)
class KeyElement:
    """Into the object's value under this response key (which may be an internal alias)."""

    response_key: str


@dataclass(frozen=True, slots=True)
class EveryItem:
    """Into every item of the list that is here; null and missing items end there. One element per list level."""


@dataclass(frozen=True, slots=True)
class TypeCondition:
    """Only objects whose `__typename` is one of `type_names` (sorted) go on."""

    type_names: tuple[str, ...]


EVERY_ITEM = EveryItem()

FlattenElement: TypeAlias = KeyElement | EveryItem | TypeCondition
FlattenPath: TypeAlias = tuple[FlattenElement, ...]


def write_flatten_path(path: FlattenPath) -> str:
    """The path as people read it: `users.@.reviews.@`; a type condition is glued to what it narrows with `|[A,B]`."""
    parts: list[str] = []
    for element in path:
        match element:
            case KeyElement(response_key):
                parts.append(response_key)
            case EveryItem():
                parts.append("@")
            case TypeCondition(type_names):
                condition = f"|[{','.join(type_names)}]"
                if parts:
                    parts[-1] += condition
                else:
                    parts.append(condition)
    return ".".join(parts)
