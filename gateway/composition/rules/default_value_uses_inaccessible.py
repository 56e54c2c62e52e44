"""DEFAULT_VALUE_USES_INACCESSIBLE: a visible default names only visible things."""

from __future__ import annotations

from graphql import ConstValueNode, EnumValueNode, ListValueNode, ObjectValueNode, parse_const_value

from gateway.composition.report import Report
from gateway.composition.rules.inaccessible_elements import Visibility
from gateway.composition.stages import MergedSupergraph
from gateway.graphql_kit.type_refs import TypeRef, named_type
from gateway.supergraph.model import EnumType, InputObjectType

__all__ = ["check_default_value_uses_inaccessible"]


def check_default_value_uses_inaccessible(merged: MergedSupergraph, report: Report) -> None:
    """Reports defaults that hold an @inaccessible enum value or input field."""
    visibility = Visibility(merged)
    if not visibility.is_used:
        return
    for coordinate, element in visibility.shown_inputs():
        if element.default is None:
            continue
        used = _first_hidden(visibility, element.type, parse_const_value(element.default))
        if used is not None:
            message = f'the default of "{coordinate}" uses "{used}", which is @inaccessible'
            report.error("DEFAULT_VALUE_USES_INACCESSIBLE", message, visibility.places(coordinate))


def _first_hidden(visibility: Visibility, type_ref: TypeRef, value: ConstValueNode) -> str | None:
    definition = visibility.types.get(named_type(type_ref))
    match value, definition:
        case ListValueNode(), _:
            found = (_first_hidden(visibility, type_ref, item) for item in value.values or ())
            return next((name for name in found if name is not None), None)
        case EnumValueNode(), EnumType():
            own = definition.values.get(value.value)
            is_hidden = own is not None and visibility.is_hidden(own.directives)
            return f"{definition.name}.{value.value}" if is_hidden else None
        case ObjectValueNode(), InputObjectType():
            for entry in value.fields or ():
                field = definition.fields.get(entry.name.value)
                if field is None:
                    continue
                if visibility.is_hidden(field.directives):
                    return f"{definition.name}.{field.name}"
                nested = _first_hidden(visibility, field.type, entry.value)
                if nested is not None:
                    return nested
            return None
        case _:
            return None
