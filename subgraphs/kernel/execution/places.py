"""Where values stand in an answer, and how what is wrong with them is told."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError
from graphql.error import located_error

from subgraphs.kernel.execution.compile import FieldPlan

__all__ = ["Failed", "Place", "Slot", "keys_of", "locate"]

Place = tuple[Any, Any]
"""A path from the root as (place above, key); the root's is ()."""

Slot = tuple[dict[str, Any] | list[Any] | None, Any, Any]
"""What becomes null when a failure comes up to here: container (None: the whole answer), key, place.

A plain tuple, as one is made for every nullable field of every object.
"""


class Failed(Exception):
    """An error on its way up to a slot; it was located where it happened."""

    def __init__(self, error: GraphQLError) -> None:
        super().__init__(error.message)
        self.error = error


def locate(plan: FieldPlan, error: Exception, place: Place) -> GraphQLError:
    """The error of a field at its place; one that came up from below keeps its own."""
    if isinstance(error, Failed):
        return error.error
    return located_error(error, list(plan.nodes), keys_of(place))


def keys_of(place: Any) -> list[Any]:
    """The keys of a place, from the root on."""
    keys: list[Any] = []
    while place:
        place, key = place
        keys.append(key)
    return keys[::-1]
