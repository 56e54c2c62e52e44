"""QUERY_ROOT_TYPE_INACCESSIBLE: clients need a query root."""

from __future__ import annotations

from gateway.composition.report import Report
from gateway.composition.rules.inaccessible_elements import Visibility
from gateway.composition.stages import MergedSupergraph

__all__ = ["check_query_root_type_inaccessible"]


def check_query_root_type_inaccessible(merged: MergedSupergraph, report: Report) -> None:
    """Reports an @inaccessible query root."""
    visibility = Visibility(merged)
    query = merged.supergraph.query_type
    if visibility.is_used and visibility.is_hidden(merged.supergraph.types[query].directives):
        message = f'"{query}" is the query root and cannot be @inaccessible'
        report.error("QUERY_ROOT_TYPE_INACCESSIBLE", message, visibility.places(query))
