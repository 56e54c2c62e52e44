"""KEY_, PROVIDES_ and REQUIRES_INVALID_FIELDS, and KEY_FIELDS_SELECT_INVALID_TYPE.

Both come from resolving the selection from left to right: the first thing that is wrong is reported, since what
follows may only be its consequence.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode, StringValueNode

from gateway.composition.field_sets import FieldSetProblem, resolve_field_set
from gateway.composition.report import Report
from gateway.composition.rules.field_set_uses import FieldSetUse, field_set_uses
from gateway.composition.stages import ValidSubgraph
from gateway.composition.subgraph_schema import SubgraphField, SubgraphSchema, SubgraphType, TypeKind
from gateway.graphql_kit.field_set_text import FieldSetInvalid, parse_field_set
from gateway.graphql_kit.type_refs import named_type

__all__ = ["check_invalid_fields"]


def check_invalid_fields(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports every field set that is no valid selection of its type."""
    schema = subgraph.schema
    for item in field_set_uses(schema):
        value = item.use.arguments.get("fields")
        if item.target is None or not item.target.is_composite or not isinstance(value, StringValueNode):
            continue
        if item.role == "key" and (abstract := _first_abstract_field(item, value.value)) is not None:
            kind = schema.types[named_type(abstract.type)].kind.value
            message = f'{item} selects "{abstract.coordinate}", whose type is {kind}: a key cannot hold such a field'
            report.error("KEY_FIELDS_SELECT_INVALID_TYPE", message, [item.place, (schema.name, abstract.node)])
            continue
        try:
            resolve_field_set(schema, item.target, value.value)
        except FieldSetProblem as problem:
            message = f"the fields of {item} are no valid selection: {problem}"
            report.error(f"{item.code_prefix}_INVALID_FIELDS", message, [item.place])


def _first_abstract_field(item: FieldSetUse, text: str) -> SubgraphField | None:
    """The first field of interface or union type, unless something invalid stands before it."""
    try:
        selections = parse_field_set(text)
    except FieldSetInvalid:
        return None
    for field in _in_order(item.schema, item.owner, selections):
        if field is None:
            return None
        target = item.schema.types.get(named_type(field.type))
        if target is not None and target.kind in (TypeKind.INTERFACE, TypeKind.UNION):
            return field
    return None


def _in_order(
    schema: SubgraphSchema, parent: SubgraphType, selections: SelectionSetNode
) -> Iterator[SubgraphField | None]:
    """The fields as they are met; None where one does not exist."""
    for selection in selections.selections:
        if isinstance(selection, FieldNode) and selection.name.value != "__typename":
            field = parent.fields.get(selection.name.value)
            yield field
            target = schema.types.get(named_type(field.type)) if field else None
            if target is not None and selection.selection_set is not None:
                yield from _in_order(schema, target, selection.selection_set)
        elif isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition
            target = schema.types.get(condition.name.value) if condition else parent
            if target is not None:
                yield from _in_order(schema, target, selection.selection_set)
