"""EASE: a linear model in which every title's score is a weighted sum of the titles in a history.

Problem: find B with an empty diagonal that minimises |X - XB|^2 + l2 |B|^2, X being who liked what. It has a closed
form: with P = (X'X + l2 I)^-1, B = I - P / diag(P), column by column (Steck: Embarrassingly shallow autoencoders for
sparse data, 2019).

Idea: X'X is titles times titles, and its inverse the whole cost. Where there are fewer profiles than titles the same P
is (I - X' K X) / l2 with K = (XX' + l2 I)^-1, profiles times profiles (Woodbury); B itself is then never made. The
smaller side is taken. Both give the same scores (held by a test against the textbook's formula).

Limits: memory for the smaller side squared, twice, in double precision while training: 15,000 titles take 3.6 GB.
`MAX_SIDE` refuses more; a larger catalogue is cut to its most watched titles by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.models.recommender import FloatMatrix, Interactions

__all__ = ["MAX_SIDE", "Ease", "fit_ease"]

MAX_SIDE = 16_000


@dataclass(frozen=True, slots=True)
class _Primal:
    """B itself, titles times titles."""

    weights: FloatMatrix

    def scores(self, histories: Interactions) -> FloatMatrix:
        return np.asarray(histories @ self.weights, np.float32)


@dataclass(frozen=True, slots=True)
class _Dual:
    """The training matrix and K X: history times P is (history - (history X') K X) / l2."""

    trained: Interactions
    inverse_times_trained: npt.NDArray[np.float64]
    diagonal: npt.NDArray[np.float64]
    l2: float

    def scores(self, histories: Interactions) -> FloatMatrix:
        known = histories.toarray().astype(np.float64)
        shared = (histories @ self.trained.T).toarray()
        times_p = (known - shared @ self.inverse_times_trained) / self.l2
        return np.asarray(known - times_p / self.diagonal, np.float32)


@dataclass(frozen=True, slots=True)
class Ease:
    """Made by `fit_ease`."""

    _form: _Primal | _Dual

    def scores(self, histories: Interactions) -> FloatMatrix:
        """See Recommender.scores; a title of the history does not speak for itself."""
        return self._form.scores(histories)


def fit_ease(trained: Interactions, *, l2: float) -> Ease:
    """Train on who liked what. Raises ValueError when l2 is not positive or both sides are above MAX_SIDE."""
    if l2 <= 0:
        raise ValueError(f"EASE needs l2 above 0, got {l2}")
    profiles, titles = trained.shape
    if min(profiles, titles) > MAX_SIDE:
        raise ValueError(
            f"EASE on {profiles} profiles and {titles} titles needs an inverse of {min(profiles, titles)} squared; "
            f"cut the titles to the {MAX_SIDE} most liked ones"
        )
    return Ease(_fit_primal(trained, l2) if titles <= profiles else _fit_dual(trained, l2))


def _fit_primal(trained: Interactions, l2: float) -> _Primal:
    inverse = _regularised_inverse((trained.T @ trained).toarray(), l2)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return _Primal(weights.astype(np.float32))


def _fit_dual(trained: Interactions, l2: float) -> _Dual:
    inverse = _regularised_inverse((trained @ trained.T).toarray(), l2)
    inverse_times_trained = np.asarray((trained.T @ inverse).T)
    spoken_for = np.asarray(trained.multiply(inverse_times_trained).sum(axis=0)).ravel()
    return _Dual(trained, inverse_times_trained, (1.0 - spoken_for) / l2, l2)


def _regularised_inverse(gram: npt.NDArray[np.float32], l2: float) -> npt.NDArray[np.float64]:
    square = gram.astype(np.float64)
    square[np.diag_indices_from(square)] += l2
    return np.asarray(np.linalg.inv(square), np.float64)
