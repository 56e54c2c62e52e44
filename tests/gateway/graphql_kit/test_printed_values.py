"""Demands as alternatives: what passes the conjunction passes every part of it, and the other way round."""

from __future__ import annotations

from graphql import parse_const_value
from hypothesis import given
from hypothesis import strategies as st

from gateway.graphql_kit.printed_values import conjunction_of_disjunctions, read_alternatives, write_alternatives

NAMES = st.sampled_from(["a", "b", "c", "d"])
DEMANDS = st.lists(
    st.frozensets(st.frozensets(NAMES, min_size=1, max_size=3), min_size=1, max_size=3), min_size=1, max_size=3
)


def passes(held: frozenset[str], demand: frozenset[frozenset[str]]) -> bool:
    return any(alternative <= held for alternative in demand)


@given(DEMANDS, st.frozensets(NAMES))
def test_conjunction_means_all_demands(demands: list[frozenset[frozenset[str]]], held: frozenset[str]) -> None:
    """Whoever holds a set of names passes the conjunction exactly when every demand is passed."""
    values = [parse_const_value(write_alternatives(demand)) for demand in demands]

    conjunction = read_alternatives(parse_const_value(conjunction_of_disjunctions(values)))

    assert all(passes(held, demand) for demand in demands) == passes(held, conjunction)


def test_keeps_only_what_is_needed() -> None:
    """An alternative that contains another one adds nothing and is left out; the text is sorted."""
    values = [parse_const_value('[["b", "a"], ["c"]]'), parse_const_value('[["c"], ["a", "b"]]')]

    assert conjunction_of_disjunctions(values) == '[["a", "b"], ["c"]]'


def test_too_many_alternatives_become_one_stricter_demand() -> None:
    """Products grow fast; beyond the bound everything is demanded at once, which never lets anybody in by mistake."""
    demands = [frozenset(frozenset({f"{letter}{number}"}) for number in range(12)) for letter in "abc"]
    many = [parse_const_value(write_alternatives(demand)) for demand in demands]

    assert len(read_alternatives(parse_const_value(conjunction_of_disjunctions(many)))) == 1
