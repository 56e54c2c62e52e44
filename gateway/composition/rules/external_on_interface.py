"""EXTERNAL_ON_INTERFACE: an interface's fields are never resolved, so they cannot be resolved elsewhere."""

from __future__ import annotations

from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph
from gateway.composition.subgraph_schema import TypeKind

__all__ = ["check_external_on_interface"]


def check_external_on_interface(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports @external on the fields of interfaces."""
    schema, facts = subgraph.schema, subgraph.facts
    for definition, field in schema.fields():
        if definition.kind is TypeKind.INTERFACE and facts.is_external(field):
            message = f'"{field.coordinate}" belongs to an interface and cannot be @external'
            report.error("EXTERNAL_ON_INTERFACE", message, [(schema.name, field.node)])
