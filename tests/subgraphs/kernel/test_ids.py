"""Ids sort by age, or depend on what they name alone."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from subgraphs.kernel.ids import new_id, stable_id

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@given(st.lists(st.integers(0, 10**9), unique=True, min_size=2, max_size=20))
def test_new_ids_sort_by_the_millisecond(offsets_ms: list[int]) -> None:
    """As texts, so that a database's index does."""
    ids = {offset: new_id("prof", NOW + timedelta(milliseconds=offset)) for offset in offsets_ms}
    assert [ids[offset] for offset in sorted(offsets_ms)] == sorted(ids.values())
    assert all(len(id_) == len("prof_") + 26 for id_ in ids.values())


def test_new_ids_differ_within_one_millisecond() -> None:
    """80 random bits."""
    assert len({new_id("prof", NOW) for _ in range(1000)}) == 1000


def test_stable_ids_are_the_same_for_ever() -> None:
    """This text may never change: ids in stores and in clients' lists depend on it."""
    assert stable_id("mov", "wikipedia", "Metropolis (1927)") == "mov_vj3bkgbty5bgn2sxlsdnwypxjy"


def test_parts_can_not_run_together() -> None:
    """("ab", "c") is something else than ("a", "bc")."""
    assert stable_id("mov", "ab", "c") != stable_id("mov", "a", "bc")
