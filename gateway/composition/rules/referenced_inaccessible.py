"""REFERENCED_INACCESSIBLE: what clients see is of types that clients see."""

from __future__ import annotations

from gateway.composition.report import Report
from gateway.composition.rules.inaccessible_elements import Visibility
from gateway.composition.stages import MergedSupergraph
from gateway.graphql_kit.type_refs import TypeRef, named_type

__all__ = ["check_referenced_inaccessible"]


def check_referenced_inaccessible(merged: MergedSupergraph, report: Report) -> None:
    """Reports visible fields, arguments and input fields of @inaccessible types."""
    visibility = Visibility(merged)
    if not visibility.is_used:
        return
    elements: list[tuple[str, TypeRef]] = [(f"{t.name}.{f.name}", f.type) for t, f in visibility.shown_fields()]
    elements += [(coordinate, element.type) for coordinate, element in visibility.shown_inputs()]
    for coordinate, type_ref in elements:
        if named_type(type_ref) != merged.supergraph.query_type and visibility.is_hidden_type(type_ref):
            message = f'"{coordinate}" is visible but its type "{named_type(type_ref)}" is @inaccessible'
            report.error("REFERENCED_INACCESSIBLE", message, visibility.places(coordinate))
