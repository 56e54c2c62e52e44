"""Straight-line Python for the normal case of projection, generated once per shape.

Problem: the answer of a page holds thousands of values, and an interpreter that looks at a shape for each costs several
times what building the answer costs. Idea: for every shape write the function that a person would write: read the
keys, check each value with one comparison, return a dict display in the client's order. The functions know nothing of
paths, errors and null propagation; at the first value that is not as promised they raise Irregular, and the careful
interpreter (`project`) does the whole answer again.

Invariants: for every tree, the generated function gives what `project` gives without errors, or raises (held by
tests/gateway/executor/test_projection_agreement.py). Lists of objects that stand at several places of the tree, because
merging shared them, are projected once and shared in the answer. Small objects of leaves, which pages are full of, are
written where they stand: calling a function for one costs as much as its fields.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from gateway.executor.projection.project import INT_MAX, INT_MIN
from gateway.executor.projection.shape import FieldShape, LeafKind, LeafShape, ListShape, ObjectShape, ValueShape

__all__ = ["FastProjection", "generate_projection", "write_projection"]


class Irregular(Exception):
    """A value is not what the schema promises; the careful projection must take over."""


_MAX_INLINE_FIELDS = 8
"""Of an object that is written where it stands, so that the source does not grow with every place of a large one."""

FastProjection: TypeAlias = Callable[[dict[str, Any]], dict[str, Any] | None]
"""The client's answer, or None where the careful projection is needed."""

_CLASS_CHECKS: Final = {
    LeafKind.STRING: "{name}.__class__ is not str",
    LeafKind.BOOLEAN: "{name}.__class__ is not bool",
    LeafKind.INT: f"({{name}}.__class__ is not int or not {INT_MIN} <= {{name}} <= {INT_MAX})",
    LeafKind.FLOAT: "{name}.__class__ is not float and {name}.__class__ is not int",
    LeafKind.ID: "{name}.__class__ is not str",
}


def generate_projection(shape: ObjectShape) -> FastProjection:
    """Compile the answer's shape."""
    writer = _write(shape)
    namespace: dict[str, Any] = {"Irregular": Irregular, **writer.constants}
    # The source is made of response keys and type names of a validated operation: GraphQL names, written with repr().
    exec(compile(writer.source(), "<projection>", "exec"), namespace)  # noqa: S102
    run: Callable[[dict[str, Any], list[dict[int, Any]]], dict[str, Any]] = namespace[writer.entry]
    memo_count = writer.memo_count

    def fast(tree: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return run(tree, [{} for _ in range(memo_count)])
        except (Irregular, KeyError, TypeError):
            return None

    return fast


def write_projection(shape: ObjectShape) -> str:
    """The generated source, for people."""
    return _write(shape).source()


def _write(shape: ObjectShape) -> _Writer:
    writer = _Writer()
    writer.entry = writer.object_function(shape.type_name, next(iter(shape.fields_by_type.values())))
    return writer


@dataclass(slots=True)
class _Writer:
    functions: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    known: dict[tuple[str, int], str] = field(default_factory=dict)
    kept: list[object] = field(default_factory=list)
    """Keeps everything alive whose id is a key of `known`."""
    entry: str = ""
    memo_count: int = 0

    def source(self) -> str:
        return "\n\n".join([*self.functions, *self.tables]) + "\n"

    def _remember(self, kind: str, thing: object, name: str) -> str:
        self.known[kind, id(thing)] = name
        self.kept.append(thing)
        return name

    def object_function(self, type_name: str, fields: tuple[FieldShape, ...]) -> str:
        """The function for objects of one concrete type at one place."""
        known = self.known.get((type_name, id(fields)))
        if known is not None:
            return known
        name = self._remember(type_name, fields, f"object_{len(self.known)}_{type_name}")
        lines, projected = self._object(type_name, fields, "value", "v")
        body = [f"    {line}" for line in [*lines, f"return {projected}"]]
        self.functions.append("\n".join([f"def {name}(value, memo):", *body]))
        return name

    def _object(self, type_name: str, fields: tuple[FieldShape, ...], name: str, prefix: str) -> tuple[list[str], str]:
        """Statements that check the object in variable `name`, and then the expression for the projected one.

        They use variables whose names begin with `prefix`.
        """
        lines = [f"if {name}.__class__ is not dict:", "    raise Irregular"]
        entries: list[str] = []
        for index, each in enumerate(fields):
            if each.value is None:
                entries.append(f"{each.response_key!r}: {type_name!r}")
                continue
            variable = f"{prefix}{index}"
            read = f".get({each.response_key!r})" if each.value.nullable else f"[{each.response_key!r}]"
            lines.append(f"{variable} = {name}{read}")
            if not each.introspection:
                lines += self._value(each.value, variable)
            entries.append(f"{each.response_key!r}: {variable}")
        return lines, "{" + ", ".join(entries) + "}"

    def _value(self, shape: ValueShape, name: str) -> list[str]:
        """Statements that check the value in variable `name` and replace it by the projected one."""
        statements: list[str] = []
        match shape:
            case LeafShape():
                return self._leaf(shape, name)
            case ListShape():
                projected = f"{self._list_function(shape)}({name}, memo)"
            case ObjectShape() if _is_small(shape):
                fields = shape.fields_by_type[shape.type_name]
                statements, projected = self._object(shape.type_name, fields, name, f"{name}_")
            case ObjectShape():
                projected = self._object_call(shape, name)
        statements.append(f"{name} = {projected}")
        return [f"if {name} is not None:", *(f"    {line}" for line in statements)] if shape.nullable else statements

    def _leaf(self, shape: LeafShape, name: str) -> list[str]:
        # Asked last, since most values are there: then one comparison is enough.
        or_null = f" and {name} is not None" if shape.nullable else ""
        match shape.kind:
            case LeafKind.CUSTOM:
                return [] if shape.nullable else [f"if {name} is None:", "    raise Irregular"]
            case LeafKind.ENUM:
                values = f"VALUES_OF_{shape.type_name}"
                self.constants[values] = shape.enum_values
                return [f"if {name} not in {values}{or_null}:", "    raise Irregular"]
            case LeafKind.ID:
                return [
                    f"if {name}.__class__ is not str{or_null}:",
                    f"    if {name}.__class__ is not int:",
                    "        raise Irregular",
                    f"    {name} = str({name})",
                ]
            case _:
                return [f"if {_CLASS_CHECKS[shape.kind].format(name=name)}{or_null}:", "    raise Irregular"]

    def _object_call(self, shape: ObjectShape, name: str) -> str:
        if not shape.is_abstract:
            function = self.object_function(shape.type_name, shape.fields_by_type[shape.type_name])
            return f"{function}({name}, memo)"
        table = self.known.get(("table", id(shape.fields_by_type)))
        if table is None:
            table = self._remember("table", shape.fields_by_type, f"FUNCTIONS_OF_{shape.type_name}_{len(self.known)}")
            choices = {
                type_name: self.object_function(type_name, each) for type_name, each in shape.fields_by_type.items()
            }
            entries = [f"    {type_name!r}: {function}," for type_name, function in choices.items()]
            if shape.untyped is not None:
                entries.append(f"    None: {self.object_function(shape.type_name, shape.untyped)},")
            self.tables.append("\n".join([f"{table} = {{", *entries, "}"]))
        # An object that is no dict has no .get: its AttributeError must not reach the caller, hence the check.
        return f"{table}[{name}.get('__typename') if {name}.__class__ is dict else 0]({name}, memo)"

    def _list_function(self, shape: ListShape) -> str:
        known = self.known.get(("list", id(shape)))
        if known is not None:
            return known
        name = self._remember("list", shape, f"list_{len(self.known)}")
        lines = [f"def {name}(value, memo):", "    if value.__class__ is not list:", "        raise Irregular"]
        if isinstance(shape.item, LeafShape):
            lines += self._loop(shape.item)
            lines.append("    return items")
        else:
            number, self.memo_count = self.memo_count, self.memo_count + 1
            lines += [
                f"    known = memo[{number}]",
                "    items = known.get(id(value))",
                "    if items is not None:",
                "        return items",
                *self._loop(shape.item),
                "    known[id(value)] = items",
                "    return items",
            ]
        self.functions.append("\n".join(lines))
        return name

    def _loop(self, item: ValueShape) -> list[str]:
        if isinstance(item, ObjectShape) and not _is_small(item):
            call = self._object_call(item, "item")
            guarded = f"None if item is None else {call}" if item.nullable else call
            return [f"    items = [{guarded} for item in value]"]
        statements = self._value(item, "item")
        if not statements:
            return ["    items = value"]
        return [
            "    items = []",
            "    for item in value:",
            *(f"        {line}" for line in statements),
            "        items.append(item)",
        ]


def _is_small(shape: ObjectShape) -> bool:
    """Whether its type is certain and it holds a few leaves only."""
    if shape.is_abstract:
        return False
    fields = shape.fields_by_type[shape.type_name]
    return len(fields) <= _MAX_INLINE_FIELDS and all(
        each.value is None or isinstance(each.value, LeafShape) for each in fields
    )
