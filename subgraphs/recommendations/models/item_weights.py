"""A sparse table of what one title says about another; how linear models are kept and served.

Problem: a linear model over n titles is n x n numbers (900 MB for 15,000), of which few matter to any page. Idea: each
title keeps only its strongest influences, to either side; scoring a profile adds up as many short rows as it knows
titles, and what a known title added to a score can be told, which reasons need. What is lost by cutting is measured
with every training, as the metrics are taken of the cut model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack
from scipy.sparse._sparsetools import csc_matvec, csr_row_index

from subgraphs.recommendations.domain.catalogue import FloatArray, IndexArray
from subgraphs.recommendations.models.ease import fit_ease
from subgraphs.recommendations.models.neighbours import Neighbours
from subgraphs.recommendations.models.recommender import FloatMatrix, Interactions, Recommender

__all__ = ["Cells", "ItemWeights", "ease_weights", "neighbour_weights", "strongest_influences"]

BLOCK_TITLES = 512
"""Rows of a full model in memory at once while it is cut: 30 MB at 15,000 titles."""


class Cells(NamedTuple):
    """Some rows of a table: the place of each cell's row among them, its title, and its weight."""

    places: IndexArray
    titles: IndexArray
    values: FloatArray


@dataclass(frozen=True)
class ItemWeights:
    """`table[known, title]`: what liking the known title once adds to a title's score."""

    table: csr_array[Any, tuple[int, int]]

    @cached_property
    def row_sums(self) -> npt.NDArray[np.float64]:
        """What each known title adds to all scores together."""
        return np.asarray(self.table.sum(axis=1, dtype=np.float64))

    def scores(self, histories: Interactions) -> FloatMatrix:
        """See Recommender.scores."""
        return np.asarray(csr_array(histories @ self.table).toarray(), np.float32)

    def rows(self, known: IndexArray) -> Cells:
        """What the known titles say, cell by cell."""
        return self._cells(known)[1]

    def ask(self, known: IndexArray, weights: FloatArray) -> tuple[FloatArray, Cells]:
        """Scores of all titles for one history, and the same cell by cell without the weights."""
        ends, cells = self._cells(known)
        scores = np.zeros(self.table.shape[1], cells.values.dtype)
        csc_matvec(
            len(scores), len(known), ends, cells.titles, cells.values, weights.astype(cells.values.dtype), scores
        )
        return scores, cells

    def _cells(self, known: IndexArray) -> tuple[IndexArray, Cells]:
        """And where the rows begin and end among them.

        By scipy's own loops: for a hundred rows `table[known]` takes three times as long, as it checks everything anew.
        """
        starts, titles, values = self.table.indptr, self.table.indices, self.table.data
        known = known.astype(starts.dtype, copy=False)
        lengths = starts[known + 1] - starts[known]
        ends = np.zeros(len(known) + 1, starts.dtype)
        np.cumsum(lengths, out=ends[1:])
        cells = Cells(
            np.repeat(np.arange(len(known), dtype=np.int32), lengths),
            np.empty(ends[-1], titles.dtype),
            np.empty(ends[-1], values.dtype),
        )
        csr_row_index(len(known), known, starts, titles, values, cells.titles, cells.values)
        return ends, cells


def neighbour_weights(neighbours: Neighbours) -> ItemWeights:
    """Item neighbours as weights: a title asks its own neighbours whether they are known."""
    size = len(neighbours.starts) - 1
    near = csr_array((neighbours.similarities, neighbours.indices, neighbours.starts), shape=(size, size))
    return ItemWeights(csr_array(near.T))


def strongest_influences(model: Recommender, title_count: int, kept: int) -> ItemWeights:
    """A linear model's table, cut to the `kept` largest influences (of either sign) of each known title."""
    blocks = []
    for first in range(0, title_count, BLOCK_TITLES):
        rows = np.arange(first, min(first + BLOCK_TITLES, title_count))
        asked = csr_array((np.ones(len(rows), np.float32), (rows - first, rows)), shape=(len(rows), title_count))
        influence = model.scores(asked)
        if kept < title_count:
            weak = np.argpartition(-np.abs(influence), kept, axis=1)[:, kept:]
            np.put_along_axis(influence, weak, 0.0, axis=1)
        blocks.append(csr_array(influence))
    table: csr_array[Any, tuple[int, int]] = vstack(blocks, format="csr")
    return ItemWeights(table)


def ease_weights(trained: Interactions, *, l2: float, max_titles: int, kept: int) -> ItemWeights:
    """EASE over the `max_titles` most liked titles, cut; others neither speak nor are spoken for.

    Beyond some thousand titles the tail has too few likes for a weight between two of them to mean anything, and the
    cost grows with the cube of their number.
    """
    counts = np.bincount(trained.indices, minlength=trained.shape[1])
    chosen = np.sort(np.lexsort((np.arange(len(counts)), -counts))[:max_titles])
    model = fit_ease(csr_array(trained[:, chosen]), l2=l2)
    table = strongest_influences(model, len(chosen), kept).table.tocoo()
    rows, columns = chosen[table.row], chosen[table.col]
    return ItemWeights(csr_array((table.data, (rows, columns)), shape=(trained.shape[1], trained.shape[1])))
