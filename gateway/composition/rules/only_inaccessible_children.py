"""ONLY_INACCESSIBLE_CHILDREN: a visible type has something visible in it."""

from __future__ import annotations

from gateway.composition.report import Report
from gateway.composition.rules.inaccessible_elements import Visibility
from gateway.composition.stages import MergedSupergraph
from gateway.supergraph.model import ScalarType, TypeDefinition, UnionType

__all__ = ["check_only_inaccessible_children"]


def check_only_inaccessible_children(merged: MergedSupergraph, report: Report) -> None:
    """Reports visible types whose fields, members or values are all @inaccessible."""
    visibility = Visibility(merged)
    if not visibility.is_used:
        return
    for definition in visibility.shown_types():
        if not isinstance(definition, ScalarType) and not _has_visible_child(visibility, definition):
            message = f'"{definition.name}" is visible but everything in it is @inaccessible: hide the type as well'
            report.error("ONLY_INACCESSIBLE_CHILDREN", message, visibility.places(definition.name))


def _has_visible_child(visibility: Visibility, definition: TypeDefinition) -> bool:
    if isinstance(definition, ScalarType):
        return True
    if isinstance(definition, UnionType):
        return any(not visibility.is_hidden(visibility.types[m].directives) for m in definition.members)
    children = getattr(definition, "fields", None) or getattr(definition, "values", {})
    return any(not visibility.is_hidden(child.directives) for child in children.values())
