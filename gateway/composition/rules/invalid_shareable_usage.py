"""INVALID_SHAREABLE_USAGE: @shareable stands on object fields, once per declaration."""

from __future__ import annotations

from collections import Counter

from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph
from gateway.composition.subgraph_schema import TypeKind

__all__ = ["check_invalid_shareable_usage"]


def check_invalid_shareable_usage(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports @shareable on interface fields, and twice on one declaration."""
    schema = subgraph.schema
    for definition in schema.types.values():
        for element in (definition, *definition.fields.values()):
            blocks = Counter(use.extension for use in element.using("shareable"))
            if any(count > 1 for count in blocks.values()):
                message = f'"{element.name}" is marked @shareable twice in one declaration'
                report.error("INVALID_SHAREABLE_USAGE", message, [(schema.name, element.node)])
        if definition.kind is TypeKind.INTERFACE:
            for field in definition.fields.values():
                if field.has("shareable"):
                    message = f'"{field.coordinate}" belongs to an interface; only fields of objects are @shareable'
                    report.error("INVALID_SHAREABLE_USAGE", message, [(schema.name, field.node)])
