"""IMPLEMENTED_BY_INACCESSIBLE: what an interface shows, its visible implementations show."""

from __future__ import annotations

from gateway.composition.report import Report
from gateway.composition.rules.inaccessible_elements import Visibility
from gateway.composition.stages import MergedSupergraph
from gateway.supergraph.model import Field, InterfaceType, ObjectType

__all__ = ["check_implemented_by_inaccessible"]


def check_implemented_by_inaccessible(merged: MergedSupergraph, report: Report) -> None:
    """Reports hidden fields and arguments that implement visible ones."""
    visibility = Visibility(merged)
    if not visibility.is_used:
        return
    for definition in visibility.shown_types():
        if not isinstance(definition, ObjectType | InterfaceType):
            continue
        for name in definition.interfaces:
            interface = visibility.types.get(name)
            if isinstance(interface, InterfaceType) and not visibility.is_hidden(interface.directives):
                for shown in interface.fields.values():
                    if not visibility.is_hidden(shown.directives) and shown.name in definition.fields:
                        _check(visibility, definition.name, name, definition.fields[shown.name], shown, report)


def _check(visibility: Visibility, owner: str, interface: str, field: Field, shown: Field, report: Report) -> None:  # noqa: PLR0917
    coordinate = f"{owner}.{field.name}"
    if visibility.is_hidden(field.directives):
        message = f'"{coordinate}" is @inaccessible but implements the visible field "{interface}.{field.name}"'
        report.error("IMPLEMENTED_BY_INACCESSIBLE", message, visibility.places(coordinate))
        return
    for argument in field.arguments.values():
        same = shown.arguments.get(argument.name)
        if same is not None and not visibility.is_hidden(same.directives) and visibility.is_hidden(argument.directives):
            name = f"{coordinate}({argument.name}:)"
            message = f'"{name}" is @inaccessible but implements a visible argument of "{interface}"'
            report.error("IMPLEMENTED_BY_INACCESSIBLE", message, visibility.places(name))
