"""Item neighbours: titles that the same profiles liked.

For each title the titles most often liked by the same profiles, by cosine over profiles, shrunk towards nothing while
few profiles speak for a pair: two viewers in common prove little. Known limits: all profiles' likes at once in
memory, the last MAX_HISTORY of each. Sarwar et al.: Item-based collaborative filtering (2001); the shrinkage is that
of Bell and Koren (2007).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from subgraphs.recommendations.domain.catalogue import FloatArray, IndexArray
from subgraphs.recommendations.models.recommender import FloatMatrix, Interactions

__all__ = ["Neighbours", "build_neighbours", "find_neighbours"]

MAX_HISTORY = 100
"""Likes per profile: the strongest; a pair of titles costs time for each profile that likes both."""
NEIGHBOUR_COUNT = 50
SHRINKAGE = 5.0
"""Profiles in common at which a similarity counts half."""
BLOCK_TITLES = 1_024
"""Titles compared with all others at once: for 15,000 titles that everybody likes, 180 MB."""


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

    def scores(self, histories: Interactions) -> FloatMatrix:
        """See Recommender.scores: for each title the sum of its similarities to those of its neighbours in the history.

        A title asks its own neighbours, not the other way round: what is like everything has no advantage.
        """
        size = len(self.starts) - 1
        near = csr_array((self.similarities, self.indices, self.starts), shape=(size, size))
        return np.asarray(csr_array(histories @ near.T).toarray(), np.float32)


def build_neighbours(likes: Sequence[Mapping[int, float]], size: int) -> Neighbours:
    """Neighbours over `size` titles from each profile's likes, weights by title index; weights up to 0 are no like."""
    rows, places, values = [], [], []
    for row, weights in enumerate(likes):
        strongest = sorted(((weight, index) for index, weight in weights.items() if weight > 0), reverse=True)
        for weight, index in strongest[:MAX_HISTORY]:
            rows.append(row)
            places.append(index)
            values.append(min(1.0, weight))
    liked = csr_array((np.array(values, np.float64), (np.array(rows), np.array(places))), shape=(len(likes), size))
    return find_neighbours(liked)


def find_neighbours(
    liked: csr_array[Any, tuple[int, int]], *, count: int = NEIGHBOUR_COUNT, shrinkage: float = SHRINKAGE
) -> Neighbours:
    """The `count` nearest titles of each title, of a matrix of profiles (rows) and how much they liked titles."""
    starts, indices, similarities = [0], [], []
    columns = csr_array(liked.T)
    lengths = np.sqrt(np.asarray(columns.multiply(columns).sum(axis=1)).ravel())
    # Where a like is a like, what two titles have in common is their product: half of the work.
    counted = None if (liked.data == 1).all() else _ones(liked)
    for first in range(0, columns.shape[0], BLOCK_TITLES):
        block = slice(first, min(first + BLOCK_TITLES, columns.shape[0]))
        together = csr_array(columns[block] @ liked)
        common = together.data
        if counted is not None:
            # Both products have the same places in the same order: what is not 0 in one is not in the other.
            in_common = csr_array(_ones(csr_array(columns[block])) @ counted)
            together.sort_indices()
            in_common.sort_indices()
            common = in_common.data
        rows = first + np.repeat(np.arange(together.shape[0]), np.diff(together.indptr))
        cosines = together.data / (lengths[rows] * lengths[together.indices])
        shrunk = np.where(together.indices == rows, 0.0, cosines * common / (common + shrinkage))
        for start, end in pairwise(together.indptr.tolist()):
            others, nearness = _nearest(together.indices[start:end], shrunk[start:end], count)
            indices.append(others)
            similarities.append(nearness)
            starts.append(starts[-1] + len(others))
    return Neighbours(
        np.array(starts, np.int32),
        np.concatenate([np.zeros(0, np.int32), *indices]).astype(np.int32),
        np.concatenate([np.zeros(0), *similarities]).astype(np.float32),
    )


def _ones(liked: csr_array[Any, tuple[int, int]]) -> csr_array[Any, tuple[int, int]]:
    return csr_array((np.ones_like(liked.data), liked.indices, liked.indptr), shape=liked.shape)


def _nearest(others: IndexArray, nearness: FloatArray, count: int) -> tuple[IndexArray, FloatArray]:
    """The `count` nearest above 0, nearest first; of equally near ones those with the lower number."""
    if len(nearness) > count:
        # Cut generously, then sort the few: ties at the cut are decided by the full sort.
        kept = np.flatnonzero(nearness >= np.partition(nearness, len(nearness) - count)[len(nearness) - count])
        others, nearness = others[kept], nearness[kept]
    order = np.lexsort((others, -nearness))[:count]
    order = order[nearness[order] > 0]
    return others[order], nearness[order]
