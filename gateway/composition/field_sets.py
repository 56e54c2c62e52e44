"""Field sets ("id owner { id }") resolved against one subgraph's schema, strictly for rules or leniently for facts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from gateway.composition.subgraph_schema import SubgraphField, SubgraphSchema, SubgraphType, TypeKind
from gateway.graphql_kit.field_set_text import FieldSetInvalid, parse_field_set
from gateway.graphql_kit.type_refs import named_type

__all__ = ["FieldSetProblem", "Selected", "check_selections", "named_fields", "possible_objects", "resolve_field_set"]


_BUILT_IN_DIRECTIVES = ("include", "skip", "deprecated", "specifiedBy", "oneOf")


class FieldSetProblem(ValueError):
    """The field set is no valid selection of the type; the message says why."""


@dataclass(frozen=True, slots=True)
class Selected:
    """One selection of a resolved field set: a field (with the type it was found on) or a fragment (field None)."""

    node: FieldNode | InlineFragmentNode
    parent: SubgraphType
    field: SubgraphField | None
    inner: tuple[Selected, ...] = ()


def possible_objects(schema: SubgraphSchema, definition: SubgraphType) -> frozenset[str]:
    """The object types that a composite type can be at run time, in this subgraph."""
    match definition.kind:
        case TypeKind.OBJECT:
            return frozenset({definition.name})
        case TypeKind.UNION:
            return frozenset(definition.members)
        case TypeKind.INTERFACE:
            return schema.implementations.get(definition.name, frozenset())
        case _:
            return frozenset()


def resolve_field_set(schema: SubgraphSchema, definition: SubgraphType, text: str) -> tuple[Selected, ...]:
    """The selections of `text` on a type; raises FieldSetProblem where it is not valid there."""
    try:
        selections = parse_field_set(text)
    except FieldSetInvalid as failure:
        raise FieldSetProblem(f"it cannot be parsed: {failure}") from failure
    return _resolve(schema, definition, selections)


def check_selections(schema: SubgraphSchema, definition: SubgraphType, selections: SelectionSetNode) -> None:
    """Raises FieldSetProblem where the selections are not valid on the type."""
    _resolve(schema, definition, selections)


def _resolve(schema: SubgraphSchema, definition: SubgraphType, selections: SelectionSetNode) -> tuple[Selected, ...]:
    return tuple(_resolve_one(schema, definition, selection) for selection in selections.selections)


def _resolve_one(schema: SubgraphSchema, parent: SubgraphType, selection: object) -> Selected:
    for directive in getattr(selection, "directives", None) or ():
        name = directive.name.value
        if name not in schema.directives and name not in _BUILT_IN_DIRECTIVES:
            raise FieldSetProblem(f"it carries the unknown directive @{name}")
    match selection:
        case InlineFragmentNode():
            target = parent
            if selection.type_condition is not None:
                name = selection.type_condition.name.value
                found = schema.types.get(name)
                if found is None or not found.is_composite:
                    raise FieldSetProblem(f'"{name}" is not a composite type of this subgraph')
                if not possible_objects(schema, parent) & possible_objects(schema, found):
                    raise FieldSetProblem(f'a fragment on "{name}" can never apply within "{parent.name}"')
                target = found
            return Selected(selection, parent, None, _resolve(schema, target, selection.selection_set))
        case FieldNode():
            return _resolve_field(schema, parent, selection)
        case FragmentSpreadNode():
            raise FieldSetProblem(f"it spreads the named fragment {selection.name.value}; only inline fragments work")
        case _:
            raise FieldSetProblem("it holds something that is neither a field nor a fragment")


def _resolve_field(schema: SubgraphSchema, parent: SubgraphType, node: FieldNode) -> Selected:
    name = node.name.value
    if node.alias is not None:
        raise FieldSetProblem(f'it gives "{name}" the alias "{node.alias.value}"; aliases cannot be used here')
    if name == "__typename":
        return Selected(node, parent, None)
    field = parent.fields.get(name)
    if field is None:
        raise FieldSetProblem(
            f'"{parent.name}" has no field "{name}" in this subgraph (a field of another subgraph must be declared here'
            " with @external)"
        )
    given = {argument.name.value for argument in node.arguments or ()}
    for unknown in sorted(given - field.arguments.keys()):
        raise FieldSetProblem(f'"{field.coordinate}" has no argument "{unknown}"')
    for argument in field.arguments.values():
        if argument.is_required and argument.name not in given:
            raise FieldSetProblem(f'the argument "{argument.name}" of "{field.coordinate}" is required but not given')
    target = schema.types.get(named_type(field.type))
    is_composite = target is not None and target.is_composite
    if node.selection_set is None:
        if is_composite:
            raise FieldSetProblem(f'"{field.coordinate}" needs a selection of its own fields')
        return Selected(node, parent, field)
    if target is None or not is_composite:
        raise FieldSetProblem(f'"{field.coordinate}" has no fields to select')
    return Selected(node, parent, field, _resolve(schema, target, node.selection_set))


def named_fields(
    schema: SubgraphSchema, definition: SubgraphType, text: str | None, *, with_implementations: bool
) -> Iterator[SubgraphField]:
    """Every field that a field set names, up to the first one that does not exist.

    `with_implementations`: a field named on an interface also stands for the same field of its implementations.
    """
    if text is None:
        return
    try:
        selections = parse_field_set(text)
    except FieldSetInvalid:
        return
    with suppress(_UnknownFieldError):
        yield from _named(schema, definition, selections, with_implementations=with_implementations)


class _UnknownFieldError(Exception):
    """Ends the walk: what follows an unknown field is not trusted to mean what it says."""


def _named(
    schema: SubgraphSchema, parent: SubgraphType, selections: SelectionSetNode, *, with_implementations: bool
) -> Iterator[SubgraphField]:
    for selection in selections.selections:
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition
            target = schema.types.get(condition.name.value) if condition else parent
            if target is not None:
                yield from _named(schema, target, selection.selection_set, with_implementations=with_implementations)
        elif isinstance(selection, FieldNode):
            if selection.name.value == "__typename":
                continue
            field = parent.fields.get(selection.name.value)
            if field is None:
                raise _UnknownFieldError
            yield field
            if with_implementations and parent.kind is TypeKind.INTERFACE:
                for name in possible_objects(schema, parent):
                    implementation = schema.types[name].fields.get(field.name)
                    if implementation is not None:
                        yield implementation
            target = schema.types.get(named_type(field.type))
            if target is not None and selection.selection_set is not None:
                yield from _named(schema, target, selection.selection_set, with_implementations=with_implementations)
