"""REQUIRED_INACCESSIBLE: clients must be able to give what is required."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.composition.report import Report
from gateway.composition.rules.inaccessible_elements import Visibility
from gateway.composition.stages import MergedSupergraph
from gateway.graphql_kit.type_refs import NonNullRef
from gateway.supergraph.model import Argument, Field, InputField, InputObjectType, InterfaceType, ObjectType

__all__ = ["check_required_inaccessible"]


def check_required_inaccessible(merged: MergedSupergraph, report: Report) -> None:
    """Reports required arguments and input fields that are @inaccessible."""
    visibility = Visibility(merged)
    if not visibility.is_used:
        return
    for coordinate, why in _required(visibility):
        report.error("REQUIRED_INACCESSIBLE", f'"{coordinate}" {why}', visibility.places(coordinate))


def _required(visibility: Visibility) -> Iterator[tuple[str, str]]:
    plain = "is required and so cannot be @inaccessible"
    for owner, field in visibility.shown_fields():
        for argument in field.arguments.values():
            coordinate = f"{owner.name}.{field.name}({argument.name}:)"
            if not _is_required(argument):
                continue
            if visibility.is_hidden(argument.directives):
                yield coordinate, plain
            elif any(visibility.is_hidden(a.directives) for a in _in_interfaces(visibility, owner, field, argument)):
                yield coordinate, "is required although the interface hides it from clients"
    for definition in visibility.shown_types():
        if isinstance(definition, InputObjectType):
            for input_field in definition.fields.values():
                if _is_required(input_field) and visibility.is_hidden(input_field.directives):
                    yield f"{definition.name}.{input_field.name}", plain


def _is_required(element: Argument | InputField) -> bool:
    return isinstance(element.type, NonNullRef) and element.default is None


def _in_interfaces(
    visibility: Visibility, owner: ObjectType | InterfaceType, field: Field, argument: Argument
) -> Iterator[Argument]:
    for name in owner.interfaces:
        interface = visibility.types.get(name)
        if isinstance(interface, InterfaceType) and field.name in interface.fields:
            same = interface.fields[field.name].arguments.get(argument.name)
            if same is not None:
                yield same
