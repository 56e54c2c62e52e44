"""INVALID_GRAPHQL after merging: what every subgraph says is valid may not be valid together."""

from __future__ import annotations

from graphql import GraphQLError, build_ast_schema, parse

from gateway.composition.ingest.graphql_validity import type_system_errors, wrong_values
from gateway.composition.report import Report
from gateway.composition.stages import MergedSupergraph
from gateway.supergraph.api_schema import write_api_sdl

__all__ = ["check_merged_graphql_validity"]


def check_merged_graphql_validity(merged: MergedSupergraph, report: Report) -> None:
    """Reports what graphql-core finds wrong with the merged schema, hidden elements included."""
    document = parse(write_api_sdl(merged.supergraph, with_inaccessible=True), no_location=True)
    try:
        schema = build_ast_schema(document, assume_valid_sdl=True)
    except (TypeError, GraphQLError) as failure:
        report.error("INVALID_GRAPHQL", f"the merged schema is not valid: {failure}")
        return
    messages = [error.message for error in type_system_errors(schema)]
    messages += [message for _, message in wrong_values(schema, document.definitions)]
    for message in messages:
        report.error("INVALID_GRAPHQL", f"the merged schema is not valid: {message}")
