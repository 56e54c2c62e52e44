"""DISALLOWED_INACCESSIBLE: the arguments of directives that clients never write cannot be hidden from them."""

from __future__ import annotations

from gateway.composition.report import Report
from gateway.composition.rules.inaccessible_elements import Visibility
from gateway.composition.stages import MergedSupergraph

__all__ = ["check_disallowed_inaccessible"]


def check_disallowed_inaccessible(merged: MergedSupergraph, report: Report) -> None:
    """Reports @inaccessible on arguments of composed directives."""
    visibility = Visibility(merged)
    if not visibility.is_used:
        return
    for directive in merged.supergraph.directive_definitions.values():
        for argument in directive.arguments.values():
            is_for_clients = any(location in _EXECUTABLE for location in directive.locations)
            if visibility.is_hidden(argument.directives) and not is_for_clients:
                message = (
                    f'"@{directive.name}({argument.name}:)" cannot be @inaccessible: clients do not write it anyway'
                )
                report.error("DISALLOWED_INACCESSIBLE", message)


_EXECUTABLE = frozenset(
    {"QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"}
    | {"VARIABLE_DEFINITION"}
)
