"""Figures against slower ways to the same: scipy's tests, the bootstrap, counting in simulations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from subgraphs.recommendations.experiments.statistics import (
    compare,
    estimate_mean,
    estimate_ratio,
    minimum_detectable,
    sample_ratio_p,
    sign_test,
)

RANDOM = np.random.default_rng(11)


def test_differences_of_means_are_welch_s() -> None:
    """As scipy's, with its interval."""
    control, arm = RANDOM.exponential(2.0, 80), RANDOM.exponential(2.4, 50)

    found = compare(estimate_mean(control), estimate_mean(arm))
    wanted: Any = stats.ttest_ind(arm, control, equal_var=False)
    interval = wanted.confidence_interval(0.95)

    assert found.difference == pytest.approx(arm.mean() - control.mean())
    assert found.p == pytest.approx(wanted.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.relative == pytest.approx(arm.mean() / control.mean() - 1)


def test_ratios_are_as_sure_as_the_bootstrap_says() -> None:
    """Also where how much somebody does goes with how well: events of one profile are not independent."""
    shown = RANDOM.poisson(RANDOM.lognormal(3, 0.8, 1_500)).astype(float)
    opened = RANDOM.binomial(shown.astype(int), np.clip(0.02 + shown / 1_000, 0, 1)).astype(float)

    found = estimate_ratio(opened, shown)
    draws = RANDOM.integers(0, len(shown), (800, len(shown)))
    spread = (opened[draws].sum(axis=1) / shown[draws].sum(axis=1)).std()

    assert found.value == pytest.approx(opened.sum() / shown.sum())
    assert found.standard_error == pytest.approx(spread, rel=0.12)
    naive = math.sqrt(found.value * (1 - found.value) / shown.sum())
    assert found.standard_error > 1.3 * naive


def test_relative_differences_cover_the_truth() -> None:
    """19 times of 20, where the control's own error counts."""
    covered = 0
    for _ in range(400):
        control, arm = RANDOM.exponential(2.0, 120), RANDOM.exponential(2.5, 120)
        found = compare(estimate_mean(control), estimate_mean(arm))
        covered += found.relative_low <= 0.25 <= found.relative_high
    assert 0.91 < covered / 400 < 0.98


def test_the_detectable_difference_is_found_four_times_of_five() -> None:
    """Counted over repetitions."""
    shift = minimum_detectable(*(estimate_mean(RANDOM.normal(5, 2, 400)) for _ in range(2)))
    found = 0
    for _ in range(400):
        comparison = compare(estimate_mean(RANDOM.normal(5, 2, 400)), estimate_mean(RANDOM.normal(5 + shift, 2, 400)))
        found += comparison.p < 0.05
    assert 0.72 < found / 400 < 0.88


@pytest.mark.parametrize(
    ("counts", "weights", "is_broken"),
    [
        ((1_000, 1_010), (1, 1), False),
        ((1_000, 1_200), (1, 1), True),
        ((1_000, 3_020), (1, 3), False),
        ((0, 0), (1, 1), False),
        ((30, 0), (1, 1), True),
    ],
)
def test_ratios_of_samples(counts: tuple[int, int], weights: tuple[int, int], is_broken: bool) -> None:
    """Against the weights; nobody at all is no finding."""
    assert (sample_ratio_p(counts, weights) < 0.001) is is_broken


def test_empty_and_still_arms_say_nothing() -> None:
    """NaN, and never an error: nobody, one profile, nobody who did anything."""
    nothing, one = estimate_mean(np.array([])), estimate_mean(np.array([2.0]))
    zeros = estimate_mean(np.zeros(50))

    for first, second in ((nothing, one), (one, one), (zeros, zeros), (zeros, estimate_mean(RANDOM.normal(1, 1, 9)))):
        found = compare(first, second)
        assert not found.is_certain or not math.isnan(found.p)
        assert math.isnan(found.relative) or first.value
    assert math.isnan(estimate_ratio(np.zeros(5), np.zeros(5)).value)
    assert math.isnan(sign_test(np.zeros(4)).p)
    assert sign_test(np.zeros(4)).ties == 4


def test_signs_are_counted_exactly() -> None:
    """Nine of ten: a binomial's two tails."""
    found = sign_test(np.array([1.0] * 9 + [-1.0] + [0.0] * 5))

    assert (found.first, found.second, found.ties, found.share) == (1, 9, 5, 0.9)
    assert found.p == pytest.approx(22 / 1024)
    assert found.low < 0.9 < found.high
