"""EXTERNAL_UNUSED: an @external field has a purpose."""

from __future__ import annotations

from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph

__all__ = ["check_external_unused"]


def check_external_unused(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports external fields that no key, requirement, provision, context or interface needs."""
    schema, facts = subgraph.schema, subgraph.facts
    for _, field in schema.fields():
        if facts.is_external(field) and field.coordinate not in facts.used:
            message = (
                f'"{field.coordinate}" is @external but no @key, @requires, @provides or interface of this subgraph '
                "needs it: remove the field or the directive"
            )
            report.error("EXTERNAL_UNUSED", message, [(schema.name, field.node)])
