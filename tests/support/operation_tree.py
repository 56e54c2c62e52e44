"""Operations that ask everything below one root field, written in several ways, and their answers as single facts.

The tree goes from the root field to every field that can be reached: objects with an id are opened where they are
nearest to the root and asked for their leaves wherever else they come, so that each field and each way to it is asked
and the operation stays finite. A tree is written directly, with aliases, with named fragments, through interfaces, or by
concrete types; the same answer means the same facts in each.
"""

from __future__ import annotations

import functools
import itertools
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
)

__all__ = [
    "Arguments",
    "Below",
    "Fact",
    "OperationTree",
    "Writing",
    "build_selection",
    "build_tree",
    "read_facts",
    "read_selection_facts",
    "write_operation",
    "write_selection",
]

Arguments = Callable[[str, str], str | None]
"""The literal for (coordinate "Type.field", argument); None leaves an optional argument out."""

MAX_DEPTH = 30
MAX_FIELDS = 6_000
"""Of one tree; more means that something without an id goes on for ever."""


class Writing(StrEnum):
    """How a tree becomes text."""

    DIRECT = "direct"
    ALIAS = "alias"
    FRAGMENT = "fragment"
    INTERFACE = "interface"
    CONCRETE = "concrete"


@dataclass
class Asked:
    """One field; `below` is None for a leaf."""

    name: str
    definition: GraphQLField
    arguments: str
    below: Below | None = None


@dataclass
class Below:
    """What is selected of a composite type: for each object type that can stand here its own fields."""

    declared: str
    by_type: dict[str, list[Asked]] = field(default_factory=dict)
    interface_fields: frozenset[str] = frozenset()

    @functools.cached_property
    def differing(self) -> frozenset[str]:
        """Fields of one name and different types or selections: under one key they would not be valid.

        Worked out once, when the tree is complete: each object of each answer is read with it.
        """
        types: dict[str, set[str]] = {}
        for fields in self.by_type.values():
            for asked in fields:
                inner = "" if asked.below is None else ",".join(sorted(asked.below.by_type))
                types.setdefault(asked.name, set()).add(f"{asked.definition.type}{inner}")
        return frozenset(name for name, seen in types.items() if len(seen) > 1)


@dataclass(frozen=True)
class OperationTree:
    """A root field and all below it. `operation` is query or mutation; `variables` are the root field's arguments."""

    operation: str
    root_type: str
    root: Asked
    variables: tuple[str, ...] = ()

    @property
    def coordinate(self) -> str:
        """The root field's."""
        return f"{self.root_type}.{self.root.name}"


@dataclass(frozen=True)
class Fact:
    """One field of one object in an answer.

    `holders` are the ids of the objects around it, from the root to the object itself, each with its type. `value` is
    a leaf's value, and of anything else whether it is there. `interface` is the coordinate it was asked by when that
    was an interface's.
    """

    coordinate: str
    value: Any
    path: tuple[str | int, ...]
    holders: tuple[tuple[str, str], ...]
    interface: str | None = None


def build_tree(
    schema: GraphQLSchema,
    operation: str,
    root_name: str,
    variables: Collection[str],
    arguments: Arguments,
    max_depth: int = MAX_DEPTH,
) -> OperationTree:
    """Everything below a root field, down to a depth; the root field's arguments are variables of their names.

    Raises LookupError naming a required argument that is not among `variables`, or that `arguments` knows nothing of.
    """
    root_type = schema.query_type if operation == "query" else schema.mutation_type
    assert root_type is not None
    root = _asked(
        root_type.name,
        root_name,
        root_type.fields[root_name],
        lambda _, name: f"${name}" if name in variables else None,
    )
    if root.below is not None:
        _fill(schema, root.below, arguments, max_depth)
    return OperationTree(operation, root_type.name, root, tuple(variables))


def build_selection(schema: GraphQLSchema, type_name: str, arguments: Arguments) -> Below:
    """Everything below an object that is already there, as an entity is."""
    below = Below(type_name)
    _fill(schema, below, arguments, MAX_DEPTH)
    return below


def write_operation(tree: OperationTree, writing: Writing, *, second: bool = False) -> str:
    """The text. ALIAS asks the root field twice; with `second`, the second time with variables named second_…."""
    fragments = _Fragments()
    header = [f"${name}: {tree.root.definition.args[name].type}" for name in tree.variables]
    if writing is Writing.ALIAS:
        again = tree.root
        if second:
            header += [f"$second_{name}: {tree.root.definition.args[name].type}" for name in tree.variables]
            again = replace(tree.root, arguments=tree.root.arguments.replace("$", "$second_"))
        parts = [
            _write_field(tree.root, writing, fragments, "first"),
            _write_field(again, writing, fragments, "second"),
        ]
    else:
        parts = [_write_field(tree.root, writing, fragments, None)]
    declared = f"({', '.join(header)})" if header else ""
    return "\n".join([f"{tree.operation} Asked{declared} {{ {' '.join(parts)} }}", *fragments.texts])


def write_selection(below: Below, writing: Writing = Writing.CONCRETE) -> str:
    """The braces below an entity."""
    return _write_below(below, writing, _Fragments())


def read_facts(tree: OperationTree, writing: Writing, data: Mapping[str, Any] | None) -> list[Fact]:
    """All facts in an answer's data; for ALIAS those of the first asking."""
    if data is None:
        return []
    key = "first" if writing is Writing.ALIAS else tree.root.name
    return list(_facts_of_field(tree.root_type, tree.root, data, key, writing, (), (), None))


def read_selection_facts(below: Below, value: Any, holders: tuple[tuple[str, str], ...]) -> list[Fact]:
    """All facts below an entity, which `holders` name."""
    return list(_facts_of_value(below, value, Writing.CONCRETE, (), holders))


# --- building ----------------------------------------------------------------------------------------------------


def _asked(type_name: str, name: str, definition: GraphQLField, arguments: Arguments) -> Asked:
    written: list[str] = []
    for argument_name, argument in definition.args.items():
        literal = arguments(f"{type_name}.{name}", argument_name)
        if literal is None:
            if is_required_argument(argument):
                raise LookupError(f"no sample for the required argument {type_name}.{name}({argument_name}:)")
            continue
        written.append(f"{argument_name}: {literal}")
    asked = Asked(name, definition, f"({', '.join(written)})" if written else "")
    named = get_named_type(definition.type)
    if not is_leaf_type(named):
        asked.below = Below(named.name)
    return asked


def _fill(schema: GraphQLSchema, first: Below, arguments: Arguments, max_depth: int) -> None:
    """Breadth first, so that every object is opened where it is nearest to the root."""
    opened: set[str] = set()
    waiting: deque[tuple[Below, tuple[str, ...]]] = deque([(first, ())])
    count = 0
    while waiting:
        below, above = waiting.popleft()
        declared = schema.type_map[below.declared]
        possible = schema.get_possible_types(declared) if is_abstract_type(declared) else [declared]  # type: ignore[arg-type]
        if isinstance(declared, GraphQLInterfaceType):
            below.interface_fields = frozenset(declared.fields)
        for each in possible:
            assert isinstance(each, GraphQLObjectType)
            has_id = "id" in each.fields
            leaves_only = len(above) >= max_depth or each.name in (opened if has_id else above)
            if has_id:
                opened.add(each.name)
            asked_fields = below.by_type[each.name] = []
            for name, definition in each.fields.items():
                asked = _asked(each.name, name, definition, arguments)
                if asked.below is not None:
                    if leaves_only:
                        continue
                    waiting.append((asked.below, (*above, each.name)))
                asked_fields.append(asked)
            count += len(asked_fields)
            assert count <= MAX_FIELDS, f"more than {MAX_FIELDS} fields, at {each.name}"


# --- writing -----------------------------------------------------------------------------------------------------


class _Fragments:
    """Named fragments that an operation has come to."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers = itertools.count(1)

    def add(self, type_name: str, selections: str) -> str:
        name = f"F{next(self._numbers)}"
        self.texts.append(f"fragment {name} on {type_name} {selections}")
        return f"...{name}"


def _key(asked: Asked, writing: Writing, own: str | None) -> str:
    """The response key; `own` is the type whose field it is, where its siblings' fields of that name differ."""
    name = asked.name if own is None else f"{asked.name}_{own}"
    return f"aka_{name}" if writing is Writing.ALIAS else name


def _write_field(asked: Asked, writing: Writing, fragments: _Fragments, alias: str | None) -> str:
    prefix = f"{alias}: " if alias is not None and alias != asked.name else ""
    below = "" if asked.below is None else " " + _write_below(asked.below, writing, fragments)
    return f"{prefix}{asked.name}{asked.arguments}{below}"


def _write_below(below: Below, writing: Writing, fragments: _Fragments) -> str:
    parts = ["__typename"]
    differing = below.differing
    shared = _shared_fields(below, writing)
    if shared:
        some = next(iter(below.by_type.values()))
        parts += [_write_keyed(asked, writing, fragments, None) for asked in some if asked.name in shared]
    for type_name, fields in below.by_type.items():
        own = [
            _write_keyed(asked, writing, fragments, type_name if asked.name in differing else None)
            for asked in fields
            if asked.name not in shared
        ]
        if not own:
            continue
        selections = "{ " + " ".join(own) + " }"
        if writing is Writing.FRAGMENT:
            parts.append(fragments.add(type_name, selections))
        elif len(below.by_type) == 1 and below.declared == type_name and writing is not Writing.CONCRETE:
            parts += own
        else:
            parts.append(f"... on {type_name} {selections}")
    return "{ " + " ".join(parts) + " }"


def _write_keyed(asked: Asked, writing: Writing, fragments: _Fragments, own: str | None) -> str:
    return _write_field(asked, writing, fragments, _key(asked, writing, own))


def _shared_fields(below: Below, writing: Writing) -> frozenset[str]:
    """Fields that are asked of the interface itself."""
    if writing is not Writing.INTERFACE or len(below.by_type) < 2:
        return frozenset()
    everywhere = frozenset.intersection(*(frozenset(asked.name for asked in each) for each in below.by_type.values()))
    return (below.interface_fields & everywhere) - below.differing


# --- reading -----------------------------------------------------------------------------------------------------


def _facts_of_field(
    type_name: str,
    asked: Asked,
    data: Mapping[str, Any],
    key: str,
    writing: Writing,
    path: tuple[str | int, ...],
    holders: tuple[tuple[str, str], ...],
    interface: str | None,
) -> Iterator[Fact]:
    if key not in data:
        return
    value = data[key]
    shown = value if asked.below is None else _presence(value)
    yield Fact(f"{type_name}.{asked.name}", shown, (*path, asked.name), holders, interface)
    if asked.below is not None:
        yield from _facts_of_value(asked.below, value, writing, (*path, asked.name), holders)


def _facts_of_value(
    below: Below,
    value: Any,
    writing: Writing,
    path: tuple[str | int, ...],
    holders: tuple[tuple[str, str], ...],
) -> Iterator[Fact]:
    if value is None:
        return
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _facts_of_value(below, item, writing, (*path, place), holders)
        return
    type_name = value["__typename"]
    fields = below.by_type.get(type_name, [])
    differing, shared = below.differing, _shared_fields(below, writing)
    keys = {asked.name: _key(asked, writing, type_name if asked.name in differing else None) for asked in fields}
    own_id = value.get(keys.get("id", "id"))
    if isinstance(own_id, str):
        holders = (*holders, (type_name, own_id))
    for asked in fields:
        interface = f"{below.declared}.{asked.name}" if asked.name in shared else None
        yield from _facts_of_field(type_name, asked, value, keys[asked.name], writing, path, holders, interface)


def _presence(value: Any) -> Any:
    """Whether an object is there, item by item for a list."""
    if isinstance(value, list):
        return [_presence(item) for item in value]
    return value is not None
