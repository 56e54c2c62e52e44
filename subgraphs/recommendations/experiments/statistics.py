"""From what profiles did to what can be said of arms: means, ratios, differences, and how sure they are.

Profiles are independent, events of one profile are not: so a variance is always one over profiles. The standard error
of a ratio of two sums is that of the delta method (Deng, Knoblich, Lu: Applying the delta method in metric analytics,
2018), which linearises it: profile i stands for (n_i - ratio * d_i) / mean(d). Differences are compared by Welch's t;
relative ones again by the delta method. Known limit: p-values hold for one look at a time that was fixed before; who
looks every day and stops at the first p < 0.05 is wrong far more often than once in twenty.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = [
    "Comparison",
    "Estimate",
    "SignTest",
    "compare",
    "estimate_mean",
    "estimate_ratio",
    "minimum_detectable",
    "sample_ratio_p",
    "sign_test",
]

LEVEL = 0.95
POWER = 0.8

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """`standard_error` is NaN where fewer than two profiles say anything."""

    value: float
    standard_error: float
    count: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """An arm less the control, with the ends of its 95 % interval; `relative*` are parts of the control's value.

    NaN where the arms are too small, or the control's value is 0, to say.
    """

    difference: float
    low: float
    high: float
    relative: float
    relative_low: float
    relative_high: float
    p: float

    @property
    def is_certain(self) -> bool:
        """Whether 0 lies outside the interval."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class SignTest:
    """Of profiles that preferred one of two; `share` of them that preferred the second, with its 95 % interval."""

    first: int
    second: int
    ties: int
    share: float
    low: float
    high: float
    p: float


def estimate_mean(values: Doubles) -> Estimate:
    """Of one value per profile; NaN for none."""
    count = len(values)
    if not count:
        return Estimate(math.nan, math.nan, 0)
    error = float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    return Estimate(float(values.mean()), error, count)


def estimate_ratio(numerators: Doubles, denominators: Doubles) -> Estimate:
    """Of the sums of two values per profile; NaN where the second is 0."""
    count, total = len(numerators), float(denominators.sum())
    if not total:
        return Estimate(math.nan, math.nan, count)
    ratio = float(numerators.sum()) / total
    linear = estimate_mean((numerators - ratio * denominators) / (total / count))
    return Estimate(ratio, linear.standard_error, count)


def compare(control: Estimate, arm: Estimate) -> Comparison:
    """The arm against the control."""
    difference = arm.value - control.value
    error = math.hypot(control.standard_error, arm.standard_error)
    if not error > 0:
        # Nobody differs from anybody, or there is nobody: there is no scatter to judge a difference by.
        return Comparison(
            difference, math.nan, math.nan, _ratio(difference, control.value), math.nan, math.nan, math.nan
        )
    freedom = _freedom(control, arm)
    reach = float(special.stdtrit(freedom, (1 + LEVEL) / 2)) * error
    relative = _ratio(difference, control.value)
    # d(arm/control): the control's error counts as often as the arm is larger than it.
    relative_error = _ratio(math.hypot(arm.standard_error, (1 + relative) * control.standard_error), abs(control.value))
    relative_reach = float(special.stdtrit(freedom, (1 + LEVEL) / 2)) * relative_error
    return Comparison(
        difference=difference,
        low=difference - reach,
        high=difference + reach,
        relative=relative,
        relative_low=relative - relative_reach,
        relative_high=relative + relative_reach,
        p=float(2 * special.stdtr(freedom, -abs(difference) / error)),
    )


def sample_ratio_p(counts: Sequence[int], weights: Sequence[float]) -> float:
    """How likely numbers of profiles at least this far from the wanted shares are, by chi-square; 1 for nobody."""
    total = sum(counts)
    if not total:
        return 1.0
    expected = np.array(weights, float) * total / sum(weights)
    statistic = ((np.array(counts, float) - expected) ** 2 / expected).sum()
    return float(special.chdtrc(len(counts) - 1, statistic))


def minimum_detectable(control: Estimate, arm: Estimate) -> float:
    """The smallest difference that would be found four times of five, at the present numbers and scatter."""
    error = math.hypot(control.standard_error, arm.standard_error)
    return float(special.ndtri((1 + LEVEL) / 2) + special.ndtri(POWER)) * error


def sign_test(preferences: Doubles) -> SignTest:
    """Of one number per profile: below 0 it prefers the first, above 0 the second, 0 neither. Exact; NaN for nobody."""
    first, second = int((preferences < 0).sum()), int((preferences > 0).sum())
    ties = len(preferences) - first - second
    if not first + second:
        return SignTest(0, 0, ties, math.nan, math.nan, math.nan, math.nan)
    # A third of a second to import, and only people who compare ask for it: no start of the subgraph waits for it.
    from scipy.stats import binomtest  # noqa: PLC0415

    test = binomtest(second, first + second)
    interval = test.proportion_ci(LEVEL, method="wilson")
    share = second / (first + second)
    return SignTest(first, second, ties, share, float(interval.low), float(interval.high), float(test.pvalue))


def _freedom(control: Estimate, arm: Estimate) -> float:
    """Welch and Satterthwaite's."""
    parts = [each.standard_error**2 for each in (control, arm)]
    below = sum(part**2 / (each.count - 1) for part, each in zip(parts, (control, arm), strict=True))
    return float(sum(parts) ** 2 / below)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
