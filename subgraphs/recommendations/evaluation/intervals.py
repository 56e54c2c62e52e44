"""How sure a mean is: bootstrap intervals over profiles, of one model and of the difference of two.

The same profiles are drawn for both models of a difference: what is hard for one is mostly hard for the other, and the
interval of the difference is far narrower than those of the two means. Where a profile was evaluated in several
repetitions, its values are averaged first: repetitions of one profile are not independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Interval", "by_profile", "mean_interval"]

RESAMPLES = 2_000
LEVEL = 0.95
SEED = 20

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the ends between which it lies with 95 %."""

    mean: float
    low: float
    high: float

    @property
    def is_above_zero(self) -> bool:
        """Whether 0 lies below the interval: of a difference, that the first is better beyond chance."""
        return self.low > 0.0


def mean_interval(values: Doubles) -> Interval:
    """Of the mean of one value per profile; raises ValueError for none."""
    if not len(values):
        raise ValueError("there is no value to take a mean of")
    random = np.random.default_rng(SEED)
    means = np.array([values[random.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)])
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(values.mean()), float(low), float(high))


def by_profile(profiles: npt.NDArray[np.int64], values: Doubles) -> Doubles:
    """The mean of each profile's values, in the order of the profiles' numbers."""
    counts = np.bincount(profiles)
    sums = np.bincount(profiles, values)
    return np.asarray(sums[counts > 0] / counts[counts > 0], np.float64)
