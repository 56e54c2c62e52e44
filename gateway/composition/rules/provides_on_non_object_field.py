"""PROVIDES_ON_NON_OBJECT_FIELD: only fields with sub-fields can provide some."""

from __future__ import annotations

from gateway.composition.report import Report
from gateway.composition.rules.field_set_uses import field_set_uses
from gateway.composition.stages import ValidSubgraph

__all__ = ["check_provides_on_non_object_field"]


def check_provides_on_non_object_field(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports @provides on leaf fields, and on fields that are not resolved here at all."""
    schema, facts = subgraph.schema, subgraph.facts
    for item in field_set_uses(schema):
        if item.role != "provides" or item.field is None:
            continue
        if facts.is_external(item.field):
            message = f'"{item.field.coordinate}" is @external and so cannot have @provides'
            report.error("EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE", message, [item.place])
        elif item.target is None or not item.target.is_composite:
            message = f"{item}: the field's type has no fields that could be provided"
            report.error("PROVIDES_ON_NON_OBJECT_FIELD", message, [item.place])
