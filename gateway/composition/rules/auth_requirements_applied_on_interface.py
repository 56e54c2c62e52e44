"""AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE: what is protected is what is resolved, so objects and their fields."""

from __future__ import annotations

from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph
from gateway.composition.subgraph_schema import TypeKind

__all__ = ["AUTH_ROLES", "check_auth_requirements_applied_on_interface"]

AUTH_ROLES = ("authenticated", "requiresScopes", "policy")


def check_auth_requirements_applied_on_interface(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports protection on interfaces, their fields and interface objects."""
    schema = subgraph.schema
    for definition in schema.types.values():
        elements = []
        if definition.kind is TypeKind.INTERFACE:
            elements = [(definition.name, definition), *((f.coordinate, f) for f in definition.fields.values())]
        elif definition.is_interface_object:
            elements = [(definition.name, definition)]
        for coordinate, element in elements:
            for use in element.uses:
                if use.role in AUTH_ROLES:
                    message = f'@{use.name} on "{coordinate}": protect the implementations, not the interface'
                    report.error("AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE", message, [(schema.name, use.node)])
