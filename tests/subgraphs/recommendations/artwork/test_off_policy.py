"""Estimates from a log are right on average, their intervals hold the truth as often as they say, and refuse nonsense."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from subgraphs.recommendations.artwork.off_policy import (
    Estimate,
    LoggedChoices,
    difference,
    estimate,
    folds_of,
    on_policy,
)
from subgraphs.recommendations.artwork.open_bandit import BanditDataMissing, cross_estimate, read_bandit_logs
from subgraphs.recommendations.evaluation.intervals import Interval

LOGGING = np.array([0.7, 0.2, 0.1])
TARGET = np.array([0.1, 0.3, 0.6])
RATES = np.array([[0.2, 0.3, 0.5], [0.1, 0.6, 0.2]])
BANDIT_DATA = Path(__file__).parents[5] / "shared" / "data" / "bandit"
TRUTH = float((RATES * TARGET).sum(axis=1).mean())


def log_of(
    seed: int, count: int, model: np.ndarray[tuple[int, int], np.dtype[np.float64]] | None = None
) -> LoggedChoices:
    """Choices of the logging policy for two kinds of viewers; `model` [kind, choice] is what was expected."""
    random = np.random.default_rng(seed)
    kinds = random.integers(0, 2, count)
    chosen = random.choice(3, count, p=LOGGING)
    rewards = (random.random(count) < RATES[kinds, chosen]).astype(float)
    expected = np.zeros((2, 3)) if model is None else model
    return LoggedChoices(
        rewards,
        LOGGING[chosen],
        TARGET[chosen],
        expected[kinds, chosen],
        (expected * TARGET).sum(axis=1)[kinds],
        np.arange(count),
    )


def rows(log: LoggedChoices, places: np.ndarray[tuple[int], np.dtype[np.int64]]) -> LoggedChoices:
    return LoggedChoices(
        log.rewards[places],
        log.logged[places],
        log.target[places],
        log.expected[places],
        log.expected_target[places],
        log.groups[places],
    )


def parts(found: Estimate) -> dict[str, Interval]:
    return {"ips": found.ips, "snips": found.snips, "dr": found.doubly_robust}


def test_estimates_are_right_on_average_and_intervals_hold_the_truth() -> None:
    """150 logs of 400 choices: means within four standard errors of the truth, 95 % intervals right about as often."""
    wrong_model = np.array([[0.4, 0.1, 0.3], [0.3, 0.3, 0.3]])
    runs = [parts(estimate(log_of(seed, 400, wrong_model), resamples=300)) for seed in range(150)]
    for name in ("ips", "snips", "dr"):
        means = np.array([run[name].mean for run in runs])
        covered = np.mean([run[name].low <= TRUTH <= run[name].high for run in runs])
        assert abs(means.mean() - TRUTH) < 4 * means.std() / np.sqrt(len(runs)), name
        assert 0.88 <= covered <= 0.99, (name, covered)


def test_a_good_model_narrows_the_doubly_robust_interval() -> None:
    """And a policy's value on its own log is the mean of its rewards, whatever the model says."""
    with_model = estimate(log_of(1, 2_000, RATES)).doubly_robust
    without = estimate(log_of(1, 2_000)).doubly_robust
    assert with_model.high - with_model.low < without.high - without.low
    log = log_of(2, 500, RATES)
    own = replace(log, target=log.logged, expected_target=log.expected)
    assert estimate(own).doubly_robust.mean == pytest.approx(log.rewards.mean())
    assert on_policy(log.rewards, log.groups).mean == pytest.approx(log.rewards.mean())


def test_effective_count_and_clipping_are_told() -> None:
    """As many as the log has for its own policy; clipping cuts weights and only lowers the estimate."""
    log = log_of(3, 1_000)
    own = estimate(replace(log, target=log.logged), resamples=10)
    assert own.effective_count == pytest.approx(1_000)
    assert own.clipped_ratio == 0
    free, clipped = estimate(log, resamples=10), estimate(log, clip=3.0, resamples=10)
    assert free.largest_weight == pytest.approx(6.0)
    assert clipped.clipped_ratio == pytest.approx((log.logged == 0.1).mean())
    assert clipped.ips.mean < free.ips.mean


def test_choices_of_a_viewer_count_as_one_draw() -> None:
    """A log copied five times per viewer is no surer."""
    log = log_of(4, 300)
    five = rows(log, np.tile(np.arange(300), 5))
    alone, together = estimate(log).ips, estimate(five).ips
    assert (together.low, together.high) == pytest.approx((alone.low, alone.high))


def test_a_difference_of_a_policy_to_itself_is_nothing() -> None:
    """Drawn together, not apart."""
    log = log_of(5, 300, RATES)
    same = difference(log, log)
    assert (same.mean, same.low, same.high) == (0.0, 0.0, 0.0)


def test_groups_stay_in_one_fold() -> None:
    """A model must not see viewers that it is used for."""
    groups = np.repeat(np.arange(50), 3)
    folds = folds_of(groups, 5).reshape(50, 3)
    assert (folds == folds[:, :1]).all()
    assert set(folds.ravel()) == set(range(5))


def test_an_impossible_log_is_refused() -> None:
    """Nothing to estimate from, or a choice that had no probability."""
    log = log_of(6, 10)
    empty = rows(log, np.arange(0))
    for wrong in (empty, replace(log, logged=0 * log.logged), replace(log, logged=log.logged * 20)):
        with pytest.raises(ValueError, match="log"):
            estimate(wrong)


def test_missing_bandit_data_is_told(tmp_path: Path) -> None:
    """With the file's name."""
    with pytest.raises(BanditDataMissing, match="obd_random_men"):
        read_bandit_logs(tmp_path)


@pytest.mark.skipif(not BANDIT_DATA.is_dir(), reason="the Open Bandit data are not beside the repository")
def test_each_policy_of_the_open_bandit_data_is_found_from_the_others_log() -> None:
    """What it was worth on its own log lies in every estimator's interval."""
    found = {each.policy: each for each in cross_estimate(read_bandit_logs(BANDIT_DATA))}
    assert set(found) == {"random", "bts"}
    for each in found.values():
        assert all(each.agrees(interval) for interval in parts(each.estimate).values())
        assert 100 < each.estimate.effective_count < each.log_count
