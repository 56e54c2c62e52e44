"""UNSUPPORTED_FEATURE: what this gateway could not execute is refused rather than composed wrongly."""

from __future__ import annotations

from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph

__all__ = ["check_unsupported_feature"]


def check_unsupported_feature(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports @context and @fromContext: plans cannot carry values down to arguments yet."""
    schema = subgraph.schema
    for definition in schema.types.values():
        uses = [*definition.using("context")]
        for field in definition.fields.values():
            for argument in field.arguments.values():
                uses += argument.using("fromContext")
        for use in uses:
            message = f"@{use.name} is not supported; pass the value as an ordinary argument or with @requires"
            report.error("UNSUPPORTED_FEATURE", message, [(schema.name, use.node)])
