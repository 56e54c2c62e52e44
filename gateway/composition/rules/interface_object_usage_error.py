"""INTERFACE_OBJECT_USAGE_ERROR in one subgraph: an interface object is an entity."""

from __future__ import annotations

from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph

__all__ = ["check_interface_object_usage"]


def check_interface_object_usage(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports @interfaceObject on types without a key."""
    schema = subgraph.schema
    for definition in schema.types.values():
        if definition.is_interface_object and not definition.has("key"):
            message = f'"{definition.name}" has @interfaceObject but no @key in this subgraph: nothing could reach it'
            report.error("INTERFACE_OBJECT_USAGE_ERROR", message, [(schema.name, definition.node)])
