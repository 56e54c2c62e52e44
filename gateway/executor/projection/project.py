"""The careful projection: response tree in, the client's answer out, whatever the subgraphs said.

It follows the specification's CompleteValue with what subgraphs answered in place of resolver results: a value of the
wrong kind is null with an error at its path; null where none is allowed moves up to the next nullable place; a value
that is missing because a step failed carries that step's error. Nothing here raises on data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.errors import ResponseError, ResponsePathKeys
from gateway.executor.projection.shape import FieldShape, LeafKind, LeafShape, ListShape, ObjectShape, ValueShape

__all__ = ["MissingReason", "Projected", "check_leaf", "project"]

INT_MIN, INT_MAX = -(2**31), 2**31 - 1


class _Absent:
    """Marks a key that is not in the tree, and a null that must move up."""


_MISSING: Final = _Absent()
_MOVE_UP: Final = _Absent()

MissingReason = Callable[[tuple[str, ...]], ResponseError | None]
"""Response keys from the root, without indices → the pathless error of the failed step that would have filled them."""


@dataclass(frozen=True, slots=True)
class Projected:
    """`data` is None when a null moved up to the root. `errors` are those that projection found, in document order."""

    data: dict[str, Any] | None
    errors: tuple[ResponseError, ...]


def project(
    shape: ObjectShape,
    tree: dict[str, Any],
    *,
    known_paths: Iterable[ResponsePathKeys] = (),
    missing_reason: MissingReason | None = None,
    max_errors: int = 100,
) -> Projected:
    """Make the client's answer. `known_paths`: where errors were reported already, to report no null twice."""
    projection = _Projection(missing_reason or (lambda _keys: None), max_errors)
    for path in known_paths:
        projection.mark(path)
    value = projection.object(shape, tree, ())
    data = value if isinstance(value, dict) else None
    return Projected(data, tuple(projection.errors))


@dataclass(slots=True)
class _Projection:
    missing_reason: MissingReason
    max_errors: int
    errors: list[ResponseError] = field(default_factory=list)
    explained: set[ResponsePathKeys] = field(default_factory=set)
    """Every path at or below which an error was reported."""

    def mark(self, path: ResponsePathKeys) -> None:
        for length in range(len(path) + 1):
            self.explained.add(path[:length])

    def report(self, message: str, code: str, path: ResponsePathKeys, **extensions: Any) -> None:
        self.mark(path)
        if len(self.errors) < self.max_errors:
            self.errors.append(ResponseError(message, code, path, extensions=extensions))

    def object(self, shape: ObjectShape, value: Any, path: ResponsePathKeys) -> Any:
        """The projected object, None where it is null and may be, or _MOVE_UP."""
        if not isinstance(value, dict):
            return self.null(shape, path, f"expected an object of type {shape.type_name}, got {_kind(value)}")
        type_name = value.get("__typename") if shape.is_abstract else shape.type_name
        fields = shape.fields_by_type.get(type_name) if isinstance(type_name, str) else None
        if fields is None:
            if type_name is None and shape.untyped is not None:
                fields = shape.untyped
            elif isinstance(type_name, str) and type_name in shape.hidden_types:
                return self.hidden(shape, path)
            else:
                seen = "no type name" if type_name is None else f"an object of type {str(type_name)[:80]!r}"
                return self.null(shape, path, f"expected a possible type of {shape.type_name}, got {seen}")
        projected: dict[str, Any] = {}
        for each in fields:
            if each.value is None:
                projected[each.response_key] = type_name
                continue
            result = self.field(each, each.value, value.get(each.response_key, _MISSING), path)
            if result is _MOVE_UP:
                return None if shape.nullable else _MOVE_UP
            projected[each.response_key] = result
        return projected

    def field(self, shape: FieldShape, value_shape: ValueShape, value: Any, path: ResponsePathKeys) -> Any:
        here = (*path, shape.response_key)
        if value is _MISSING:
            reason = self.missing_reason(tuple(key for key in here if isinstance(key, str)))
            if reason is not None and here not in self.explained:
                self.report(reason.message, reason.code, here, **reason.extensions)
            value = None
        if shape.introspection:
            return value
        if value is None and not value_shape.nullable and here not in self.explained:
            self.report(f"Cannot return null for non-nullable field {shape.coordinate}.", "NULL_NOT_ALLOWED", here)
        return self.value(value_shape, value, here)

    def value(self, shape: ValueShape, value: Any, path: ResponsePathKeys) -> Any:
        if value is None:
            if not shape.nullable and path not in self.explained:
                self.report("Cannot return null for a non-nullable list item.", "NULL_NOT_ALLOWED", path)
            return None if shape.nullable else _MOVE_UP
        match shape:
            case LeafShape():
                checked = check_leaf(shape, value)
                if checked is None and isinstance(value, str) and value in shape.hidden_values:
                    return self.hidden(shape, path)
                if checked is None:
                    return self.null(shape, path, f"expected a value of type {shape.type_name}, got {_kind(value)}")
                return checked
            case ListShape():
                if not isinstance(value, list):
                    return self.null(shape, path, f"expected a list, got {_kind(value)}")
                items: list[Any] = []
                for index, item in enumerate(value):
                    result = self.value(shape.item, item, (*path, index))
                    if result is _MOVE_UP:
                        return None if shape.nullable else _MOVE_UP
                    items.append(result)
                return items
            case ObjectShape():
                return self.object(shape, value, path)

    def hidden(self, shape: ValueShape, path: ResponsePathKeys) -> Any:
        """Something that clients must not know of stands here."""
        if shape.nullable:
            return None
        if path not in self.explained:
            self.report("Cannot return null for a non-nullable place.", "NULL_NOT_ALLOWED", path)
        return _MOVE_UP

    def null(self, shape: ValueShape, path: ResponsePathKeys, why: str) -> Any:
        self.report(f"a subgraph's answer does not fit the schema: {why}", "SUBREQUEST_MALFORMED_RESPONSE", path)
        return None if shape.nullable else _MOVE_UP


def check_leaf(shape: LeafShape, value: Any) -> Any:
    """The leaf's value in the client's answer, or None when it is none of this type."""
    kind = value.__class__
    match shape.kind:
        case LeafKind.STRING:
            return value if kind is str else None
        case LeafKind.BOOLEAN:
            return value if kind is bool else None
        case LeafKind.INT:
            if kind is float and value.is_integer():
                value, kind = int(value), int
            return value if kind is int and INT_MIN <= value <= INT_MAX else None
        case LeafKind.FLOAT:
            return value if kind is float or kind is int else None
        case LeafKind.ID:
            return str(value) if kind is int else value if kind is str else None
        case LeafKind.ENUM:
            return value if kind is str and value in shape.enum_values else None
        case LeafKind.CUSTOM:
            return value


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "a Boolean"
        case None:
            return "null"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return f"a {type(value).__name__}"
