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

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dposv

from subgraphs.recommendations.domain.catalogue import FloatArray, IndexArray
from subgraphs.recommendations.models.content import FoldedContent
from subgraphs.recommendations.models.implicit_als import PlacedAls
from subgraphs.recommendations.models.item_weights import Cells, ItemWeights
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


class _Sums(NamedTuple):
    """What one model says without each of some titles, a row for each; `in_all` and `squares` as in Answer.

    `pool` and `known`: its scores of the pool, and of all titles that the profile knows.
    """

    pool: Doubles
    known: Doubles
    in_all: Doubles
    squares: Doubles


class Counterfactuals:
    """Scores of the titles in `pool` as they would be; `profile` has taste."""

    def __init__(self, profile: ProfileScores, pool: IndexArray) -> None:
        self._profile = profile
        self._pool = pool
        weights = profile.signals.weights
        self._place = {each: place for place, each in enumerate(weights)}
        self._known = np.fromiter(weights, np.int32, len(weights))
        self._weights = np.fromiter(weights.values(), np.float64, len(weights))

    @cached_property
    def standing(self) -> FloatArray:
        """The pool's scores with everything that is known, exactly: those of the profile may be off for some titles."""
        profile, total = self._profile, np.zeros(len(self._pool))
        for name, scale in profile.scales.items():
            answer = profile.answers[name]
            in_pool = answer.scores[self._pool] if answer.vector is None else self._pool_vectors[name] @ answer.vector
            total += scale * (in_pool - answer.mean)
        return np.maximum(total, 0.0).astype(np.float32)

    @cached_property
    def _pool_vectors(self) -> Mapping[str, Doubles]:
        parts = {name: self._profile.models.parts[name] for name in self._profile.scales}
        return {
            name: part.vectors_at(self._pool)
            for name, part in parts.items()
            if isinstance(part, FoldedContent | PlacedAls)
        }

    def without(self, causes: Sequence[int]) -> FloatArray:
        """A row for each of these known titles: scores of the pool, up to a common factor, cut off at 0."""
        models = self._profile.models
        places = np.array([self._place[cause] for cause in causes], np.int32)
        speaking = [name for name, scale in self._profile.scales.items() if scale]
        sums = [self._ask(name, models.parts[name], places) for name in speaking]
        # From here on all models at once: an axis of models, then one of causes.
        means, deviations = self._spread(sums, places)
        weights = np.array([models.weights[name] for name in speaking])[:, None]
        factors = weights / np.where(deviations > NO_DEVIATION, deviations, np.inf)
        scores = np.array([each.pool for each in sums]) - means[:, :, None]
        total = (factors[:, :, None] * scores).sum(axis=0)
        positive = np.count_nonzero(self._weights > 0) - (self._weights[places] > 0)
        # Where nothing speaks any more it is popularity, as in `score_titles`.
        popularity = models.catalogue.popularity[self._pool]
        return np.where(positive[:, None] > 0, np.maximum(total, 0.0), popularity).astype(np.float32)

    def _spread(self, sums: Sequence[_Sums], places: IndexArray) -> tuple[Doubles, Doubles]:
        """Means and deviations over the titles that are not known then, among them the one taken out."""
        known = np.array([each.known for each in sums])
        known[:, np.arange(len(places)), places] = 0.0
        count = max(len(self._profile.scores) - known.shape[2] + 1, 1)
        means = (np.array([each.in_all for each in sums]) - known.sum(axis=2)) / count
        squares = np.array([each.squares for each in sums]) - np.einsum("mck,mck->mc", known, known)
        return means, np.sqrt(np.maximum(squares / count - means**2, 0.0))

    def _ask(self, name: str, part: Recommender, places: IndexArray) -> _Sums:
        answer = self._profile.answers[name]
        match part:
            case FoldedContent():
                known, vector = _vectors_of(answer)
                folded = vector - self._weights[places, None] * known[places]
                return self._by_vectors(part, self._pool_vectors[name], known, folded)
            case PlacedAls():
                known, vector = _vectors_of(answer)
                shorter = self._solve_without(answer, known, vector, places)
                return self._by_vectors(part, self._pool_vectors[name], known, shorter)
            case ItemWeights():
                assert answer.cells is not None, "a table answers with its cells"
                return self._by_table(answer, answer.cells, places)
            case Popularity():
                same = np.ones(len(places))
                scores, known = np.outer(same, part.counts[self._pool]), np.outer(same, part.counts[self._known])
                return _Sums(scores, known, same * answer.in_all, same * answer.squares)
            case _:
                raise TypeError(f"{name} is a {type(part).__name__}: say here how it scores without a title")

    def _solve_without(self, answer: Answer, known: Doubles, whole: Doubles, places: IndexArray) -> Doubles:
        # What was liked less than nothing is not in the system, and takes nothing with it.
        weights, vectors = np.maximum(self._weights[places], 0.0)[:, None], known[places]
        assert answer.matrix is not None, "a model that solves a system answers with it"
        # The system is symmetric: a solution is a row times its inverse, and a few cost less than the inverse itself.
        _, solutions, _ = dposv(answer.matrix, vectors.T)
        across = solutions.T
        shorter = whole - weights * across
        shares = weights * (vectors * shorter).sum(axis=1, keepdims=True)
        solved: Doubles = shorter + across * shares / (1 - weights * (vectors * across).sum(axis=1, keepdims=True))
        return solved

    @staticmethod
    def _by_vectors(part: FoldedContent | PlacedAls, pool: Doubles, known: Doubles, folded: Doubles) -> _Sums:
        squares = ((folded @ part.gram) * folded).sum(axis=1)
        return _Sums(folded @ pool.T, folded @ known.T, folded @ part.vector_sum, squares)

    def _by_table(self, answer: Answer, cells: Cells, places: IndexArray) -> _Sums:
        rows, titles, values = _some_rows(cells, places)
        less = values * self._weights[places[rows]]
        changes = less * (less - 2 * answer.scores[titles])
        left = []
        for columns in (self._pool_columns, self._known_columns):
            scores = np.outer(np.ones(len(places)), answer.scores[columns.titles])
            found, at = columns.among(titles)
            # A table has a cell for two titles once.
            scores[rows[found], at] -= less[found]
            left.append(scores)
        in_all: Doubles = answer.in_all - np.bincount(rows, less, minlength=len(places)).astype(np.float64)
        squares: Doubles = answer.squares + np.bincount(rows, changes, minlength=len(places)).astype(np.float64)
        return _Sums(left[0], left[1], in_all, squares)

    @cached_property
    def _pool_columns(self) -> _Columns:
        return _Columns(self._pool, len(self._profile.scores))

    @cached_property
    def _known_columns(self) -> _Columns:
        return _Columns(self._known, len(self._profile.scores))


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


def _some_rows(cells: Cells, places: IndexArray) -> Cells:
    """The cells of the rows at these places, each told by its row's number among them."""
    starts, ends = (np.searchsorted(cells.places, places, side) for side in ("left", "right"))
    slices = [slice(start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    return Cells(
        np.repeat(np.arange(len(places), dtype=np.int32), ends - starts),
        np.concatenate([cells.titles[each] for each in slices]),
        np.concatenate([cells.values[each] for each in slices]),
    )


def _vectors_of(answer: Answer) -> tuple[Doubles, Doubles]:
    """Of the known titles and of the profile, by a model of vectors."""
    assert answer.known is not None, "a model of vectors answers with them"
    assert answer.vector is not None, "and with the profile's"
    return answer.known, answer.vector
