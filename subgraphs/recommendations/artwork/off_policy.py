"""What another policy would have been worth, from a log of choices whose probabilities are known.

**Problem.** A log says what came of what was chosen, and nothing of what was not. **Idea.** Choices are weighted by how
much more often the other policy makes them: IPS is the mean of weight times reward; SNIPS divides by the weights' sum
instead of their number, a little biased and much steadier; the doubly robust estimate takes a model's expectation of
the other policy and corrects it by the weighted errors on the log, right when either the model or the propensities
are (Dudik and others, 2011; Swaminathan and Joachims, 2015).

Weights above CLIP are cut to it, which biases towards too little; how many were is told. Intervals are 95 %, by
bootstrap over groups: choices of one viewer belong together. The model of the doubly robust estimate has to be fitted
on other groups than it is used for (`folds_of`).

**Limits.** A policy that chooses what the log never could is not measured; the effective sample size says how many
choices of the other policy itself the log is worth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.evaluation.intervals import Interval

__all__ = ["CLIP", "Estimate", "LoggedChoices", "difference", "estimate", "folds_of", "on_policy"]

CLIP = 100.0
RESAMPLES = 2_000
AT_ONCE = 100
LEVEL = 0.95
SEED = 20

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LoggedChoices:
    """One row per choice: `logged` and `target` are the probabilities of what was chosen, by the log and by the other.

    `expected` is a model's expectation of the reward of what was chosen, `expected_target` its mean over the other
    policy's choices. `groups` number what belongs together.
    """

    rewards: Doubles
    logged: Doubles
    target: Doubles
    expected: Doubles
    expected_target: Doubles
    groups: Integers


@dataclass(frozen=True, slots=True)
class Estimate:
    """`effective_count`: of how many choices of the policy itself the log is worth; `clipped_ratio`: of the weights."""

    ips: Interval
    snips: Interval
    doubly_robust: Interval
    effective_count: float
    clipped_ratio: float
    largest_weight: float


def estimate(log: LoggedChoices, *, clip: float = CLIP, resamples: int = RESAMPLES) -> Estimate:
    """The other policy's mean reward, three ways. Raises ValueError for an empty log or an impossible probability."""
    columns = _columns(log, clip)
    draws = _draws(columns, resamples)
    weights = _weights(log)
    return Estimate(
        ips=_interval(columns, draws, _ips),
        snips=_interval(columns, draws, _snips),
        doubly_robust=_interval(columns, draws, _doubly_robust),
        effective_count=float(weights.sum() ** 2 / (weights**2).sum()) if weights.any() else 0.0,
        clipped_ratio=float((weights > clip).mean()),
        largest_weight=float(weights.max()),
    )


def difference(log: LoggedChoices, other: LoggedChoices, *, clip: float = CLIP) -> Interval:
    """How much more the first's target policy is worth than the second's on the same log, doubly robust.

    Both are drawn together: what is hard for one is hard for the other. Raises ValueError as estimate does.
    """
    columns, others = _columns(log, clip), _columns(other, clip)
    both = np.concatenate([columns, others], axis=1)
    width = columns.shape[1]
    return _interval(
        both, _draws(both, RESAMPLES), lambda sums: _doubly_robust(sums[:, :width]) - _doubly_robust(sums[:, width:])
    )


def on_policy(rewards: Doubles, groups: Integers) -> Interval:
    """The mean of a log's own rewards."""
    ones = np.ones(len(rewards))
    columns = _columns(LoggedChoices(rewards, ones, ones, 0 * ones, 0 * ones, groups), 1.0)
    return _interval(columns, _draws(columns, RESAMPLES), _ips)


def folds_of(groups: Integers, count: int = 2) -> Integers:
    """A fold for every row, the same for all of a group; the same groups always fall into the same folds."""
    order = np.random.default_rng(SEED).permutation(int(groups.max()) + 1 if len(groups) else 0)
    return np.asarray(order[groups] % count, np.int64)


def _weights(log: LoggedChoices) -> Doubles:
    if not len(log.rewards):
        raise ValueError("the log is empty: there is nothing to estimate from")
    if not ((log.logged > 0) & (log.logged <= 1 + 1e-9)).all():
        raise ValueError("a logged probability is not above 0 and at most 1")
    return np.asarray(log.target / log.logged, np.float64)


def _columns(log: LoggedChoices, clip: float) -> Doubles:
    """Sums per group: count, weights, weighted rewards, and what the doubly robust estimate adds up."""
    weights = np.minimum(_weights(log), clip)
    robust = log.expected_target + weights * (log.rewards - log.expected)
    _, groups = np.unique(log.groups, return_inverse=True)
    terms = (np.ones(len(weights)), weights, weights * log.rewards, robust)
    return np.stack([np.bincount(groups, term) for term in terms], axis=1)


def _draws(columns: Doubles, resamples: int) -> Doubles:
    """[resample, column]: sums over as many groups as there are, drawn with replacement."""
    random = np.random.default_rng(SEED)
    count = len(columns)
    parts = []
    for start in range(0, resamples, AT_ONCE):
        shape = (min(AT_ONCE, resamples - start), count)
        drawn = random.integers(0, count, shape) + np.arange(shape[0])[:, None] * count
        parts.append(np.bincount(drawn.ravel(), minlength=shape[0] * count).reshape(shape) @ columns)
    return np.concatenate(parts)


def _ips(sums: Doubles) -> Doubles:
    return np.asarray(sums[:, 2] / sums[:, 0], np.float64)


def _snips(sums: Doubles) -> Doubles:
    return np.asarray(sums[:, 2] / np.maximum(sums[:, 1], 1e-300), np.float64)


def _doubly_robust(sums: Doubles) -> Doubles:
    return np.asarray(sums[:, 3] / sums[:, 0], np.float64)


def _interval(columns: Doubles, draws: Doubles, value: Callable[[Doubles], Doubles]) -> Interval:
    low, high = np.quantile(value(draws), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(value(columns.sum(axis=0, keepdims=True))[0]), float(low), float(high))
