"""Popularity: what most profiles liked, recent likes counting more; the same for everybody.

A like of age t counts 2^(-t / half_life). It is the yardstick that every personal model must beat, and what is left
for a profile about which nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.models.recommender import FloatMatrix, Interactions

__all__ = ["Popularity", "fit_popularity"]


@dataclass(frozen=True)
class Popularity:
    """`counts`: faded likes by title."""

    counts: npt.NDArray[np.float32]

    @cached_property
    def totals(self) -> tuple[float, float]:
        """The sums of all counts and of their squares."""
        counts = self.counts.astype(np.float64)
        return float(counts.sum()), float(counts @ counts)

    def scores(self, histories: Interactions) -> FloatMatrix:
        """See Recommender.scores: the same row for every history."""
        return np.tile(self.counts, (histories.shape[0], 1))


def fit_popularity(
    trained: Interactions, ages_s: npt.NDArray[np.float64] | None = None, *, half_life_s: float | None = None
) -> Popularity:
    """Count likes; `ages_s` are those of the matrix's entries, in its order, and fade with `half_life_s`.

    Raises ValueError when only one of the two is given.
    """
    if (ages_s is None) != (half_life_s is None):
        raise ValueError("fading needs both the ages of the likes and a half-life")
    values = np.ones(trained.nnz) if ages_s is None or half_life_s is None else np.exp2(-ages_s / half_life_s)
    return Popularity(np.bincount(trained.indices, values, minlength=trained.shape[1]).astype(np.float32))
