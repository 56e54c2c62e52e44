"""Every list of the schema and the shortest way to it, as an operation that asks for few or for many of its items.

A list is a field that answers a list, or one that answers a connection. Below it, every field of the items is asked, of
all subgraphs, and what is below those once more, so that a field that asks its store for each item shows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_object_type,
    is_required_argument,
)

__all__ = ["ListDoor", "Step", "items_at", "list_doors", "write_list_operation"]

RootArguments = Callable[[str, str], str | None]
"""The arguments, with parentheses, of a root field on the way to an object type; None: no such way."""


@dataclass(frozen=True)
class Step:
    """One field on the way; `on` is the object type that it is asked of."""

    on: str
    field: str
    arguments: str


@dataclass(frozen=True)
class ListDoor:
    """A list and the way to the object that has it. `takes_first`: the length is an argument."""

    coordinate: str
    way: tuple[Step, ...]
    takes_first: bool

    @property
    def key(self) -> tuple[str, ...]:
        """Where the list stands in an answer."""
        return (*(step.field for step in self.way), self.coordinate.partition(".")[2])


def list_doors(schema: GraphQLSchema, usual: Callable[[str, str], str | None], root: RootArguments) -> list[ListDoor]:
    """All lists; one whose object can't be reached from Query has an empty way."""
    ways = _shortest_ways(schema, usual, root)
    doors = []
    for definition in schema.type_map.values():
        if not is_object_type(definition) or definition.name.startswith("__") or _is_connection(definition):
            continue
        if definition is schema.mutation_type:
            continue
        for name, field in definition.fields.items():
            if _is_list(field):
                is_root = definition is schema.query_type
                way = () if is_root else ways.get(definition.name, ())
                doors.append(ListDoor(f"{definition.name}.{name}", way, "first" in field.args))
    return doors


def write_list_operation(
    schema: GraphQLSchema,
    door: ListDoor,
    usual: Callable[[str, str], str | None],
    own_arguments: Mapping[str, str],
) -> str:
    """The operation; `own_arguments` are the list's own literals, for a root field the rest as well."""
    type_name, _, name = door.coordinate.partition(".")
    parent = schema.type_map[type_name]
    assert isinstance(parent, GraphQLObjectType)
    field = parent.fields[name]
    arguments = _arguments(
        door.coordinate, field, lambda coordinate, each: own_arguments.get(each, usual(coordinate, each))
    )
    below = _below(schema, field, usual, depth=_depth(field))
    text = f"... on {type_name} {{ {name}{arguments} {below} }}"
    for step in reversed(door.way):
        text = f"... on {step.on} {{ {step.field}{step.arguments} {{ __typename {text} }} }}"
    return f"query Listed {{ {text} }}"


def _shortest_ways(
    schema: GraphQLSchema, usual: Callable[[str, str], str | None], root: RootArguments
) -> dict[str, tuple[Step, ...]]:
    query = schema.query_type
    assert query is not None
    ways: dict[str, tuple[Step, ...]] = {}
    waiting: deque[tuple[GraphQLObjectType, tuple[Step, ...]]] = deque([(query, ())])
    while waiting:
        parent, way = waiting.popleft()
        for name, field in parent.fields.items():
            for each in _objects(schema, field):
                if each.name in ways:
                    continue
                arguments = (
                    root(name, each.name)
                    if parent is query
                    else _arguments(f"{parent.name}.{name}", field, _one(usual))
                )
                if arguments is not None:
                    ways[each.name] = (*way, Step(parent.name, name, arguments))
                    waiting.append((each, ways[each.name]))
    return ways


def _one(usual: Callable[[str, str], str | None]) -> Callable[[str, str], str | None]:
    """On the way, one item of each list is enough; of a page's sections those that every page begins with."""

    def literal(coordinate: str, name: str) -> str | None:
        if name == "first":
            return "4" if coordinate == "Page.sections" else "1"
        return usual(coordinate, name)

    return literal


def _objects(schema: GraphQLSchema, field: GraphQLField) -> Iterator[GraphQLObjectType]:
    named = get_named_type(field.type)
    if is_abstract_type(named):
        yield from schema.get_possible_types(named)
    elif is_object_type(named):
        yield named


def _arguments(coordinate: str, field: GraphQLField, literal: Callable[[str, str], str | None]) -> str:
    written = []
    for name, argument in field.args.items():
        value = literal(coordinate, name)
        if value is None and is_required_argument(argument):
            raise LookupError(f"no sample for the required argument {coordinate}({name}:)")
        if value is not None:
            written.append(f"{name}: {value}")
    return f"({', '.join(written)})" if written else ""


def _is_list(field: GraphQLField) -> bool:
    named = get_named_type(field.type)
    is_plain = is_list_type(get_nullable_type(field.type)) and not is_leaf_type(named)
    return is_plain or (is_object_type(named) and _is_connection(named))


def _is_connection(definition: GraphQLObjectType) -> bool:
    return "edges" in definition.fields


def _depth(field: GraphQLField) -> int:
    """To the items' fields and once below; a connection has two levels of frame more."""
    named = get_named_type(field.type)
    return 4 if is_object_type(named) and _is_connection(named) else 2


def _below(schema: GraphQLSchema, field: GraphQLField, usual: Callable[[str, str], str | None], depth: int) -> str:
    """Everything to a depth; lists below the list have one item, where they can be told so."""
    parts = ["__typename"]
    objects = list(_objects(schema, field))
    for each in objects:
        inner = []
        for name, below in each.fields.items():
            # Under a key of its type: fields of one name may differ between the types.
            key = f"{name}_{each.name}" if len(objects) > 1 else name
            arguments = _arguments(f"{each.name}.{name}", below, _one(usual))
            alias = "" if key == name else f"{key}: "
            if is_leaf_type(get_named_type(below.type)):
                inner.append(f"{alias}{name}{arguments}")
            elif depth > 1:
                inner.append(f"{alias}{name}{arguments} {_below(schema, below, usual, depth - 1)}")
        if inner:
            parts.append(f"... on {each.name} {{ {' '.join(inner)} }}")
    return f"{{ {' '.join(parts)} }}"


def items_at(data: Any, key: tuple[str, ...]) -> int:
    """How many items the list has in an answer, in all; the items of connections are their edges."""
    values = [data]
    for name in key:
        found: list[Any] = []
        for value in values:
            each = value.get(name) if isinstance(value, dict) else None
            found += each if isinstance(each, list) else [each]
        values = [value for value in found if value is not None]
    return sum(len(value["edges"]) if isinstance(value, dict) and "edges" in value else 1 for value in values)
