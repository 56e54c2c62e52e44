"""Item neighbours: titles that the same profiles liked.

For each title the titles most often liked by the same profiles, by cosine over profiles, shrunk towards nothing while
few profiles speak for a pair: two viewers in common prove little. Known limits: all profiles' likes at once in
memory, the last MAX_HISTORY of each. Sarwar et al.: Item-based collaborative filtering (2001); the shrinkage is that
of Bell and Koren (2007).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from subgraphs.recommendations.domain.catalogue import FloatArray, IndexArray

__all__ = ["Neighbours", "build_neighbours"]

MAX_HISTORY = 100
"""Likes per profile: the strongest; a pair of titles costs time for each profile that likes both."""
NEIGHBOUR_COUNT = 50
SHRINKAGE = 5.0
"""Profiles in common at which a similarity counts half."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Row `i` from starts[i] to starts[i + 1]: neighbouring indices, nearest first, with similarities 0 to 1."""

    starts: IndexArray
    indices: IndexArray
    similarities: FloatArray

    def similarity(self, index: int, other: int) -> float:
        """Of one pair, seen from `index`; 0 when the other is not among its neighbours."""
        row = slice(int(self.starts[index]), int(self.starts[index + 1]))
        if row.start == row.stop:
            return 0.0
        found = np.flatnonzero(self.indices[row] == other)
        return float(self.similarities[row][found[0]]) if len(found) else 0.0

    def add_to(self, scores: FloatArray, index: int, weight: float) -> None:
        """Add the weighted similarities of a title's neighbours to `scores`, in place."""
        row = slice(int(self.starts[index]), int(self.starts[index + 1]))
        scores[self.indices[row]] += np.float32(weight) * self.similarities[row]


def build_neighbours(likes: Sequence[Mapping[int, float]], size: int) -> Neighbours:
    """Neighbours over `size` titles from each profile's likes, weights by title index; weights up to 0 are no like."""
    rows, places, values = [], [], []
    for row, weights in enumerate(likes):
        strongest = sorted(((weight, index) for index, weight in weights.items() if weight > 0), reverse=True)
        for weight, index in strongest[:MAX_HISTORY]:
            rows.append(row)
            places.append(index)
            values.append(min(1.0, weight))
    if not rows:
        return Neighbours(np.zeros(size + 1, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
    liked = csr_array((np.array(values), (np.array(rows), np.array(places))), shape=(len(likes), size))
    return _nearest(liked, size)


def _nearest(liked: csr_array[np.float64, tuple[int, int]], size: int) -> Neighbours:
    together = csr_array(liked.T @ liked)
    ones = csr_array((np.ones_like(liked.data), liked.indices, liked.indptr), shape=liked.shape)
    in_common = csr_array(ones.T @ ones)
    together.sort_indices()
    in_common.sort_indices()
    lengths = np.sqrt(together.diagonal())
    starts, indices, similarities = [0], [], []
    for index in range(size):
        row = slice(together.indptr[index], together.indptr[index + 1])
        others, common = together.indices[row], in_common.data[row]
        cosine = together.data[row] / (lengths[index] * lengths[others])
        shrunk = np.where(others == index, 0.0, cosine * common / (common + SHRINKAGE))
        order = np.lexsort((others, -shrunk))[:NEIGHBOUR_COUNT]
        order = order[shrunk[order] > 0]
        indices.append(others[order])
        similarities.append(shrunk[order])
        starts.append(starts[-1] + len(order))
    return Neighbours(
        np.array(starts, np.int32),
        np.concatenate(indices).astype(np.int32),
        np.concatenate(similarities).astype(np.float32),
    )
