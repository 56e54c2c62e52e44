"""KEY_, PROVIDES_ and REQUIRES_INVALID_FIELDS_TYPE: `fields:` must be a string."""

from __future__ import annotations

from graphql import StringValueNode

from gateway.composition.report import Report
from gateway.composition.rules.field_set_uses import field_set_uses
from gateway.composition.stages import ValidSubgraph

__all__ = ["check_invalid_fields_type"]


def check_invalid_fields_type(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports every `fields:` given as something else."""
    schema = subgraph.schema
    for item in field_set_uses(schema):
        if not isinstance(item.use.arguments.get("fields"), StringValueNode):
            message = f"the fields of {item} must be one string"
            report.error(f"{item.code_prefix}_INVALID_FIELDS_TYPE", message, [item.place])
