"""Where the stages of composition put what they find."""

from __future__ import annotations

from collections.abc import Iterable

from graphql import Node, get_location

from gateway.composition.diagnostics import Diagnostic, Location, Severity, error, hint
from gateway.supergraph.model import SubgraphName

__all__ = ["Place", "Report"]

Place = tuple[SubgraphName, Node | None]
"""A subgraph and, where known, the AST node in its document."""


class Report:
    """Collects diagnostics in the order in which they are found."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def error(self, code: str, message: str, places: Iterable[Place] = ()) -> None:
        """An error, with the places concerned."""
        listed = list(places)
        self.diagnostics.append(error(code, message, (name for name, _ in listed), _locations(listed)))

    def hint(self, code: str, message: str, places: Iterable[Place] = ()) -> None:
        """A hint, with the places concerned."""
        listed = list(places)
        self.diagnostics.append(hint(code, message, (name for name, _ in listed), _locations(listed)))

    def has_errors(self) -> bool:
        """Whether anything found so far stops composition."""
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)


def _locations(places: list[Place]) -> list[Location]:
    found = []
    for name, node in places:
        if node is not None and node.loc is not None:
            position = get_location(node.loc.source, node.loc.start)
            found.append(Location(name, position.line, position.column))
    return found
