"""What every model is to its users: from what profiles liked to a score for every title.

`Interactions` is a sparse matrix, rows profiles, columns titles, values above 0 where a profile liked a title (1, or
how much). Scores of different models are on different scales and compare within one row only.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

__all__ = ["FloatMatrix", "Interactions", "Recommender", "interaction_matrix"]

Interactions: TypeAlias = "csr_array[np.float32, tuple[int, int]]"
FloatMatrix: TypeAlias = npt.NDArray[np.float32]


class Recommender(Protocol):
    """A trained model over a fixed list of titles."""

    def scores(self, histories: Interactions) -> FloatMatrix:
        """A score for each title (column) and history (row), of profiles that need not have been trained on."""
        ...


def interaction_matrix(
    profiles: npt.ArrayLike, titles: npt.ArrayLike, *, shape: tuple[int, int], weights: npt.ArrayLike | None = None
) -> Interactions:
    """The matrix of pairs; a pair that is given twice counts once, with its last weight."""
    rows, columns = np.asarray(profiles, np.int64), np.asarray(titles, np.int64)
    values = np.ones(len(rows), np.float32) if weights is None else np.asarray(weights, np.float32)
    # The last of equal pairs: the first in the list turned round.
    _, last = np.unique((rows * shape[1] + columns)[::-1], return_index=True)
    kept = len(rows) - 1 - last
    return csr_array((values[kept], (rows[kept], columns[kept])), shape=shape, dtype=np.float32)
