"""KEY_FIELDS_HAS_ARGS and PROVIDES_FIELDS_HAS_ARGS: their fields cannot have arguments."""

from __future__ import annotations

from gateway.composition.report import Report
from gateway.composition.rules.field_set_uses import field_set_uses, selected_fields
from gateway.composition.stages import ValidSubgraph

__all__ = ["check_fields_has_args"]


def check_fields_has_args(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports fields that are defined with arguments, given or not: a key is one value, not a function."""
    schema = subgraph.schema
    for item in field_set_uses(schema):
        if item.role == "requires":
            continue
        for selected in selected_fields(item.resolve()):
            if selected.field is not None and selected.field.arguments:
                message = f'{item} selects "{selected.field.coordinate}", which has arguments'
                places = [item.place, (schema.name, selected.field.node)]
                report.error(f"{item.code_prefix}_FIELDS_HAS_ARGS", message, places)
