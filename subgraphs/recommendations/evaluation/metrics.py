"""Metrics of a ranking, one value per profile, over all titles that the profile does not know yet.

NDCG@k: each held-out title that is found counts 1 / log2(rank + 1), as a part of the best possible sum. Recall@k:
found titles as a part of min(k, held out), as in Liang et al. (Variational autoencoders for collaborative filtering,
2018), so that 1 can always be reached. Novelty: how rarely the shown titles were liked, in bits. Diversity: 1 - the
mean likeness of two shown titles. Calibration: how far the shown genres are from the history's, as a divergence in
nats (Steck: Calibrated recommendations, 2018). Coverage is one number for all profiles: titles shown to anybody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.models.recommender import FloatMatrix, Interactions

__all__ = [
    "Ranking",
    "calibration",
    "coverage",
    "diversity",
    "ndcg",
    "novelty",
    "rank_unseen",
    "recall",
]

Doubles = npt.NDArray[np.float64]
CALIBRATION_SMOOTHING = 0.01
"""Of the shown genres with the history's, so that a genre that is not shown at all is far, not infinitely far."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """`titles[p]`: the best titles for profile p, best first. `hits[p, r]`: whether the one at rank r was held out.

    `relevant[p]`: how many were held out, at least 1.
    """

    titles: npt.NDArray[np.int64]
    hits: npt.NDArray[np.bool_]
    relevant: npt.NDArray[np.int64]


def rank_unseen(scores: FloatMatrix, histories: Interactions, held_out: Interactions, depth: int) -> Ranking:
    """The `depth` best titles outside each history; equal scores stand in the order of their titles.

    Raises ValueError when a profile has nothing held out, or when something is both known and held out.
    """
    relevant = np.diff(held_out.indptr).astype(np.int64)
    if relevant.size and relevant.min() == 0:
        raise ValueError(f"profile {int(np.argmin(relevant))} has no held-out title; leave it out of the split")
    if histories.multiply(held_out).nnz:
        raise ValueError("a title is both in a history and held out; a split must part them")
    unseen = np.array(scores, np.float32)
    rows = np.repeat(np.arange(histories.shape[0]), np.diff(histories.indptr))
    unseen[rows, histories.indices] = -np.inf
    titles = _best(unseen, min(depth, unseen.shape[1]))
    # A profile that knows nearly everything has fewer than `depth` titles left; known ones at the end are no hits.
    wanted = held_out.toarray() > 0
    return Ranking(titles, np.take_along_axis(wanted, titles, axis=1), relevant)


def ndcg(ranking: Ranking, k: int) -> Doubles:
    """NDCG@k, 0 to 1, by profile."""
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    gained = ranking.hits[:, :k] @ discounts[: ranking.hits.shape[1]]
    best = np.cumsum(discounts)[np.minimum(ranking.relevant, k) - 1]
    return np.asarray(gained / best, np.float64)


def recall(ranking: Ranking, k: int) -> Doubles:
    """Recall@k, 0 to 1, by profile."""
    return np.asarray(ranking.hits[:, :k].sum(axis=1) / np.minimum(ranking.relevant, k), np.float64)


def coverage(ranking: Ranking, k: int, title_count: int) -> float:
    """The part of all titles that stands among the first k of any profile."""
    return len(np.unique(ranking.titles[:, :k])) / title_count


def novelty(ranking: Ranking, k: int, trained: Interactions) -> Doubles:
    """Mean of -log2(part of profiles that liked a title) over the first k, in bits; none counts as liked by nobody."""
    likes = np.maximum(np.bincount(trained.indices, minlength=trained.shape[1]), 1)
    information = -np.log2(likes / trained.shape[0])
    return np.asarray(information[ranking.titles[:, :k]].mean(axis=1), np.float64)


def diversity(ranking: Ranking, k: int, vectors: FloatMatrix) -> Doubles:
    """1 - the mean inner product of two different titles among the first k; `vectors` have length 1 or 0."""
    shown = vectors[ranking.titles[:, :k]]
    count = shown.shape[1]
    # The sum over all pairs is the square of the sum of vectors; the pairs of a title with itself go.
    together = (shown.sum(axis=1) ** 2).sum(axis=1) - (shown**2).sum(axis=(1, 2))
    return np.asarray(1.0 - together / (count * (count - 1)), np.float64)


def calibration(ranking: Ranking, k: int, histories: Interactions, genres: FloatMatrix) -> Doubles:
    """Kullback-Leibler divergence of the shown genres from the history's; `genres[t]` sums to 1 or is 0."""
    liked = _shares(np.asarray(histories @ genres))
    shown = _shares(genres[ranking.titles[:, :k]].sum(axis=1))
    smoothed = (1 - CALIBRATION_SMOOTHING) * shown + CALIBRATION_SMOOTHING * liked
    ratio = np.divide(liked, smoothed, out=np.ones_like(liked), where=liked > 0)
    return np.asarray((liked * np.log(ratio)).sum(axis=1), np.float64)


def _best(scores: FloatMatrix, depth: int) -> npt.NDArray[np.int64]:
    """Columns of the `depth` highest values of each row, highest first, equal ones in the order of their columns."""
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.asarray(order[:, :depth], np.int64)


def _shares(amounts: npt.NDArray[np.floating]) -> Doubles:
    total = amounts.sum(axis=1, keepdims=True)
    shares: Doubles = np.divide(amounts, total, out=np.zeros(amounts.shape), where=total > 0)
    return shares
