"""Title.match spreads what a page shows, and keeps the order of the scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subgraphs.recommendations.domain.matches import UNITS, spread_matches


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_a_better_score_never_matches_less(scores: list[float]) -> None:
    """Equal ones match alike; all are from 0 to 1."""
    matches = spread_matches(np.array(scores), np.array(scores))
    assert matches.min() >= 0
    assert matches.max() <= UNITS
    for score, match in zip(scores, matches, strict=True):
        assert {int(match)} == {int(other) for each, other in zip(scores, matches, strict=True) if each == score}
        assert all(other <= match for each, other in zip(scores, matches, strict=True) if each < score)


@pytest.mark.parametrize("count", [200, 2_000, 44_000])
@pytest.mark.parametrize("shape", ["normal", "heavy"])
def test_matches_are_spread(count: int, shape: str) -> None:
    """Whatever the scores' scale: hardly any title is at 99 %, and the cards of a page can be told apart."""
    generator = np.random.default_rng(count)
    scores = generator.normal(size=count) if shape == "normal" else generator.pareto(1.2, size=count)
    matches = np.sort(spread_matches(scores, scores))[::-1] / UNITS
    assert matches[0] == 1
    assert np.mean(matches >= 0.99) <= 0.01
    assert np.mean(matches >= 0.5) == pytest.approx(1 / 8, abs=0.01)
    assert len(set(np.round(matches[: count // 100 + 10], 2))) >= 10


def test_equal_scores_are_no_match() -> None:
    """Models that know nothing to tell titles apart make no title a good one."""
    assert set(spread_matches(np.zeros(50), np.zeros(50))) == {0}
