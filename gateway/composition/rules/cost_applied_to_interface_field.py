"""COST_APPLIED_TO_INTERFACE_FIELD: costs belong to what is resolved."""

from __future__ import annotations

from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph
from gateway.composition.subgraph_schema import TypeKind

__all__ = ["check_cost_applied_to_interface_field"]


def check_cost_applied_to_interface_field(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports @cost on the fields of interfaces."""
    schema = subgraph.schema
    for definition, field in schema.fields():
        if definition.kind is TypeKind.INTERFACE and field.has("cost"):
            message = f'"{field.coordinate}" belongs to an interface; put @cost on its implementations'
            report.error("COST_APPLIED_TO_INTERFACE_FIELD", message, [(schema.name, field.node)])
