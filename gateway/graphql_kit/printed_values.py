"""Values that mean logical formulas: lists of lists of strings, read as "any of these sets, all of its members"."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from graphql import ConstValueNode, ListValueNode, StringValueNode
from graphql.language.print_string import print_string

__all__ = ["conjunction_of_disjunctions", "read_alternatives", "write_alternatives"]

_MOST_ALTERNATIVES = 1024
"""Products grow fast; beyond this the demand is written as one set of everything, which is stricter, never laxer."""


def read_alternatives(value: ConstValueNode) -> frozenset[frozenset[str]]:
    """`[["a", "b"], ["c"]]` → {{a, b}, {c}}; what is no string is passed over."""
    outer = value.values or () if isinstance(value, ListValueNode) else (value,)
    return frozenset(
        frozenset(
            item.value
            for item in (inner.values or () if isinstance(inner, ListValueNode) else (inner,))
            if isinstance(item, StringValueNode)
        )
        for inner in outer
    )


def conjunction_of_disjunctions(values: Iterable[ConstValueNode]) -> str:
    """The demand that all of the given demands are met, again as alternatives, none of which contains another."""
    demands = [alternatives for value in values if (alternatives := read_alternatives(value))]
    count = 1
    for alternatives in demands:
        count *= len(alternatives)
    if count > _MOST_ALTERNATIVES:
        everything = frozenset(name for demand in demands for alternative in demand for name in alternative)
        return write_alternatives(frozenset({everything}))
    combined = {frozenset().union(*choice) for choice in product(*demands)}
    return write_alternatives(frozenset(c for c in combined if not any(other < c for other in combined)))


def write_alternatives(alternatives: frozenset[frozenset[str]]) -> str:
    """Alternatives in GraphQL notation, sorted."""
    ordered = sorted(sorted(alternative) for alternative in alternatives)
    return f"[{', '.join('[' + ', '.join(print_string(name) for name in inner) + ']' for inner in ordered)}]"
