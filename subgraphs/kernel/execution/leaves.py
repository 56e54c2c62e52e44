"""How values of leaf types become JSON: at once where a look at the class is enough, else as graphql-core does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from graphql.pyutils import inspect

__all__ = ["leaf_writer"]

MAX_INT, MIN_INT = 2_147_483_647, -2_147_483_648


def leaf_writer(leaf: GraphQLLeafType) -> Callable[[Any], Any]:
    """A function from a resolver's value, which is not None, to the answer's; raises for values that do not fit."""

    def general(value: Any) -> Any:
        coerced = leaf.coerce_output_value(value)
        if coerced is Undefined or coerced is None:
            raise TypeError(
                f"Expected `{inspect(leaf)}.coerce_output_value({inspect(value)})` to return non-nullable value, "
                f"returned: {inspect(coerced)}"
            )
        return coerced

    if leaf is GraphQLString or leaf is GraphQLID:
        return lambda value: value if value.__class__ is str else general(value)
    if leaf is GraphQLBoolean:
        return lambda value: value if value.__class__ is bool else general(value)
    if leaf is GraphQLInt:
        return lambda value: value if value.__class__ is int and MIN_INT <= value <= MAX_INT else general(value)
    if isinstance(leaf, GraphQLEnumType):
        return _enum_writer(general)
    return general


def _enum_writer(general: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Remembers the names of members: looked at again for what can't be a key, and for what is wrong."""
    known: dict[tuple[type, Any], Any] = {}

    def write(value: Any) -> Any:
        try:
            key = (value.__class__, value)
            found = known.get(key)
        except TypeError:
            return general(value)
        if found is None:
            # Bounded by the enum's members: what is none of them raises.
            found = known[key] = general(value)
        return found

    return write
