"""Finding the objects that a flatten path stands for.

Two walkers over one definition: `build_finder` compiles a path into a chain of closures for the normal case, which
knows no indices and visits shared lists once; `locate` finds the places (with indices) of given objects again, and
runs only when an error has to be told where it happened.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeAlias

from gateway.errors import ResponsePathKeys
from gateway.graphql_kit.paths import EveryItem, FlattenPath, KeyElement, TypeCondition

__all__ = ["Finder", "build_finder", "locate", "response_keys"]

Finder: TypeAlias = Callable[[Any, list[dict[str, Any]]], None]
"""Appends the objects found below a value to the list, each object once, in document order."""

_Step: TypeAlias = Callable[[Any, list[dict[str, Any]], set[int]], None]


def build_finder(path: FlattenPath) -> Finder:
    """Compile a path."""
    step: _Step = _take
    for element in reversed(path):
        match element:
            case KeyElement(response_key):
                step = _into_key(response_key, step)
            case EveryItem():
                step = _into_items(step)
            case TypeCondition(type_names):
                step = _only_types(frozenset(type_names), step)

    def find(tree: Any, found: list[dict[str, Any]]) -> None:
        step(tree, found, {id(each) for each in found})

    return find


def _take(value: Any, found: list[dict[str, Any]], seen: set[int]) -> None:
    if value.__class__ is dict and id(value) not in seen:
        seen.add(id(value))
        found.append(value)


def _into_key(key: str, then: _Step) -> _Step:
    def step(value: Any, found: list[dict[str, Any]], seen: set[int]) -> None:
        if value.__class__ is dict:
            inner = value.get(key)
            if inner is not None:
                then(inner, found, seen)

    return step


def _into_items(then: _Step) -> _Step:
    def step(value: Any, found: list[dict[str, Any]], seen: set[int]) -> None:
        # A list that merging shared between several objects holds nothing new the second time.
        if value.__class__ is list and id(value) not in seen:
            seen.add(id(value))
            for item in value:
                then(item, found, seen)

    return step


def _only_types(names: frozenset[str], then: _Step) -> _Step:
    def step(value: Any, found: list[dict[str, Any]], seen: set[int]) -> None:
        if value.__class__ is dict:
            name = value.get("__typename")
            if name.__class__ is str and name in names:
                then(value, found, seen)

    return step


def locate(tree: Any, path: FlattenPath, targets: Collection[int], limit: int) -> list[tuple[ResponsePathKeys, int]]:
    """Places of the objects whose `id()` is in `targets`, with that id, in document order, at most `limit`."""
    found: list[tuple[ResponsePathKeys, int]] = []
    for place, value in _walk(tree, path, 0, ()):
        if id(value) in targets:
            found.append((place, id(value)))
            if len(found) >= limit:
                break
    return found


def _walk(value: Any, path: FlattenPath, at: int, place: ResponsePathKeys) -> Iterator[tuple[ResponsePathKeys, Any]]:
    if at == len(path):
        yield place, value
        return
    match path[at]:
        case KeyElement(response_key):
            if isinstance(value, dict) and value.get(response_key) is not None:
                yield from _walk(value[response_key], path, at + 1, (*place, response_key))
        case EveryItem():
            if isinstance(value, list):
                for index, item in enumerate(value):
                    yield from _walk(item, path, at + 1, (*place, index))
        case TypeCondition(type_names):
            if (
                isinstance(value, dict) and value.get("__typename") in type_names
            ):  # a tuple: any value may be looked for
                yield from _walk(value, path, at + 1, place)


def response_keys(path: FlattenPath) -> tuple[str, ...]:
    """The path's response keys alone."""
    return tuple(element.response_key for element in path if isinstance(element, KeyElement))
