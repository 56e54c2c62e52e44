"""What each model says about one profile, and how that scatters: the same numbers as for many profiles at once, sooner.

Problem: a page scores one history, with every model, and divides each model's scores by their deviation over the
titles that the profile does not know. As matrices of one row that is mostly overhead, and the deviation reads all
scores again.

Idea: one product of a model's vectors with the profile's vector gives its scores; their sum and the sum of their
squares follow from the sum of the vectors and from their inner products, which do not depend on the profile. For tables
the cells of the known titles are added up.

Invariant, held by a test: scores, mean and deviation are those of `Recommender.scores` and `moments`, but for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from subgraphs.recommendations.domain.catalogue import FloatArray, IndexArray
from subgraphs.recommendations.models.content import FoldedContent
from subgraphs.recommendations.models.implicit_als import PlacedAls
from subgraphs.recommendations.models.item_weights import Cells, ItemWeights
from subgraphs.recommendations.models.popularity import Popularity
from subgraphs.recommendations.models.recommender import Recommender

__all__ = ["Answer", "OneHistory", "spread"]

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answer:
    """One model's scores of all titles; `mean` and `deviation` are over those that the profile does not know.

    `in_all` and `squares`: the sums of all scores and of their squares. `cells`: what the known titles said, where the
    model is a table. `known`: the known titles' vectors, `vector`: the profile's own, and `matrix`: the one of the
    system that gave it, where there are such.
    """

    scores: FloatArray
    mean: float
    deviation: float
    in_all: float
    squares: float
    cells: Cells | None = None
    known: Doubles | None = None
    vector: Doubles | None = None
    matrix: Doubles | None = None


@dataclass(frozen=True, slots=True)
class OneHistory:
    """Titles that a profile knows, with how much it is drawn to each."""

    known: IndexArray
    weights: Doubles

    def ask(self, part: Recommender, size: int) -> Answer:
        """What a model over `size` titles says."""
        cells: Cells | None = None
        match part:
            case FoldedContent():
                known = part.vectors_at(self.known)
                return self._by_vectors(part, known, self.weights @ known)
            case PlacedAls():
                known = part.vectors_at(self.known)
                matrix, right = part.system(known, self.weights)
                return self._by_vectors(part, known, np.asarray(np.linalg.solve(matrix, right), np.float64), matrix)
            case ItemWeights():
                scores, cells = part.ask(self.known, self.weights.astype(np.float32))
            case Popularity():
                scores = part.counts
            case _:
                history = (self.weights.astype(np.float32), (np.zeros(len(self.known), np.int32), self.known))
                scores = part.scores(csr_array(history, shape=(1, size)))[0]
        in_all, squares = float(scores.sum(dtype=np.float64)), float(scores @ scores)
        mean, deviation = spread(size, in_all, squares, scores[self.known].astype(np.float64))
        return Answer(scores, mean, deviation, in_all, squares, cells)

    def _by_vectors(
        self, part: FoldedContent | PlacedAls, known: Doubles, vector: Doubles, matrix: Doubles | None = None
    ) -> Answer:
        scores = part.scores_of(vector)
        in_all, squares = float(part.vector_sum @ vector), float(vector @ part.gram @ vector)
        mean, deviation = spread(len(scores), in_all, squares, scores[self.known].astype(np.float64))
        return Answer(scores, mean, deviation, in_all, squares, known=known, vector=vector, matrix=matrix)


def spread(size: int, in_all: float, squares: float, of_known: Doubles) -> tuple[float, float]:
    """Mean and deviation of all scores but those of known titles, from sums over all."""
    count = max(size - len(of_known), 1)
    mean = (in_all - float(of_known.sum())) / count
    variance = (squares - float(of_known @ of_known)) / count - mean**2
    return mean, max(variance, 0.0) ** 0.5
