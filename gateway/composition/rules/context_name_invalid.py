"""CONTEXT_NAME_INVALID: a context's name can be joined to its subgraph's name."""

from __future__ import annotations

import re

from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph

__all__ = ["check_context_name_invalid"]

_NAME = re.compile(r"[A-Za-z][0-9A-Za-z]*")


def check_context_name_invalid(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports contexts whose names are empty or have other characters than letters and digits."""
    schema = subgraph.schema
    for definition in schema.types.values():
        for use in definition.using("context"):
            name = use.text("name") or ""
            if not _NAME.fullmatch(name):
                message = f'"{definition.name}" sets the context "{name}": give it a name of letters and digits only'
                report.error("CONTEXT_NAME_INVALID", message, [(schema.name, use.node)])
