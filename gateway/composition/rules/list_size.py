"""LIST_SIZE_APPLIED_TO_NON_LIST and LIST_SIZE_INVALID_ASSUMED_SIZE, _SLICING_ARGUMENT and _SIZED_FIELD."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import ConstValueNode, IntValueNode, ListValueNode, StringValueNode

from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph
from gateway.composition.subgraph_schema import DirectiveUse, SubgraphField, SubgraphSchema
from gateway.graphql_kit.type_refs import ListRef, NamedRef, NonNullRef, TypeRef, named_type, write_type_ref

__all__ = ["check_list_size"]


def check_list_size(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports @listSize that speaks of no list, of a negative size, or of arguments and fields that do not fit."""
    schema = subgraph.schema
    for _, field in schema.fields():
        for use in field.using("listSize"):
            for code, message in _problems(schema, field, use):
                report.error(code, message, [(schema.name, use.node), (schema.name, field.node)])


def _problems(schema: SubgraphSchema, field: SubgraphField, use: DirectiveUse) -> Iterator[tuple[str, str]]:
    sized = _texts(use.arguments.get("sizedFields"))
    if not sized and not _is_list(field.type):
        yield "LIST_SIZE_APPLIED_TO_NON_LIST", f'"{field.coordinate}" is no list and no sized fields are named'
    assumed = use.arguments.get("assumedSize")
    if isinstance(assumed, IntValueNode) and int(assumed.value) < 0:
        yield "LIST_SIZE_INVALID_ASSUMED_SIZE", f'"{field.coordinate}" has the negative size {assumed.value}'
    for name in _texts(use.arguments.get("slicingArguments")):
        argument = field.arguments.get(name)
        if argument is None:
            yield "LIST_SIZE_INVALID_SLICING_ARGUMENT", f'"{field.coordinate}" has no argument "{name}"'
        elif _nullable(argument.type) != NamedRef("Int"):
            given = write_type_ref(argument.type)
            message = f'the argument "{name}" of "{field.coordinate}" is of the type {given}, not Int'
            yield "LIST_SIZE_INVALID_SLICING_ARGUMENT", message
    yield from _sized_field_problems(schema, field, sized)


def _sized_field_problems(schema: SubgraphSchema, field: SubgraphField, sized: list[str]) -> Iterator[tuple[str, str]]:
    target = schema.types.get(named_type(field.type))
    if sized and (target is None or not target.is_composite):
        message = f'"{field.coordinate}" names sized fields but its type has no fields'
        yield "LIST_SIZE_INVALID_SIZED_FIELD", message
        return
    for name in sized:
        own = target.fields.get(name) if target else None
        if own is None:
            message = f'"{field.coordinate}" names the sized field "{name}", which its type does not have'
            yield "LIST_SIZE_INVALID_SIZED_FIELD", message
        elif not _is_list(own.type):
            yield "LIST_SIZE_APPLIED_TO_NON_LIST", f'the sized field "{own.coordinate}" is no list'


def _texts(value: ConstValueNode | None) -> list[str]:
    items = value.values or () if isinstance(value, ListValueNode) else (value,)
    return [item.value for item in items if isinstance(item, StringValueNode)]


def _nullable(type_ref: TypeRef) -> TypeRef:
    return type_ref.of if isinstance(type_ref, NonNullRef) else type_ref


def _is_list(type_ref: TypeRef) -> bool:
    return isinstance(_nullable(type_ref), ListRef)
