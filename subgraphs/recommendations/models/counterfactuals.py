"""What one known title does for the scores of a profile: which one adds most, and how titles stand without it.

Problem: a reason must be true, so the scores are wanted as they would be if the profile had never met a title. Scoring
everything once more for each tried title costs more than the rest of a page.

Idea: the models are linear in the history (content, tables of item weights), constant (popularity) or one small linear
system (ALS), so taking one title out changes each by a known amount. Only a pool of titles that stand high is scored
again. What a model's scores are divided by, their deviation over all titles that the profile does not know, follows
without looking at all titles: for vectors from their sum and their matrix of inner products, for tables from the one
row that is taken out. A system without one of its titles is solved by the inverse of the whole one (Sherman, Morrison).

Invariants, held by tests: scores without a title are those that `score_titles` gives for the shorter history, but for
rounding; a title that falls within the pool falls among all titles at least as far, as those outside only push it down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.domain.catalogue import FloatArray, IndexArray
from subgraphs.recommendations.models.content import FoldedContent
from subgraphs.recommendations.models.implicit_als import PlacedAls
from subgraphs.recommendations.models.item_weights import ItemWeights
from subgraphs.recommendations.models.popularity import Popularity
from subgraphs.recommendations.models.recommender import Recommender

if TYPE_CHECKING:
    from subgraphs.recommendations.models.blend import ProfileScores
    from subgraphs.recommendations.models.one_history import Answer

__all__ = ["Counterfactuals", "Influences"]

Doubles = npt.NDArray[np.float64]
NO_DEVIATION = 1e-6


class Influences:
    """What each title that the profile is drawn to adds to the scores of others.

    Vectors of ALS are left out: there a title's part can't be told from the others'.
    """

    def __init__(self, profile: ProfileScores) -> None:
        # The profile keeps these, and must not be kept by them: with megabytes of scores it would wait for the
        # collector of circles, which comes after hundreds of pages.
        self._parts = profile.models.parts
        self._scales = profile.scales
        self._answers = profile.answers
        self._size = len(profile.scores)
        weights = profile.signals.weights
        self._known = np.fromiter(weights, np.int32, len(weights))
        self._weights = np.fromiter(weights.values(), np.float32, len(weights))

    def strongest(self, indices: Sequence[int]) -> list[tuple[int, float] | None]:
        """For each of different titles the known one that adds most to its score, and how much.

        None when nothing else is known.
        """
        asked, size = np.array(indices, np.int32), len(self._known)
        if not size or not len(asked):
            return [None] * len(asked)
        shares = np.zeros((len(asked), size), np.float32)
        row_of = _places_of(asked, self._size)
        for name, scale in self._scales.items():
            part = self._parts[name]
            if isinstance(part, FoldedContent):
                shares += np.float32(scale) * (part.vectors[asked] @ part.vectors[self._known].T)
            elif (cells := self._answers[name].cells) is not None:
                rows = row_of[cells.titles]
                found = np.flatnonzero(rows >= 0)
                # A table has a cell for two titles once.
                shares[rows[found], cells.places[found]] += cells.values[found] * np.float32(scale)
        shares *= self._weights
        # A title is no reason for itself, and none is one that the profile is not drawn to.
        shares[(asked[:, None] == self._known) | (self._weights <= 0)] = -np.inf
        best = shares.argmax(axis=1)
        most = shares[np.arange(len(asked)), best].tolist()
        return [
            None if share == -np.inf else (known, share)
            for known, share in zip(self._known[best].tolist(), most, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Without:
    """A model's scores of the pool, a row for each title that is taken out.

    `means` and `deviations` are over all titles that are not known then.
    """

    scores: Doubles
    means: Doubles
    deviations: Doubles


class Counterfactuals:
    """Scores of the titles in `pool` as they would be; `profile` has taste."""

    def __init__(self, profile: ProfileScores, pool: IndexArray) -> None:
        self._profile = profile
        self._pool = pool
        weights = profile.signals.weights
        self._place = {each: place for place, each in enumerate(weights)}
        self._known = np.fromiter(weights, np.int32, len(weights))
        self._weights = np.fromiter(weights.values(), np.float64, len(weights))

    def without(self, causes: Sequence[int]) -> FloatArray:
        """A row for each of these known titles: scores of the pool, up to a common factor, cut off at 0."""
        places = np.array([self._place[cause] for cause in causes], np.int32)
        total = np.zeros((len(places), len(self._pool)))
        for name, scale in self._profile.scales.items():
            if scale:
                answer = self._ask(name, self._profile.models.parts[name], places)
                speaks = answer.deviations > NO_DEVIATION
                factors = self._profile.models.weights[name] / np.where(speaks, answer.deviations, np.inf)
                total += factors[:, None] * (answer.scores - answer.means[:, None])
        positive = np.count_nonzero(self._weights > 0) - (self._weights[places] > 0)
        # Where nothing speaks any more it is popularity, as in `score_titles`.
        popularity = self._profile.models.catalogue.popularity[self._pool]
        scores: FloatArray = np.where(positive[:, None] > 0, np.maximum(total, 0.0), popularity).astype(np.float32)
        return scores

    def _ask(self, name: str, part: Recommender, places: IndexArray) -> _Without:
        answer = self._profile.answers[name]
        match part:
            case FoldedContent():
                known, vector = _vectors_of(answer)
                folded = vector - self._weights[places, None] * known[places]
                return self._by_vectors(part, known, folded, places)
            case PlacedAls():
                known, vector = _vectors_of(answer)
                return self._by_vectors(part, known, self._solve_without(answer, known, vector, places), places)
            case ItemWeights():
                return self._by_table(answer, part, places)
            case Popularity():
                scores = np.tile(part.counts[self._pool].astype(np.float64), (len(places), 1))
                known = np.tile(part.counts[self._known].astype(np.float64), (len(places), 1))
                return self._spread(scores, known, places, answer.in_all, answer.squares)
            case _:
                raise TypeError(f"{name} is a {type(part).__name__}: say here how it scores without a title")

    def _solve_without(self, answer: Answer, known: Doubles, whole: Doubles, places: IndexArray) -> Doubles:
        # What was liked less than nothing is not in the system, and takes nothing with it.
        weights, vectors = np.maximum(self._weights[places], 0.0)[:, None], known[places]
        assert answer.matrix is not None, "a model that solves a system answers with it"
        # The system is symmetric: a solution is a row times its inverse, and a few cost less than the inverse itself.
        across = np.linalg.solve(answer.matrix, vectors.T).T
        shorter = whole - weights * across
        shares = weights * (vectors * shorter).sum(axis=1, keepdims=True)
        solved: Doubles = shorter + across * shares / (1 - weights * (vectors * across).sum(axis=1, keepdims=True))
        return solved

    def _by_vectors(
        self, part: FoldedContent | PlacedAls, known: Doubles, folded: Doubles, places: IndexArray
    ) -> _Without:
        squares = ((folded @ part.gram) * folded).sum(axis=1)
        of_pool = folded @ part.vectors_at(self._pool).T
        return self._spread(of_pool, folded @ known.T, places, folded @ part.vector_sum, squares)

    def _by_table(self, whole: Answer, part: ItemWeights, places: IndexArray) -> _Without:
        scores = whole.scores
        rows, titles, values = part.rows(self._known[places])
        less = values * self._weights[places[rows]]
        in_all: Doubles = whole.in_all - np.bincount(rows, less, minlength=len(places)).astype(np.float64)
        changes = np.bincount(rows, less * (less - 2 * scores[titles]), minlength=len(places)).astype(np.float64)
        squares: Doubles = whole.squares + changes
        found = []
        for wanted, place_of in ((self._pool, self._pool_places), (self._known, self._known_places)):
            at = place_of[titles]
            hit = np.flatnonzero(at >= 0)
            left = np.tile(scores[wanted].astype(np.float64), (len(places), 1))
            # A table has a cell for two titles once.
            left[rows[hit], at[hit]] -= less[hit]
            found.append(left)
        return self._spread(found[0], found[1], places, in_all, squares)

    @cached_property
    def _pool_places(self) -> IndexArray:
        return _places_of(self._pool, len(self._profile.scores))

    @cached_property
    def _known_places(self) -> IndexArray:
        return _places_of(self._known, len(self._profile.scores))

    def _spread(
        self, scores: Doubles, known: Doubles, places: IndexArray, in_all: Doubles | float, squares: Doubles | float
    ) -> _Without:
        """`known`: scores of all known titles, of which those at `places` are not known any more."""
        known[np.arange(len(places)), places] = 0.0
        count = max(len(self._profile.scores) - known.shape[1] + 1, 1)
        means = (in_all - known.sum(axis=1)) / count
        variances = (squares - (known * known).sum(axis=1)) / count - means**2
        return _Without(scores, means, np.sqrt(np.maximum(variances, 0.0)))


def _places_of(titles: IndexArray, size: int) -> IndexArray:
    """By title its place among these; -1 for others."""
    places = np.full(size, -1, np.int32)
    places[titles] = np.arange(len(titles))
    return places


def _vectors_of(answer: Answer) -> tuple[Doubles, Doubles]:
    """Of the known titles and of the profile, by a model of vectors."""
    assert answer.known is not None, "a model of vectors answers with them"
    assert answer.vector is not None, "and with the profile's"
    return answer.known, answer.vector
