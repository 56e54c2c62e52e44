"""The best few of a catalogue's columns are those that sorting everything would find."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.recommendations.domain.ordering import (
    COUNTRY_TREND_SHARE,
    best_of,
    best_places,
    most_popular,
    places_near_best,
)
from subgraphs.recommendations.domain.trends import Trends, TrendWindow, combine


@pytest.mark.parametrize("count", [1, 7, 40])
@pytest.mark.parametrize("levels", [3, 1_000_000])
@pytest.mark.parametrize("allowed", [0.0, 0.01, 0.5, 1.0])
def test_the_best_places(count: int, levels: int, allowed: float) -> None:
    """Best first and of equal ones the first, however many are equal or hidden."""
    random = np.random.default_rng(count)
    for size in (5, 3_000):
        scores = (random.integers(0, levels, size) / levels).astype(np.float32)
        mask = random.random(size) < allowed
        wanted = sorted(np.flatnonzero(mask).tolist(), key=lambda place: (-scores[place], place))[:count]
        assert best_places(scores, mask, count).tolist() == wanted
        near = places_near_best(scores, mask, count)
        assert mask[near].all()
        assert set(wanted) <= set(near.tolist())
        places = random.permutation(np.flatnonzero(mask))
        assert best_of(places, scores[places], count).tolist() == wanted


VIEWS = st.dictionaries(st.integers(0, 39), st.floats(0.01, 100), max_size=20)


@given(st.dictionaries(st.sampled_from(TrendWindow), VIEWS), st.integers(0, 2**40 - 1), st.integers(1, 50))
def test_the_most_popular(by_window: dict[TrendWindow, dict[int, float]], hidden: int, count: int) -> None:
    """By popularity and what recent views add, as the sum says for each title by itself."""
    popularity = (np.random.default_rng(7).integers(0, 8, 40) / 8).astype(np.float32)
    order = np.lexsort((np.arange(40), -popularity)).astype(np.int32)
    catalogue: Any = SimpleNamespace(popularity=popularity, by_popularity=order)
    mask = np.array([not hidden >> place & 1 for place in range(40)])

    titles, found = most_popular(catalogue, Trends(by_window), mask, count)

    views = combine(by_window)
    gains = [
        np.float32(COUNTRY_TREND_SHARE * views.get(each, 0) / max(views.values(), default=1)) for each in range(40)
    ]
    score = popularity + np.array(gains, np.float32)
    wanted = sorted(np.flatnonzero(mask).tolist(), key=lambda place: (-score[place], place))[:count]
    assert titles.tolist() == wanted
    np.testing.assert_array_equal(found, score[wanted])


def test_trends_are_in_order() -> None:
    """By window and together; of equal ones the first."""
    trends = Trends({TrendWindow.DAY: {5: 1.0, 3: 2.0, 1: 2.0}, TrendWindow.WEEK: {}})
    assert trends.by_window[TrendWindow.DAY].works.tolist() == [1, 3, 5]
    assert trends.by_window[TrendWindow.DAY].views.tolist() == [2, 2, 1]
    assert len(trends.by_window[TrendWindow.WEEK].works) == 0
    assert trends.together.views.tolist() == [1, 1, 0.5]
    assert len(Trends().together.works) == 0
