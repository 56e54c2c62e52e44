"""Deep merge of subgraph answers into the response tree.

Objects merge key by key, lists item by item; where both sides have a leaf either may stay (subgraphs agree on shared
fields), the type name already there stays, and null never replaces a value. What is merged in may be shared afterwards:
several objects of the tree may hold the very same value. That is safe as long as every later step that reaches it
through one of them reaches it through all of them; `fetch` copies where the plan does not promise that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["copy_json", "merge_each", "merge_into_all", "merge_object"]


def merge_object(target: dict[str, Any], source: dict[str, Any]) -> None:
    """Merge `source` into `target` in place; `target` may hold parts of `source` afterwards."""
    if target.keys().isdisjoint(source.keys()):  # nearly always: a step delivers what was not there
        target.update(source)
        return
    for key, value in source.items():
        current = target.get(key)
        if current is None:
            target[key] = value
        elif current is not value:
            kind = value.__class__
            if kind is dict and current.__class__ is dict:
                merge_object(current, value)
            elif kind is list and current.__class__ is list:
                _merge_list(current, value)


def merge_each(targets: Sequence[Sequence[dict[str, Any]]], sources: Sequence[dict[str, Any] | None]) -> None:
    """Merge the i-th object, if there is one, into all of the i-th targets, which may hold parts of it together."""
    for into, source in zip(targets, sources, strict=True):
        if source is None:
            continue
        if len(into) == 1 and into[0].keys().isdisjoint(
            source.keys()
        ):  # nearly always; `merge_object` would do the same
            into[0].update(source)
        else:
            merge_into_all(into, source)


def merge_into_all(targets: Sequence[dict[str, Any]], source: dict[str, Any]) -> None:
    """Merge one object into several, which may hold parts of it together afterwards."""
    if len(targets) == 1 or "__typename" in source or not _holds_leaves_only(source):
        for target in targets:
            merge_object(target, source)
        return
    leaves = {key: value for key, value in source.items() if value is not None}
    nulls = source.keys() - leaves.keys()
    for target in targets:
        target.update(leaves)
        for key in nulls:
            target.setdefault(key, None)


def _holds_leaves_only(source: dict[str, Any]) -> bool:
    return all(value.__class__ is not dict and value.__class__ is not list for value in source.values())


def _merge_list(target: list[Any], source: list[Any]) -> None:
    for index, value in enumerate(source[: len(target)]):
        current = target[index]
        if current is None:
            target[index] = value
        elif current is not value:
            kind = value.__class__
            if kind is dict and current.__class__ is dict:
                merge_object(current, value)
            elif kind is list and current.__class__ is list:
                _merge_list(current, value)


def copy_json(value: Any) -> Any:
    """An equal value that shares nothing mutable."""
    kind = value.__class__
    if kind is dict:
        return {key: copy_json(item) for key, item in value.items()}
    if kind is list:
        return [copy_json(item) for item in value]
    return value
