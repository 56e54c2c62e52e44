"""REQUIRES_INVALID_FIELDS after merging: arguments given in a requirement must survive the merge."""

from __future__ import annotations

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode

from gateway.composition.report import Report
from gateway.composition.stages import MergedSupergraph
from gateway.graphql_kit.field_set_text import FieldSetInvalid, parse_field_set
from gateway.graphql_kit.type_refs import NonNullRef, named_type
from gateway.supergraph.model import Field, InterfaceType, ObjectType, Supergraph

__all__ = ["check_requires_invalid_fields"]


def check_requires_invalid_fields(merged: MergedSupergraph, report: Report) -> None:
    """Reports requirements whose arguments other subgraphs do not know or demand in addition."""
    for name, subgraph in merged.subgraphs.items():
        for definition, field in subgraph.schema.fields():
            for use in field.using("requires"):
                try:
                    selections = parse_field_set(use.text("fields") or "")
                except FieldSetInvalid:  # reported by the subgraph's rules
                    continue
                problem = _first_problem(merged.supergraph, definition.name, selections)
                if problem is not None:
                    message = f'the requirement of "{field.coordinate}" in "{name}": {problem}'
                    report.error("REQUIRES_INVALID_FIELDS", message, [(name, use.node)])


def _first_problem(supergraph: Supergraph, type_name: str, selections: SelectionSetNode) -> str | None:
    for selection in selections.selections:
        problem: str | None = None
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition
            target = condition.name.value if condition else type_name
            problem = _first_problem(supergraph, target, selection.selection_set)
        elif isinstance(selection, FieldNode):
            definition = supergraph.types.get(type_name)
            fields = definition.fields if isinstance(definition, ObjectType | InterfaceType) else {}
            field = fields.get(selection.name.value)
            if field is not None:
                problem = _argument_problem(type_name, field, selection)
                if problem is None and selection.selection_set is not None:
                    problem = _first_problem(supergraph, named_type(field.type), selection.selection_set)
        if problem is not None:
            return problem
    return None


def _argument_problem(type_name: str, field: Field, selection: FieldNode) -> str | None:
    given = {argument.name.value for argument in selection.arguments or ()}
    for name in sorted(given - field.arguments.keys()):
        return f'"{type_name}.{field.name}" has no argument "{name}" in some other subgraph'
    for argument in field.arguments.values():
        if isinstance(argument.type, NonNullRef) and argument.default is None and argument.name not in given:
            return f'the argument "{argument.name}" of "{type_name}.{field.name}" is required in some other subgraph'
    return None
