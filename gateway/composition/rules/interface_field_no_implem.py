"""INTERFACE_FIELD_NO_IMPLEM: after merging, every type has all fields of its interfaces."""

from __future__ import annotations

from gateway.composition.report import Place, Report
from gateway.composition.stages import MergedSupergraph
from gateway.supergraph.model import InterfaceType, ObjectType

__all__ = ["check_interface_field_no_implem"]


def check_interface_field_no_implem(merged: MergedSupergraph, report: Report) -> None:
    """Reports fields that one subgraph's version of an interface has and another subgraph's implementation lacks."""
    for definition in merged.supergraph.types.values():
        if not isinstance(definition, ObjectType | InterfaceType):
            continue
        for name in definition.interfaces:
            interface = merged.supergraph.types.get(name)
            for field in interface.fields if isinstance(interface, InterfaceType) else ():
                if field not in definition.fields:
                    _report(merged, definition.name, name, field, report)


def _report(merged: MergedSupergraph, implementation: str, interface: str, field: str, report: Report) -> None:
    places: list[Place] = []
    for name, subgraph in merged.subgraphs.items():
        own = subgraph.schema.types.get(interface)
        if own is not None and field in own.fields:
            places.append((name, own.fields[field].node))
        lacking = subgraph.schema.types.get(implementation)
        if lacking is not None and interface in lacking.interfaces:
            places.append((name, lacking.node))
    message = f'"{implementation}" implements "{interface}" but nowhere has its field "{field}"'
    report.error("INTERFACE_FIELD_NO_IMPLEM", message, places)
