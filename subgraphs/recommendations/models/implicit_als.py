"""Implicit ALS: a short vector per title and profile, so that their product is high where a profile liked a title.

Problem: minimise, over profile vectors U and title vectors V,
    sum over liked pairs of w (1 - u.v)^2  +  unobserved * sum over all pairs of (u.v)^2  +  l2 * (|U|^2 + |V|^2).
w says how much a title was liked; training mostly has 1. The second sum says that what was not watched is probably not
liked, a little; it never visits the pairs, since it is u' (V'V) u. (Hu, Koren, Volinsky: Collaborative filtering for
implicit feedback datasets, 2008, in the form of Rendle et al.: Revisiting the performance of iALS on item
recommendation benchmarks, 2021.)

Idea: with V fixed each u is the solution of a small linear system, and the other way round; the two steps alternate. A
system is solved for a block of rows of like length at once. A profile that was not trained on is one such solution:
new watching counts at once, without training.

Single precision throughout: half the time and memory, and its rounding lies far below what another seed changes.

Invariants: no step raises the objective; the same seed gives the same vectors (both held by tests).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.linalg.blas import dsyrk
from scipy.sparse import csr_array

from subgraphs.recommendations.domain.catalogue import BoolArray, IndexArray
from subgraphs.recommendations.models.recommender import FloatMatrix, Interactions

__all__ = ["AlsParameters", "ImplicitAls", "PlacedAls", "fit_als", "objective"]

BLOCK_VALUES = 2_000_000
"""Numbers gathered for one block of rows: 8 MB."""
SHORT_RATIO = 0.75
"""Entries of a row, as a part of the factors, below which a system of entries costs less than one of factors."""


@dataclass(frozen=True, slots=True)
class AlsParameters:
    """`unobserved` weighs pairs that were not seen against one that was."""

    factors: int = 64
    l2: float = 1.0
    unobserved: float = 0.3
    steps: int = 12
    seed: int = 7


@dataclass(frozen=True)
class ImplicitAls:
    """Title vectors; made by `fit_als`."""

    titles: FloatMatrix
    parameters: AlsParameters

    @cached_property
    def _gram(self) -> FloatMatrix:
        """The same for every profile, and most of the work for one."""
        return np.asarray(self.titles.T @ self.titles, np.float32)

    def profiles(self, histories: Interactions) -> FloatMatrix:
        """A vector for each history: the one that training would have found with these title vectors."""
        return _solve_rows(histories, self.titles, self._gram, self.parameters)

    def scores(self, histories: Interactions) -> FloatMatrix:
        """See Recommender.scores; what was liked less than nothing is left out."""
        liked = csr_array(histories)
        if histories.nnz and histories.data.min() <= 0:
            liked = csr_array(histories.multiply(histories > 0))
        return np.asarray(self.profiles(liked) @ self.titles.T, np.float32)


@dataclass(frozen=True)
class PlacedAls:
    """A model that serves a catalogue of `size` titles; `places[t]` is where its title t stands in it, or -1: nowhere.

    Titles of the catalogue that it does not know score 0, as one that nobody has an opinion of.
    """

    model: ImplicitAls
    places: IndexArray
    size: int

    @cached_property
    def _title_at(self) -> IndexArray:
        titles = np.full(self.size, -1, np.int32)
        titles[self.places[self._is_placed]] = np.flatnonzero(self._is_placed)
        return titles

    @cached_property
    def vector_sum(self) -> npt.NDArray[np.float64]:
        """Of all titles' vectors in this catalogue."""
        return np.asarray(self.model.titles[self._is_placed].sum(axis=0, dtype=np.float64))

    @cached_property
    def gram(self) -> npt.NDArray[np.float64]:
        """Inner products of the vectors' columns: from a profile's vector to the sum of its squared scores."""
        vectors = self.model.titles[self._is_placed].astype(np.float64)
        return np.asarray(vectors.T @ vectors)

    def vectors_at(self, places: IndexArray) -> npt.NDArray[np.float64]:
        """Of titles of the catalogue; zeros for those that the model does not know."""
        titles = self._title_at.take(places)
        vectors = self.model.titles.take(titles, axis=0).astype(np.float64)
        vectors[titles < 0] = 0.0
        return vectors

    def system(
        self, vectors: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Matrix and right side whose solution is the vector of a profile that liked titles of these vectors so much.

        Of the matrix, which is symmetric, the upper triangle: half the work, and all that is read to solve it. What was
        liked less than nothing has no part in it, and neither have titles that the model does not know.
        """
        liked = np.maximum(weights, 0.0)
        shown = vectors * np.sqrt(liked)[:, None]
        return dsyrk(1.0, shown.T, beta=1.0, c=self._common), liked @ vectors

    @cached_property
    def _common(self) -> npt.NDArray[np.float64]:
        """Of every profile's matrix; by columns, as what solves the system reads it."""
        parameters, titles = self.model.parameters, self.model.titles.astype(np.float64)
        common = parameters.unobserved * (titles.T @ titles) + parameters.l2 * np.eye(parameters.factors)
        return np.asfortranarray(common)

    def scores_of(self, vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """For one profile's vector; see `scores`."""
        scores = np.zeros(self.size, np.float32)
        scores[self.places[self._is_placed]] = (self.model.titles @ vector.astype(np.float32))[self._is_placed]
        return scores

    @property
    def _is_placed(self) -> BoolArray:
        return self.places >= 0

    def _profiles(self, histories: Interactions) -> FloatMatrix:
        rows = np.repeat(np.arange(histories.shape[0]), np.diff(histories.indptr))
        titles = self._title_at[histories.indices]
        kept = (titles >= 0) & (histories.data > 0)
        shape = (histories.shape[0], len(self.places))
        liked = csr_array((histories.data[kept], (rows[kept], titles[kept])), shape=shape)
        return self.model.profiles(liked)

    def scores(self, histories: Interactions) -> FloatMatrix:
        """See Recommender.scores; what was liked less than nothing is left out."""
        scores = np.zeros((histories.shape[0], self.size), np.float32)
        vectors = self.model.titles[self._is_placed]
        scores[:, self.places[self._is_placed]] = self._profiles(histories) @ vectors.T
        return scores


def fit_als(trained: Interactions, parameters: AlsParameters, *, begin: ImplicitAls | None = None) -> ImplicitAls:
    """Train on who liked what; `begin`: with the vectors of a model of the same titles, instead of random ones."""
    columns = csr_array(trained.T)
    random = np.random.default_rng(parameters.seed)
    begun = random.normal(0.0, 0.1 / np.sqrt(parameters.factors), (trained.shape[1], parameters.factors))
    titles = begun.astype(np.float32) if begin is None else begin.titles
    for _ in range(parameters.steps):
        profiles = _solve_rows(trained, titles, titles.T @ titles, parameters)
        titles = _solve_rows(columns, profiles, profiles.T @ profiles, parameters)
    return ImplicitAls(titles, parameters)


def objective(trained: Interactions, model: ImplicitAls) -> float:
    """What training minimises, at the best profile vectors for these title vectors."""
    parameters, titles = model.parameters, model.titles.astype(np.float64)
    profiles = model.profiles(trained).astype(np.float64)
    rows = np.repeat(np.arange(trained.shape[0]), np.diff(trained.indptr))
    errors = 1.0 - np.einsum("nf,nf->n", profiles[rows], titles[trained.indices])
    everything = float(np.sum((profiles.T @ profiles) * (titles.T @ titles)))
    size = float(np.sum(profiles**2) + np.sum(titles**2))
    return float(np.sum(trained.data * errors**2)) + parameters.unobserved * everything + parameters.l2 * size


def _solve_rows(matrix: Interactions, fixed: FloatMatrix, gram: FloatMatrix, parameters: AlsParameters) -> FloatMatrix:
    """The best vector for each row while the vectors of the columns stay, whose inner products are `gram`.

    Zero for an empty row.
    """
    factors = fixed.shape[1]
    common = np.float32(parameters.unobserved) * gram + np.float32(parameters.l2) * np.eye(factors, dtype=np.float32)
    from_common = np.linalg.inv(common.astype(np.float64)).astype(np.float32)
    solved = np.zeros((matrix.shape[0], factors), np.float32)
    for rows, columns, weights in _blocks(matrix, factors):
        seen = fixed[columns]
        solve = _solve_short if seen.shape[1] < SHORT_RATIO * factors else _solve_long
        solved[rows] = solve(seen, weights, common, from_common)
    return solved


def _solve_long(seen: FloatMatrix, weights: FloatMatrix, common: FloatMatrix, _: FloatMatrix) -> FloatMatrix:
    """(C + S' W S)^-1 S' W 1 for each row's S, a system of factors."""
    weighted = seen * weights[:, :, None]
    systems = common + np.matmul(weighted.transpose(0, 2, 1), seen)
    return np.asarray(np.linalg.solve(systems, weighted.sum(axis=1)[:, :, None])[:, :, 0])


def _solve_short(seen: FloatMatrix, weights: FloatMatrix, _: FloatMatrix, from_common: FloatMatrix) -> FloatMatrix:
    """The same by a system of what was seen (Woodbury): C^-1 A' (I + A C^-1 A')^-1 W^1/2 1, where A = W^1/2 S.

    Most titles of a large catalogue are liked by a few.
    """
    roots = np.sqrt(weights)
    shown = seen * roots[:, :, None]
    across = shown @ from_common
    systems = np.matmul(across, shown.transpose(0, 2, 1)) + np.eye(seen.shape[1], dtype=np.float32)
    shares = np.linalg.solve(systems, roots[:, :, None])
    return np.asarray(np.matmul(shares.transpose(0, 2, 1), across)[:, 0, :])


def _blocks(
    matrix: Interactions, factors: int
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]]:
    """Rows of like length together: their numbers, their columns and values.

    Short rows are filled up with entries of value 0.
    """
    lengths = np.diff(matrix.indptr)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    start = 0
    while start < len(order):
        stop = start + 1
        # The next row is at least as long as those before it: it sets the width of all.
        while stop < len(order) and (stop + 1 - start) * (lengths[order[stop]] + factors) * factors <= BLOCK_VALUES:
            stop += 1
        rows = order[start:stop]
        width = int(lengths[rows[-1]])
        places = np.arange(width)
        inside = places < lengths[rows][:, None]
        positions = np.minimum(matrix.indptr[rows][:, None] + places, matrix.nnz - 1)
        weights = np.where(inside, matrix.data[positions], np.float32(0.0))
        yield rows, matrix.indices[positions].astype(np.int64), weights
        start = stop
