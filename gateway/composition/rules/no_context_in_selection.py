"""NO_CONTEXT_IN_SELECTION: @fromContext says from which context."""

from __future__ import annotations

from gateway.composition.context_uses import context_uses
from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph

__all__ = ["check_no_context_in_selection"]


def check_no_context_in_selection(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports @fromContext texts that do not begin with a `$` and a name."""
    for use in context_uses(subgraph.schema):
        if use.context is None:
            text = use.use.text("field") or ""
            message = (
                f'"{use.coordinate}" is filled from "{text}", which names no context: write "$context {{ field }}"'
            )
            report.error("NO_CONTEXT_IN_SELECTION", message, [(subgraph.schema.name, use.use.node)])
