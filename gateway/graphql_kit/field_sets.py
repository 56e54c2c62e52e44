"""Field sets and parsed selection sets as `SelectionSet` values."""

from __future__ import annotations

from functools import lru_cache

from graphql import (
    ArgumentNode,
    FieldNode,
    InlineFragmentNode,
    ObjectValueNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    parse_value,
    print_ast,
    visit,
)
from graphql.language import Visitor

from gateway.graphql_kit.field_set_text import FieldSetInvalid, parse_field_set
from gateway.graphql_kit.selections import FieldSelection, InlineFragment, Selection, SelectionSet

__all__ = ["read_arguments", "read_field_set", "variables_in_value", "write_value"]


@lru_cache(maxsize=65536)
def read_field_set(text: str) -> SelectionSet:
    """The selections that a field set means; raises FieldSetInvalid on other text and on named fragments."""
    return _read(parse_field_set(text))


def read_arguments(nodes: tuple[ArgumentNode, ...]) -> tuple[tuple[str, str], ...]:
    """Arguments as (name, value in canonical notation), sorted by name."""
    return tuple(sorted((node.name.value, write_value(node.value)) for node in nodes))


def write_value(node: ValueNode) -> str:
    """A value in canonical notation: one line, input object fields sorted by name (their order has no meaning)."""
    if isinstance(node, ObjectValueNode):
        parts = sorted(f"{item.name.value}: {write_value(item.value)}" for item in node.fields)
        return "{" + ", ".join(parts) + "}"
    values = getattr(node, "values", None)
    if values is not None:
        return "[" + ", ".join(write_value(value) for value in values) + "]"
    return print_ast(node)


@lru_cache(maxsize=16384)
def variables_in_value(text: str) -> tuple[str, ...]:
    """The names of the variables in a value's text, in order of first appearance."""
    if "$" not in text:
        return ()
    names: dict[str, None] = {}

    class _Collect(Visitor):
        def enter_variable(self, node: VariableNode, *_: object) -> None:
            names.setdefault(node.name.value)

    visit(parse_value(text, no_location=True), _Collect())
    return tuple(names)


def _read(node: SelectionSetNode) -> SelectionSet:
    items: list[Selection] = []
    for child in node.selections:
        match child:
            case FieldNode():
                items.append(
                    FieldSelection(
                        name=child.name.value,
                        alias=child.alias.value if child.alias else None,
                        arguments=read_arguments(tuple(child.arguments or ())),
                        selections=_read(child.selection_set) if child.selection_set else (),
                    )
                )
            case InlineFragmentNode() if child.type_condition is not None:
                items.append(InlineFragment(child.type_condition.name.value, (), _read(child.selection_set)))
            case InlineFragmentNode():
                items.extend(_read(child.selection_set))
            case _:
                raise FieldSetInvalid("a field set can't spread named fragments")
    return tuple(items)
