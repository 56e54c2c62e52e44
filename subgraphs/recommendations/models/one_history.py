"""What each model says about one profile, and how that scatters: the same numbers as for many profiles at once, sooner.

Problem: a page scores one history, with every model, and divides each model's scores by their deviation over the
titles that the profile does not know. As matrices of one row that is mostly overhead, and the deviation reads all
scores again.

Idea: a model of vectors says one vector, from which its scores follow (title_vectors.py does so for all such models at
once). Their sum and the sum of their squares follow from the sum of the titles' vectors and from their inner products,
which do not depend on the profile. For tables the cells of the known titles are added up.

Invariant, held by a test: scores, mean and deviation are those of `Recommender.scores` and `moments`, but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack
from scipy.sparse import csr_array

from subgraphs.recommendations.domain.catalogue import FloatArray, IndexArray
from subgraphs.recommendations.models.content import FoldedContent
from subgraphs.recommendations.models.implicit_als import PlacedAls
from subgraphs.recommendations.models.item_weights import Cells, ItemWeights
from subgraphs.recommendations.models.popularity import Popularity
from subgraphs.recommendations.models.recommender import Recommender
from subgraphs.recommendations.models.title_vectors import VectorModel

__all__ = ["Answer", "OneHistory", "spread"]

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """What one model says; `mean` and `deviation` are of its scores of titles that the profile does not know.

    `cells`: what the known titles said, where the model is a table. `known`: the known titles' vectors, `vector`: the
    profile's own, and `factor`: Cholesky's of the system that gave it, where there are such.
    """

    score: Callable[[], FloatArray]
    mean: float
    deviation: float
    cells: Cells | None = None
    known: Doubles | None = None
    vector: Doubles | None = None
    factor: Doubles | None = None

    @cached_property
    def scores(self) -> FloatArray:
        """Of all titles; of a model of vectors computed when they are first asked for."""
        return self.score()


@dataclass(frozen=True, slots=True)
class OneHistory:
    """Titles that a profile knows, with how much it is drawn to each."""

    known: IndexArray
    weights: Doubles

    def ask(self, part: Recommender, size: int) -> Answer:
        """What a model over `size` titles says."""
        match part:
            case FoldedContent():
                known = part.vectors_at(self.known)
                return self._by_vectors(part, known, self.weights @ known)
            case PlacedAls():
                known = part.vectors_at(self.known)
                factor, vector = _solved(*part.system(known, self.weights))
                return self._by_vectors(part, known, vector, factor)
            case ItemWeights():
                scores, cells = part.ask(self.known, self.weights.astype(np.float32))
                return self._by_scores(scores, float(self.weights @ part.row_sums[self.known]), _square(scores), cells)
            case Popularity():
                return self._by_scores(part.counts, *part.totals)
            case _:
                history = (self.weights.astype(np.float32), (np.zeros(len(self.known), np.int32), self.known))
                scores = part.scores(csr_array(history, shape=(1, size)))[0]
                return self._by_scores(scores, float(scores.sum(dtype=np.float64)), _square(scores))

    def _by_scores(self, scores: FloatArray, in_all: float, squares: float, cells: Cells | None = None) -> Answer:
        mean, deviation = spread(len(scores), in_all, squares, scores[self.known].astype(np.float64))
        return Answer(lambda: scores, mean, deviation, cells)

    def _by_vectors(self, part: VectorModel, known: Doubles, vector: Doubles, factor: Doubles | None = None) -> Answer:
        in_all, squares = float(part.vector_sum @ vector), float(vector @ part.gram @ vector)
        mean, deviation = spread(part.size, in_all, squares, known @ vector)
        score = partial(part.scores_of, vector)
        return Answer(score, mean, deviation, known=known, vector=vector, factor=factor)


def _solved(matrix: Doubles, right: Doubles) -> tuple[Doubles, Doubles]:
    """Cholesky's factor, and the solution, of a symmetric positive definite system: half the work of a general one."""
    factor, solution, failed = lapack.dposv(matrix, right)
    if failed:
        raise np.linalg.LinAlgError(f"a system of {len(right)} has no Cholesky factor: {failed}")
    return np.asarray(factor), np.asarray(solution)


def _square(scores: FloatArray) -> float:
    return float(scores @ scores)


def spread(size: int, in_all: float, squares: float, of_known: Doubles) -> tuple[float, float]:
    """Mean and deviation of all scores but those of known titles, from sums over all."""
    count = max(size - len(of_known), 1)
    mean = (in_all - float(of_known.sum())) / count
    variance = (squares - float(of_known @ of_known)) / count - mean**2
    return mean, max(variance, 0.0) ** 0.5
