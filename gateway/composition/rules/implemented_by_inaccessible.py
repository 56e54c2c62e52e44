"""IMPLEMENTED_BY_INACCESSIBLE: what an interface shows, its visible implementations show."""

from __future__ import annotations

from collections.abc import Iterator

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
                        for coordinate in _hidden(visibility, definition.name, definition.fields[shown.name], shown):
                            message = f'"{coordinate}" is @inaccessible but implements something visible of "{name}"'
                            report.error("IMPLEMENTED_BY_INACCESSIBLE", message, visibility.places(coordinate))


def _hidden(visibility: Visibility, owner: str, field: Field, shown: Field) -> Iterator[str]:
    """What of a field is hidden although the interface shows it: the field itself, or some of its arguments."""
    if visibility.is_hidden(field.directives):
        yield f"{owner}.{field.name}"
        return
    for argument in field.arguments.values():
        same = shown.arguments.get(argument.name)
        if same is not None and not visibility.is_hidden(same.directives) and visibility.is_hidden(argument.directives):
            yield f"{owner}.{field.name}({argument.name}:)"
