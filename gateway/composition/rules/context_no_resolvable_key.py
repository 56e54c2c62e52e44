"""CONTEXT_NO_RESOLVABLE_KEY: an object with a field that is filled from a context can be asked for by a key."""

from __future__ import annotations

from gateway.composition.context_uses import context_uses
from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph

__all__ = ["check_context_no_resolvable_key"]


def check_context_no_resolvable_key(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports types without a resolvable @key: the gateway has to ask for the object anew with the value."""
    schema = subgraph.schema
    reported: set[str] = set()
    for use in context_uses(schema):
        parent = use.parent
        if parent.name in reported or any(not key.is_false("resolvable") for key in parent.using("key")):
            continue
        reported.add(parent.name)
        message = f'"{use.coordinate}" is filled from a context, but "{parent.name}" has no resolvable @key here'
        report.error("CONTEXT_NO_RESOLVABLE_KEY", message, [(schema.name, parent.node)])
