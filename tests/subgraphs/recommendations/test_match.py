"""Title.match spreads what a page shows, and keeps the order of the scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subgraphs.recommendations.domain.matches import UNITS, spread_matches


def spread_all(scores: Any) -> npt.NDArray[np.uint16]:
    return spread_matches(np.array(scores), np.array(scores), np.ones(len(scores), np.bool_))


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1), st.booleans()), min_size=1))
@settings(max_examples=100, deadline=None)
def test_only_what_is_in_sight_counts(titles: list[tuple[float, bool]]) -> None:
    """As if there were no others, wherever they stand."""
    scores, in_sight = np.array([each for each, _ in titles]), np.array([each for _, each in titles])
    asked = scores[in_sight]
    np.testing.assert_array_equal(spread_matches(asked, scores, in_sight), spread_all(asked))
    others = [int((asked >= each).sum()) - 1 for each in asked]
    shares = np.array(others) / max(1, len(asked) - 1)
    np.testing.assert_allclose(spread_matches(asked, scores, in_sight), UNITS * (1 - np.cbrt(shares)), atol=0.501)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_a_better_score_never_matches_less(scores: list[float]) -> None:
    """Equal ones match alike; all are from 0 to 1."""
    matches = spread_all(scores)
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
    scores = abs(generator.normal(size=count)) if shape == "normal" else generator.pareto(1.2, size=count)
    matches = np.sort(spread_all(scores))[::-1] / UNITS
    assert matches[0] == 1
    assert np.mean(matches >= 0.99) <= 0.01
    assert np.mean(matches >= 0.5) == pytest.approx(1 / 8, abs=0.01)
    assert len(set(np.round(matches[: count // 100 + 10], 2))) >= 10


def test_equal_scores_are_no_match() -> None:
    """Models that know nothing to tell titles apart make no title a good one."""
    assert set(spread_all(np.zeros(50))) == {0}
