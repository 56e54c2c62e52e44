"""KEY_, PROVIDES_ and REQUIRES_DIRECTIVE_IN_FIELDS_ARG: field sets carry no directives."""

from __future__ import annotations

from graphql import print_ast

from gateway.composition.report import Report
from gateway.composition.rules.field_set_uses import field_set_uses, selected_fields
from gateway.composition.stages import ValidSubgraph

__all__ = ["check_directive_in_fields_arg"]


def check_directive_in_fields_arg(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports @include, @skip and all others."""
    schema = subgraph.schema
    for item in field_set_uses(schema):
        for selected in selected_fields(item.resolve()):
            for directive in selected.node.directives or ():
                message = f"{item} carries {print_ast(directive)} in its fields; directives cannot stand there"
                report.error(f"{item.code_prefix}_DIRECTIVE_IN_FIELDS_ARG", message, [item.place])
