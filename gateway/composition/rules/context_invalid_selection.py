"""CONTEXT_INVALID_SELECTION: what is selected of a context is one value of the argument's type, wherever it is set."""

from __future__ import annotations

from collections.abc import Sequence

from graphql import FieldNode, InlineFragmentNode, SelectionNode

from gateway.composition.context_uses import ContextUse, context_setters, context_uses
from gateway.composition.field_sets import possible_objects
from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph
from gateway.composition.subgraph_schema import SubgraphSchema, SubgraphType, TypeKind
from gateway.graphql_kit.field_set_text import FieldSetInvalid, parse_field_set
from gateway.graphql_kit.type_refs import ListRef, NamedRef, NonNullRef, TypeRef, named_type, write_type_ref

__all__ = ["check_context_invalid_selection"]


class _SelectionProblem(Exception):
    """Why a selection can't fill an argument."""


def check_context_invalid_selection(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports selections that mean no value, several, or one of another type for some type that sets the context."""
    schema = subgraph.schema
    for use in context_uses(schema):
        if use.context is None:
            continue
        try:
            _check(schema, use, context_setters(schema, use.context))
        except _SelectionProblem as problem:
            message = f'"{use.coordinate}" cannot be filled with "{use.selection}" of "${use.context}": {problem}'
            report.error("CONTEXT_INVALID_SELECTION", message, [(schema.name, use.use.node)])


def _check(schema: SubgraphSchema, use: ContextUse, setters: Sequence[SubgraphType]) -> None:
    try:
        selections = parse_field_set(use.selection).selections
    except FieldSetInvalid as problem:
        raise _SelectionProblem(str(problem)) from problem
    for setter in setters:
        if setter.is_interface_object:
            raise _SelectionProblem(
                f'"{setter.name}" is an @interfaceObject, whose objects have another type elsewhere'
            )
    if any(isinstance(each, InlineFragmentNode) for each in selections):
        _check_fragments(schema, use, setters, selections)
        return
    for setter in setters:
        kinds = [setter]
        if setter.kind is TypeKind.UNION:
            kinds = [schema.types[name] for name in setter.members if name in schema.types]
        for definition in kinds:
            _check_type(_value_type(schema, definition, selections), use)


def _check_fragments(
    schema: SubgraphSchema, use: ContextUse, setters: Sequence[SubgraphType], selections: Sequence[SelectionNode]
) -> None:
    """A fragment for each object type; all types that set the context need one."""
    by_name: dict[str, InlineFragmentNode] = {}
    for each in selections:
        if not isinstance(each, InlineFragmentNode) or each.type_condition is None:
            raise _SelectionProblem("fields and fragments for types cannot stand side by side")
        if each.directives:
            raise _SelectionProblem("directives have no meaning in it")
        name = each.type_condition.name.value
        if name in by_name:
            raise _SelectionProblem(f'it has two fragments for "{name}"')
        by_name[name] = each
    unused = set(by_name)
    for setter in setters:
        names = possible_objects(schema, setter) & by_name.keys()
        if not names:
            raise _SelectionProblem(f'no fragment is for objects of "{setter.name}"')
        unused -= names
        for name in sorted(names):
            _check_type(_value_type(schema, schema.types[name], by_name[name].selection_set.selections), use)
    if unused:
        raise _SelectionProblem(f'"{min(unused)}" does not set the context')


def _value_type(
    schema: SubgraphSchema, definition: SubgraphType, selections: Sequence[SelectionNode], *, nested: bool = False
) -> TypeRef:
    """The type of the one value selected, with the lists and nullable fields on the way counted in."""
    if len(selections) != 1:
        raise _SelectionProblem("it selects several values")
    (node,) = selections
    if not isinstance(node, FieldNode):
        raise _SelectionProblem("fragments can only stand at its top, for the types that set the context")
    if node.alias is not None:
        raise _SelectionProblem("aliases have no meaning in it")
    if node.directives:
        raise _SelectionProblem("directives have no meaning in it")
    if node.name.value == "__typename":
        if nested:
            raise _SelectionProblem("__typename can only be that of the object that sets the context")
        return NonNullRef(NamedRef("String"))
    field = definition.fields.get(node.name.value)
    if field is None:
        raise _SelectionProblem(f'"{definition.name}" has no field "{node.name.value}" in this subgraph')
    given = {argument.name.value for argument in node.arguments or ()}
    wrong = [name for name in given if name not in field.arguments]
    wrong += [a.name for a in field.arguments.values() if a.is_required and a.name not in given]
    if wrong:
        raise _SelectionProblem(f'the argument "{wrong[0]}" of "{field.coordinate}" is missing or unknown')
    target = schema.types.get(named_type(field.type))
    is_composite = target is not None and target.is_composite
    if is_composite != (node.selection_set is not None):
        raise _SelectionProblem(f'"{field.coordinate}" must be selected down to a value without fields')
    if target is None or node.selection_set is None:
        return field.type
    return _through(field.type, _value_type(schema, target, node.selection_set.selections, nested=True))


def _through(outer: TypeRef, inner: TypeRef) -> TypeRef:
    """The type of a value that is reached through a field."""
    match outer:
        case NonNullRef(ListRef(of)):
            return NonNullRef(ListRef(_through(of, inner)))
        case NonNullRef():
            return inner
        case ListRef(of):
            return ListRef(_through(of, inner))
        case NamedRef():
            return inner.of if isinstance(inner, NonNullRef) else inner


def _check_type(found: TypeRef, use: ContextUse) -> None:
    wanted = use.argument.type
    if not _fits(found, wanted):
        raise _SelectionProblem(
            f"it is of the type {write_type_ref(found)}, but the argument is of the type {write_type_ref(wanted)}"
        )


def _fits(found: TypeRef, wanted: TypeRef) -> bool:
    match found, wanted:
        case NonNullRef(), NonNullRef():
            return _fits(found.of, wanted.of)
        case NonNullRef(), _:
            return _fits(found.of, wanted)
        case ListRef(), ListRef():
            return _fits(found.of, wanted.of)
        case _:
            return found == wanted
