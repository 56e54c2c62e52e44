"""What one known title does for the scores of a profile: which one adds most, and how titles stand without it.

Problem: a reason must be true, so the scores are wanted as they would be if the profile had never met a title. Scoring
everything once more for each tried title costs more than the rest of a page.

Idea: the models are linear in the history (content, tables of item weights), constant (popularity) or one small linear
system (ALS), so taking one title out changes each by a known amount. Only a pool of titles that stand high is scored
again. What a model's scores are divided by, their deviation over all titles that the profile does not know, follows
without looking at all titles: for vectors from their sum and their matrix of inner products, for tables from what the
row that is taken out says of unknown titles. A system without one of its titles is solved by the inverse of the whole
one (Sherman, Morrison). Arrays are small, so that each call of numpy counts: what can be is done to all models at once.

Invariants, held by tests: scores without a title are those that `score_titles` gives for the shorter history, but for
rounding; a title that falls within the pool falls among all titles at least as far, as those outside only push it down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dpotrs

from subgraphs.recommendations.domain.catalogue import BoolArray, FloatArray, IndexArray
from subgraphs.recommendations.models.content import FoldedContent
from subgraphs.recommendations.models.implicit_als import PlacedAls
from subgraphs.recommendations.models.item_weights import ItemWeights
from subgraphs.recommendations.models.popularity import Popularity
from subgraphs.recommendations.models.title_vectors import VectorModel

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
        asked_titles = _Columns(asked, self._size)
        for name, scale in self._scales.items():
            part, answer = self._parts[name], self._answers[name]
            if isinstance(part, FoldedContent):
                known, _ = _vectors_of(answer)
                shares += (scale * (part.vectors_at(asked) @ known.T)).astype(np.float32)
            elif (cells := answer.cells) is not None:
                found, rows = asked_titles.among(cells.titles)
                # A table has a cell for two titles once.
                shares[rows, cells.places[found]] += cells.values[found] * np.float32(scale)
        shares *= self._weights
        # A title is no reason for itself, and none is one that the profile is not drawn to.
        shares[(asked[:, None] == self._known) | (self._weights <= 0)] = -np.inf
        best = shares.argmax(axis=1)
        most = shares[np.arange(len(asked)), best].tolist()
        return [
            None if share == -np.inf else (known, share)
            for known, share in zip(self._known[best].tolist(), most, strict=True)
        ]


class _Shorter(NamedTuple):
    """What models say without each of some titles: a row for each model, a column for each title that is taken out.

    `in_all` and `squares`: the sums of a model's scores, and of their squares, over the titles that are not known then,
    among them the one taken out.
    """

    in_all: Doubles
    squares: Doubles


class _Taken(NamedTuple):
    """What titles lose with known ones, by all models that have no vectors, cell by cell.

    `rows`: of the model and the known title in `_Shorter`, counted through. `scores`: what the titles have with it.
    """

    rows: IndexArray
    titles: IndexArray
    less: Doubles
    scores: FloatArray


class Counterfactuals:
    """Scores of the titles in `pool` as they would be; `profile` has taste."""

    def __init__(self, profile: ProfileScores, pool: IndexArray) -> None:
        self._profile = profile
        self._pool = pool
        weights = profile.signals.weights
        self._place = {each: place for place, each in enumerate(weights)}
        self._known = np.fromiter(weights, np.int32, len(weights))
        self._weights = np.fromiter(weights.values(), np.float64, len(weights))
        speaking = [name for name, scale in profile.scales.items() if scale]
        self._of_vectors = [name for name in speaking if profile.answers[name].vector is not None]
        self._of_scores = [name for name in speaking if profile.answers[name].vector is None]

    @cached_property
    def standing(self) -> FloatArray:
        """The pool's scores with everything that is known, exactly: those of the profile may be off for some titles."""
        answers, scales = self._profile.answers, self._profile.scales
        total = np.array([scales[name] for name in self._of_scores]) @ self._pool_scores
        for name in self._of_vectors:
            total += self._pool_vectors[name] @ (scales[name] * _vectors_of(answers[name])[1])
        total -= sum(scales[name] * answers[name].mean for name in (*self._of_scores, *self._of_vectors))
        return np.maximum(total, 0.0).astype(np.float32)

    @cached_property
    def _pool_vectors(self) -> Mapping[str, Doubles]:
        return {name: self._vector_model(name).vectors_at(self._pool) for name in self._of_vectors}

    @cached_property
    def _pool_scores(self) -> Doubles:
        """A row for each model that has no vectors."""
        scores = np.zeros((len(self._of_scores), len(self._pool)))
        for row, name in zip(scores, self._of_scores, strict=True):
            row[:] = self._profile.answers[name].scores[self._pool]
        return scores

    def without(self, causes: Sequence[int]) -> FloatArray:
        """A row for each of these known titles: scores of the pool, up to a common factor, cut off at 0."""
        models = self._profile.models
        places = np.array([self._place[cause] for cause in causes], np.int32)
        vectors = {name: self._vectors_without(name, places) for name in self._of_vectors}
        taken = self._taken(places)
        shorter = [self._by_scores(taken, places), *(self._by_vectors(name, vectors[name], places) for name in vectors)]
        weights = np.array([models.weights[name] for name in (*self._of_scores, *self._of_vectors)])
        factors, means = self._spread(shorter, weights[:, None])
        of_scores = factors[: len(self._of_scores)]
        total = of_scores.T @ self._pool_scores - (factors * means).sum(axis=0)[:, None]
        for name, factor in zip(vectors, factors[len(of_scores) :], strict=True):
            total += (factor[:, None] * vectors[name]) @ self._pool_vectors[name].T
        found, at = self._pool_columns.among(taken.titles)
        rows = taken.rows[found]
        # Of two tables both may have a cell for two titles.
        np.subtract.at(total, (rows % len(places), at), of_scores.ravel()[rows] * taken.less[found])
        positive = np.count_nonzero(self._weights > 0) - (self._weights[places] > 0)
        # Where nothing speaks any more it is popularity, as in `score_titles`.
        popularity = models.catalogue.popularity[self._pool]
        return np.where(positive[:, None] > 0, np.maximum(total, 0.0), popularity).astype(np.float32)

    def _spread(self, shorter: Sequence[_Shorter], weights: Doubles) -> tuple[Doubles, Doubles]:
        """What the models' scores are multiplied by, and their means."""
        count = max(len(self._profile.scores) - len(self._known) + 1, 1)
        means = np.concatenate([each.in_all for each in shorter]) / count
        squares = np.concatenate([each.squares for each in shorter]) / count
        deviations = np.sqrt(np.maximum(squares - means * means, 0.0))
        return weights / np.where(deviations > NO_DEVIATION, deviations, np.inf), means

    def _taken(self, places: IndexArray) -> _Taken:
        known, count = self._known[places], len(places)
        nothing = np.zeros(0, np.int32)
        found = [_Taken(nothing, nothing, np.zeros(0), np.zeros(0, np.float32))]
        for number, name in enumerate(self._of_scores):
            match part := self._profile.models.parts[name]:
                case ItemWeights():
                    rows, titles, values = part.rows(known)
                    less = values * self._weights[places].take(rows)
                    scores = self._profile.answers[name].scores.take(titles)
                    found.append(_Taken(rows + number * count, titles, less, scores))
                case Popularity():
                    pass
                case _:
                    raise TypeError(f"{name} is a {type(part).__name__}: say here how it scores without a title")
        return _Taken(*map(np.concatenate, zip(*found, strict=True)))

    def _by_scores(self, taken: _Taken, places: IndexArray) -> _Shorter:
        answers, known = [self._profile.answers[name] for name in self._of_scores], self._known[places]
        shape = len(answers), len(places)
        count = max(len(self._profile.scores) - len(self._known), 1)
        means = np.array([answer.mean for answer in answers])[:, None]
        deviations = np.array([answer.deviation for answer in answers])[:, None]
        # A title that is taken out is not known any more: its own score counts.
        own = np.array([answer.scores[known] for answer in answers], np.float64).reshape(shape)
        # It says nothing any more. Of itself it did not: no table has such a cell. What is known stays known.
        less = taken.less * ~self._is_known.take(taken.titles)
        changes = less * (less - 2 * taken.scores)
        lost, changed = (np.bincount(taken.rows, each, own.size).reshape(shape) for each in (less, changes))
        return _Shorter(means * count + own - lost, (deviations**2 + means**2) * count + own * own + changed)

    def _by_vectors(self, name: str, vectors: Doubles, places: IndexArray) -> _Shorter:
        part, (known, _) = self._vector_model(name), _vectors_of(self._profile.answers[name])
        of_known = vectors @ known.T
        of_known[np.arange(len(places)), places] = 0.0
        in_all = vectors @ part.vector_sum - of_known.sum(axis=1)
        squares = np.vecdot(vectors @ part.gram, vectors) - np.vecdot(of_known, of_known)
        return _Shorter(in_all[None], squares[None])

    def _vectors_without(self, name: str, places: IndexArray) -> Doubles:
        """The profile's, by a model of vectors."""
        part, answer = self._vector_model(name), self._profile.answers[name]
        known, vector = _vectors_of(answer)
        if isinstance(part, PlacedAls):
            return self._solve_without(answer, known, vector, places)
        return vector - self._weights[places, None] * known[places]

    def _vector_model(self, name: str) -> VectorModel:
        part = self._profile.models.parts[name]
        if not isinstance(part, VectorModel):
            raise TypeError(f"{name} is a {type(part).__name__}: say here how it scores without a title")
        return part

    def _solve_without(self, answer: Answer, known: Doubles, whole: Doubles, places: IndexArray) -> Doubles:
        # What was liked less than nothing is not in the system, and takes nothing with it.
        weights, vectors = np.maximum(self._weights[places], 0.0)[:, None], known[places]
        assert answer.factor is not None, "a model that solves a system answers with its factor"
        # The system is symmetric: a solution is a row times its inverse, and a few cost less than the inverse itself.
        solutions, _ = dpotrs(answer.factor, vectors.T)
        across = solutions.T
        shorter = whole - weights * across
        shares = weights * np.vecdot(vectors, shorter)[:, None]
        solved: Doubles = shorter + across * shares / (1 - weights * np.vecdot(vectors, across)[:, None])
        return solved

    @cached_property
    def _is_known(self) -> BoolArray:
        is_known = np.zeros(len(self._profile.scores), np.bool_)
        is_known[self._known] = True
        return is_known

    @cached_property
    def _pool_columns(self) -> _Columns:
        return _Columns(self._pool, len(self._profile.scores))


class _Columns:
    """Some titles, and which cells of a table are theirs: a table has tens of thousands of them for one profile."""

    def __init__(self, titles: IndexArray, size: int) -> None:
        self.titles = titles
        self._is_one = np.zeros(size, np.bool_)
        self._is_one[titles] = True
        # Read at these titles only: nothing else needs a value.
        self._places = np.empty(size, np.int32)
        self._places[titles] = np.arange(len(titles))

    def among(self, cells: IndexArray) -> tuple[npt.NDArray[np.intp], IndexArray]:
        """Which of these cells, told by their titles, are theirs, and the place of each one's title."""
        found = np.flatnonzero(self._is_one.take(cells))
        return found, self._places[cells[found]]


def _vectors_of(answer: Answer) -> tuple[Doubles, Doubles]:
    """Of the known titles and of the profile, by a model of vectors."""
    assert answer.known is not None, "a model of vectors answers with them"
    assert answer.vector is not None, "and with the profile's"
    return answer.known, answer.vector
