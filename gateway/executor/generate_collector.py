"""Straight-line Python that finds the objects of an entity input and groups them by equal representation.

Problem: a page holds thousands of objects, and finding each through a chain of closures costs more than everything
that is done with it. Idea: write the nested loops that a person would write, one per path; key each object by its
inputs where these are plain strings and numbers, build a representation only for the first object of each group, and
write all of them as JSON at once.

Invariants: same groups in the same order as the closures of `representations` give (held by
tests/gateway/executor/test_representations.py), except that an object which stands at several places may be in its
group several times; merging is idempotent, so that only costs time. Lists that merging shared between places are
entered once, otherwise a page that nests the same entities would be walked exponentially often.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import orjson

from gateway.graphql_kit.paths import EveryItem, FlattenPath, KeyElement, TypeCondition
from gateway.planner.plan.nodes import RepresentationShape

__all__ = ["Grouping", "Writing", "generate_grouping", "write_grouping"]

_Group: TypeAlias = list[dict[str, Any]]
Grouping: TypeAlias = Callable[[dict[str, Any]], dict[Any, _Group]]
"""Objects of the tree by a key that is equal exactly when their representations are, in order of first appearance."""
Writing: TypeAlias = Callable[[list[_Group]], bytes]
"""The JSON array of the groups' representations."""

_MISSING: Final = object()
_PLAIN: Final = frozenset({str, int, type(None)})
"""Classes whose values may be compared as they are; others (True and 1.0 equal 1) are compared as JSON."""


def generate_grouping(
    paths: Sequence[FlattenPath], shapes: Sequence[RepresentationShape], take: Callable[[dict[str, Any]], Any]
) -> tuple[Grouping, Writing]:
    """Compile the loops. `take` gives an object's representation, or an object that is no JSON when it has none."""
    writer = _Writer(paths, shapes)
    namespace: dict[str, Any] = {
        "MISSING": _MISSING,
        "PLAIN": _PLAIN,
        "dumps": orjson.dumps,
        "take": take,
        **writer.constants,
    }
    # The source is made of response keys and type names of a planned operation, written with repr().
    exec(compile(writer.source, "<collector>", "exec"), namespace)  # noqa: S102
    return namespace["group"], namespace["write"]


def write_grouping(paths: Sequence[FlattenPath], shapes: Sequence[RepresentationShape]) -> str:
    """The generated source, for people."""
    return _Writer(paths, shapes).source


class _Writer:
    def __init__(self, paths: Sequence[FlattenPath], shapes: Sequence[RepresentationShape]) -> None:
        self.constants: dict[str, Any] = {}
        self._number = 0
        self._shape = _plain_shape(shapes)
        lines = ["def group(tree):", "    groups = {}"]
        for path in paths:
            lines += ["    seen = set()", *self._walk(path, 0, "tree", "    ")]
        lines += [
            "    return groups",
            "",
            "def write(groups):",
            f"    return dumps([{_representation(self._shape)} for group in groups])",
        ]
        self.source = "\n".join(lines) + "\n"

    def _name(self) -> str:
        self._number += 1
        return f"v{self._number}"

    def _walk(self, path: FlattenPath, at: int, value: str, indent: str) -> list[str]:
        if at == len(path):
            return [f"{indent}if {value}.__class__ is dict:", *self._take(value, indent + "    ")]
        inner = self._name()
        match path[at]:
            case KeyElement(response_key):
                return [
                    f"{indent}if {value}.__class__ is dict:",
                    f"{indent}    {inner} = {value}.get({response_key!r})",
                    *self._walk(path, at + 1, inner, indent + "    "),
                ]
            case EveryItem():
                return [
                    f"{indent}if {value}.__class__ is list and id({value}) not in seen:",
                    f"{indent}    seen.add(id({value}))",
                    f"{indent}    for {inner} in {value}:",
                    *self._walk(path, at + 1, inner, indent + "        "),
                ]
            case TypeCondition(type_names):
                return [
                    f"{indent}if {value}.__class__ is dict:",
                    *(f"{indent}    {line}" for line in self._only_types(type_names, value, inner)),
                    *self._walk(path, at + 1, value, indent + "        "),
                ]

    def _only_types(self, type_names: Sequence[str], value: str, name: str) -> list[str]:
        """The condition that an object has one of these types; variable `name` is free for it."""
        names = f"TYPES_{len(self.constants)}"
        self.constants[names] = frozenset(type_names)
        return [f"{name} = {value}.get('__typename')", f"if {name}.__class__ is str and {name} in {names}:"]

    def _take(self, value: str, indent: str) -> list[str]:
        shape = self._shape
        if shape is None:
            lines = [f"key = take({value})", "if key.__class__ is dict:", "    key = dumps(key)", *_note(value)]
        elif shape.type_names is None:
            lines = _take_plain(shape, value)
        else:
            condition = self._only_types(shape.type_names, value, self._name())
            lines = [*condition, *(f"    {line}" for line in _take_plain(shape, value))]
        return [indent + line for line in lines]


def _take_plain(shape: RepresentationShape, value: str) -> list[str]:
    """Key an object by its inputs, if it has them all."""
    keys = [f"k{index}" for index in range(len(shape.fields))]
    joined = keys[0] if len(keys) == 1 else f"({', '.join(keys)})"
    return [
        *(f"{key} = {value}.get({each.source_key!r}, MISSING)" for key, each in zip(keys, shape.fields, strict=True)),
        "if " + " and ".join(f"{key} is not MISSING" for key in keys) + ":",
        f"    key = {joined}",
        "    if not (" + " and ".join(f"{key}.__class__ in PLAIN" for key in keys) + "):",
        "        key = dumps(key)",
        *_note(value),
    ]


def _note(value: str) -> list[str]:
    """Put an object into the group of its key; to be written inside of one condition."""
    return [
        "    group = groups.get(key)",
        "    if group is None:",
        f"        groups[key] = [{value}]",
        "    else:",
        f"        group.append({value})",
    ]


def _plain_shape(shapes: Sequence[RepresentationShape]) -> RepresentationShape | None:
    """The one shape of the objects, when it is made of leaves only and its type is known; None otherwise."""
    if len(shapes) != 1:
        return None
    shape = shapes[0]
    if shape.sent_typename is None or not shape.fields:
        return None
    if any(each.fields or each.type_names is not None for each in shape.fields):
        return None
    return shape


def _representation(shape: RepresentationShape | None) -> str:
    """The expression for that of a group, of which every object has all inputs."""
    if shape is None:
        return "take(group[0])"
    entries = [f"{each.name!r}: group[0][{each.source_key!r}]" for each in shape.fields]
    return "{" + ", ".join([f"'__typename': {shape.sent_typename!r}", *entries]) + "}"
