"""Representations: what is sent to `_entities` for the objects at a place, each distinct one once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import orjson

from gateway.executor.generate_collector import generate_grouping
from gateway.executor.places import Finder, build_finder
from gateway.planner.plan.nodes import EntityInput, RepresentationField, RepresentationShape

__all__ = ["Collector", "Representations", "Taker", "build_collector", "build_taker", "is_unavailable"]

_UNAVAILABLE: Final = object()
Taker: TypeAlias = Callable[[dict[str, Any]], Any]
"""Makes an object's representation; `is_unavailable` tells whether it has none."""


@dataclass(frozen=True, slots=True)
class Representations:
    """Distinct representations of one entity input, and every object that each came from.

    `written` is their JSON array; its i-th item was built from each object of `targets[i]`; `targets[i][j]` belongs to
    the input's path `path_indices[i][j]`. Objects that are null, of another type, or lack an input are left out.
    """

    written: bytes
    targets: list[list[dict[str, Any]]]
    path_indices: list[list[int]]


Collector: TypeAlias = Callable[[dict[str, Any]], Representations]


def build_collector(entity_input: EntityInput, *, keep_paths: bool = True) -> Collector:
    """Compile one entity input into a function from the response tree to its representations.

    Without `keep_paths` the objects of all paths are alike, `path_indices` is empty, and collecting is quicker.
    """
    take = build_taker(entity_input.shapes)
    if not keep_paths:
        return _build_quick_collector(entity_input, take)
    finders: list[Finder] = [build_finder(path) for path in entity_input.paths]
    dumps = orjson.dumps

    def collect(tree: dict[str, Any]) -> Representations:
        index_by_encoded: dict[bytes, int] = {}
        targets: list[list[dict[str, Any]]] = []
        path_indices: list[list[int]] = []
        found: list[dict[str, Any]] = []
        done = 0
        for path_index, find in enumerate(finders):
            find(tree, found)
            for each in found[done:]:
                representation = take(each)
                if representation is _UNAVAILABLE:
                    continue
                encoded = dumps(representation)
                index = index_by_encoded.get(encoded)
                if index is None:
                    index_by_encoded[encoded] = len(targets)
                    targets.append([each])
                    path_indices.append([path_index])
                else:
                    targets[index].append(each)
                    path_indices[index].append(path_index)
            done = len(found)
        return Representations(b"[" + b",".join(index_by_encoded) + b"]", targets, path_indices)

    return collect


def _build_quick_collector(entity_input: EntityInput, take: Taker) -> Collector:
    group, write = generate_grouping(entity_input.paths, entity_input.shapes, take)

    def collect(tree: dict[str, Any]) -> Representations:
        targets = list(group(tree).values())
        return Representations(write(targets), targets, [])

    return collect


def is_unavailable(representation: Any) -> bool:
    """Whether a taker found no representation: another type, or something is missing."""
    return representation is _UNAVAILABLE


def build_taker(shapes: Sequence[RepresentationShape]) -> Taker:
    """One taker for all shapes: the first that accepts an object's type makes the representation."""
    by_type: dict[str, Taker] = {}
    fallback: Taker | None = None
    for shape in shapes:
        taker = _build_shape(shape)
        if shape.type_names is None:
            fallback = taker
            break
        for name in shape.type_names:
            by_type.setdefault(name, taker)
    if not by_type and fallback is not None:
        return fallback

    def take(source: dict[str, Any]) -> Any:
        name = source.get("__typename")
        taker = by_type.get(name, fallback) if name.__class__ is str else fallback
        return _UNAVAILABLE if taker is None else taker(source)

    return take


def _build_shape(shape: RepresentationShape) -> Taker:
    fields = _build_fields(shape.fields)
    sent = shape.sent_typename

    def take(source: dict[str, Any]) -> Any:
        type_name = sent if sent is not None else source.get("__typename")
        if type_name is None:
            return _UNAVAILABLE
        representation: dict[str, Any] = {"__typename": type_name}
        return representation if fields(source, representation) else _UNAVAILABLE

    return take


def _build_fields(fields: Sequence[RepresentationField]) -> Callable[[dict[str, Any], dict[str, Any]], bool]:
    """A function that fills a representation from an object and tells whether everything was there."""
    plan = [
        (
            each.name,
            each.source_key,
            each.type_names,
            _build_fields(each.fields) if each.fields else None,
        )
        for each in fields
    ]
    if len(plan) == 1 and plan[0][2] is None and plan[0][3] is None:
        name, source_key, _, _ = plan[0]

        def fill_one(source: dict[str, Any], into: dict[str, Any]) -> bool:
            value = source.get(source_key, _UNAVAILABLE)
            into[name] = value
            return value is not _UNAVAILABLE

        return fill_one

    def fill(source: dict[str, Any], into: dict[str, Any]) -> bool:
        for name, source_key, type_names, nested in plan:
            if type_names is not None and source.get("__typename") not in type_names:
                continue
            value = source.get(source_key, _UNAVAILABLE)
            if value is _UNAVAILABLE:
                return False
            if nested is not None:
                value = _take_nested(value, nested)
                if value is _UNAVAILABLE:
                    return False
            into[name] = value
        return True

    return fill


def _take_nested(value: Any, fill: Callable[[dict[str, Any], dict[str, Any]], bool]) -> Any:
    if value is None:
        return None
    if value.__class__ is list:
        items = [_take_nested(item, fill) for item in value]
        return _UNAVAILABLE if any(item is _UNAVAILABLE for item in items) else items
    if value.__class__ is not dict:
        return _UNAVAILABLE
    representation: dict[str, Any] = {}
    return representation if fill(value, representation) else _UNAVAILABLE
