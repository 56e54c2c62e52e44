"""EASE: a linear model in which every title's score is a weighted sum of the titles in a history.

Problem: find B with an empty diagonal that minimises |X - XB|^2 + l2 |B|^2, X being who liked what. It has a closed
form: with P = (X'X + l2 I)^-1, B = I - P / diag(P), column by column (Steck: Embarrassingly shallow autoencoders for
sparse data, 2019).

Idea: X'X is titles times titles, and its inverse the whole cost. Where there are fewer profiles than titles the same P
is (I - X' K X) / l2 with K = (XX' + l2 I)^-1, profiles times profiles (Woodbury); B itself is then never made. The
smaller side is taken. Both give the same scores (held by a test against the textbook's formula).

The square is filled block by block and inverted in place (Cholesky: it is symmetric and, as l2 > 0, positive definite).

Limits: memory for the smaller side squared, in double precision, and once more in single precision at the end: 15,000
titles take 2.7 GB, and 3.4e12 operations. `MAX_SIDE` refuses more; a larger catalogue is cut to its most watched titles
by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack
from scipy.sparse import csr_array

from subgraphs.recommendations.models.recommender import FloatMatrix, Interactions

__all__ = ["MAX_SIDE", "Ease", "fit_ease"]

MAX_SIDE = 16_000
BLOCK_ROWS = 512
"""Of the square at once, while it is filled and while it is mirrored: 60 MB at 15,000 titles."""


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
    inverse = _regularised_inverse(csr_array(trained.T), l2)
    inverse /= -np.diag(inverse)
    np.fill_diagonal(inverse, 0.0)
    return _Primal(inverse.astype(np.float32))


def _fit_dual(trained: Interactions, l2: float) -> _Dual:
    inverse_times_trained = np.asarray((trained.T @ _regularised_inverse(trained, l2)).T)
    spoken_for = np.asarray(trained.multiply(inverse_times_trained).sum(axis=0)).ravel()
    return _Dual(trained, inverse_times_trained, (1.0 - spoken_for) / l2, l2)


def _regularised_inverse(rows: Interactions, l2: float) -> npt.NDArray[np.float64]:
    """(R R' + l2 I)^-1 of the rows R."""
    size = rows.shape[0]
    square = np.empty((size, size))
    columns = csr_array(rows.T)
    for start in range(0, size, BLOCK_ROWS):
        square[start : start + BLOCK_ROWS] = (rows[start : start + BLOCK_ROWS] @ columns).toarray()
    square[np.diag_indices(size)] += l2
    # LAPACK wants columns together: of a symmetric matrix, the transpose is the same numbers in that order.
    factor, failed = lapack.dpotrf(square.T, lower=False, clean=False, overwrite_a=True)
    if failed:
        raise ValueError(f"EASE's matrix of {size} x {size} has no inverse with l2 {l2:g}; use a larger one")
    inverse, _ = lapack.dpotri(factor, lower=False, overwrite_c=True)
    _mirror(inverse)
    return np.asarray(inverse)


def _mirror(square: npt.NDArray[np.float64]) -> None:
    """Copy what is above the diagonal below it, in place."""
    for start in range(0, len(square), BLOCK_ROWS):
        stop = min(start + BLOCK_ROWS, len(square))
        corner = np.triu(square[start:stop, start:stop])
        square[start:stop, start:stop] = corner + np.triu(corner, 1).T
        square[stop:, start:stop] = square[start:stop, stop:].T
