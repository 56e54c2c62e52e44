"""Which labels of gradual overrides hold for a request: fields that move from one subgraph to another step by step.

`percent(N)` holds for N of a hundred requests; any other label holds when the settings name it. One draw decides all
percentages of a request, so that n labels lead to at most n + 1 different plans.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gateway.supergraph.model import InterfaceType, ObjectType, Supergraph

__all__ = ["OverrideLabels", "read_override_labels"]

_PERCENT = re.compile(r"percent\((\d{1,3}(?:\.\d{1,8})?)\)")


@dataclass(frozen=True, slots=True)
class OverrideLabels:
    """The labels of one supergraph: shares of a hundred by `percent(…)` label, and the others that hold always."""

    percentages: Mapping[str, float]
    always: frozenset[str]

    def active(self, draw: float) -> frozenset[str]:
        """The labels that hold for a draw from 0 (included) to 100 (excluded)."""
        if not self.percentages:
            return self.always
        return self.always | {label for label, share in self.percentages.items() if draw < share}


def read_override_labels(supergraph: Supergraph, switched_on: Collection[str]) -> OverrideLabels:
    """The labels that fields of the supergraph have; `switched_on` names those that hold always."""
    labels = {
        join.override.label
        for definition in supergraph.types.values()
        if isinstance(definition, ObjectType | InterfaceType)
        for field in definition.fields.values()
        for join in field.joins.values()
        if join.override is not None and join.override.label is not None
    }
    matches = {label: _PERCENT.fullmatch(label) for label in sorted(labels)}
    percentages = {label: float(match.group(1)) for label, match in matches.items() if match is not None}
    return OverrideLabels(percentages, frozenset(labels & set(switched_on)))
