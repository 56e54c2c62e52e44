"""KEY_, PROVIDES_ and REQUIRES_INVALID_FIELDS_TYPE: `fields:` must be a string."""

from __future__ import annotations

from graphql import StringValueNode

from gateway.composition.report import Report
from gateway.composition.rules.field_set_uses import field_set_uses
from gateway.composition.subgraph_facts import SubgraphFacts
from gateway.composition.subgraph_schema import SubgraphSchema

__all__ = ["check_invalid_fields_type"]


def check_invalid_fields_type(schema: SubgraphSchema, facts: SubgraphFacts, report: Report) -> None:  # noqa: ARG001
    """Reports every `fields:` given as something else."""
    for item in field_set_uses(schema):
        if not isinstance(item.use.arguments.get("fields"), StringValueNode):
            message = f"the fields of {item} must be one string"
            report.error(f"{item.code_prefix}_INVALID_FIELDS_TYPE", message, [item.place])
