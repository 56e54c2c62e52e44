"""A learned blend: a title's score is a weighted sum of several models' scores, the weights chosen by what ranks best.

Problem: the models are right about different titles (a linear model knows what is watched together, vectors know camps,
metadata know new titles), on different scales, and no loss that is easy to minimise is what a viewer sees.

Idea: every model's scores are standardised per profile over the titles that it does not know (mean 0, deviation 1).
Weights are then found by ascending the measure itself, NDCG@100 + recall@20 of held-out likes, one weight at a time, in
steps that grow finer until none helps by more than `MIN_GAIN`: with five to ten weights that is a few hundred cheap
rankings. The rows that weights are learned from are out of fold: the models that scored a profile were trained
without it (`learn_weights` is given such scores), so that a model that merely remembers gets no weight for it.

Invariants: the measure never falls below that of the weights begun with; the same rows give the same weights. Limits: a
local optimum; only the `CANDIDATES` best titles by the first weights are ranked while learning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.models.recommender import FloatMatrix, Interactions, Recommender

__all__ = ["LearnedBlend", "learn_weights", "moments", "standardised"]

CANDIDATES = 600
STEPS = (0.4, 0.2, 0.1)
MIN_GAIN = 2e-4
"""Of NDCG@100 + recall@20: a smaller gain is chance."""
MAX_SWEEPS = 50
NDCG_DEPTH, RECALL_DEPTH = 100, 20


@dataclass(frozen=True)
class LearnedBlend:
    """Models with their weights, by the models' names."""

    parts: Mapping[str, Recommender]
    weights: Mapping[str, float]

    def scores(self, histories: Interactions) -> FloatMatrix:
        """See Recommender.scores; models with weight 0 are not asked."""
        total = np.zeros(histories.shape, np.float32)
        for name, weight in self.weights.items():
            if weight:
                total += np.float32(weight) * standardised(self.parts[name].scores(histories), histories)
        return total


def standardised(scores: FloatMatrix, histories: Interactions) -> FloatMatrix:
    """Each row to mean 0 and deviation 1 over the titles outside its history, which themselves become 0."""
    means, deviations = moments(scores, histories)
    values = np.asarray((scores - means) / deviations, np.float32)
    values[np.repeat(np.arange(histories.shape[0]), np.diff(histories.indptr)), histories.indices] = 0.0
    return values


def moments(scores: FloatMatrix, histories: Interactions) -> tuple[FloatMatrix, FloatMatrix]:
    """Mean and deviation of each row over the titles outside its history, as columns; the deviation is above 0."""
    known = np.repeat(np.arange(histories.shape[0]), np.diff(histories.indptr))
    counts = np.maximum(scores.shape[1] - np.diff(histories.indptr), 1)[:, None]
    # About a first mean: differences of large sums would lose what makes the titles differ.
    about = scores.mean(axis=1, keepdims=True)
    centred = scores - about
    of_known = centred[known, histories.indices].astype(np.float64)
    sums = centred.sum(axis=1, dtype=np.float64) - np.bincount(known, of_known, minlength=len(scores))
    squares = np.einsum("pt,pt->p", centred, centred) - np.bincount(known, of_known**2, minlength=len(scores))
    means = sums[:, None] / counts
    deviations = np.sqrt(np.maximum(squares[:, None] / counts - means**2, 0.0))
    return np.asarray(about + means, np.float32), np.asarray(np.maximum(deviations, 1e-9), np.float32)


def learn_weights(
    part_scores: Mapping[str, FloatMatrix], held_out: Interactions, begin: Mapping[str, float]
) -> dict[str, float]:
    """The weights of standardised out-of-fold scores that find the held-out titles best.

    All matrices have a row per profile; `begin` has a weight for each part. Raises ValueError when names differ.
    """
    if set(part_scores) != set(begin):
        raise ValueError(f"scores are of {sorted(part_scores)}, first weights of {sorted(begin)}")
    names = list(part_scores)
    weights = np.array([begin[name] for name in names], np.float64)
    rows = _candidates(np.stack([part_scores[name] for name in names]), held_out, weights)
    best = rows.measure(weights)
    for step in STEPS:
        for _ in range(MAX_SWEEPS):
            before = best
            for place in range(len(names)):
                for change in (-step, step):
                    tried = weights.copy()
                    tried[place] += change
                    found = rows.measure(tried)
                    if found > best + MIN_GAIN:
                        best, weights = found, tried
            if best == before:
                break
    return {name: round(float(weight), 6) for name, weight in zip(names, weights, strict=True)}


@dataclass(frozen=True, slots=True)
class _Rows:
    """Candidates only. `scores[part, profile, candidate]`, `wanted[profile, candidate]`, and how many are held out."""

    scores: npt.NDArray[np.float32]
    wanted: npt.NDArray[np.bool_]
    relevant: npt.NDArray[np.int64]

    def measure(self, weights: npt.NDArray[np.float64]) -> float:
        """NDCG@100 + recall@20, the mean over profiles."""
        total = np.tensordot(weights.astype(np.float32), self.scores, 1)
        depth = min(NDCG_DEPTH, total.shape[1])
        top = np.argpartition(-total, depth - 1, axis=1)[:, :depth]
        order = np.argsort(-np.take_along_axis(total, top, axis=1), axis=1, kind="stable")
        hits = np.take_along_axis(self.wanted, np.take_along_axis(top, order, axis=1), axis=1)
        discounts = 1.0 / np.log2(np.arange(2, NDCG_DEPTH + 2))
        best = np.cumsum(discounts)[np.minimum(self.relevant, NDCG_DEPTH) - 1]
        ndcg = (hits @ discounts[:depth]) / best
        recall = hits[:, :RECALL_DEPTH].sum(axis=1) / np.minimum(self.relevant, RECALL_DEPTH)
        return float(np.mean(ndcg + recall))


def _candidates(scores: npt.NDArray[np.float32], held_out: Interactions, weights: npt.NDArray[np.float64]) -> _Rows:
    total = np.tensordot(weights.astype(np.float32), scores, 1)
    count = min(CANDIDATES, total.shape[1])
    titles = np.argpartition(-total, count - 1, axis=1)[:, :count]
    return _Rows(
        np.take_along_axis(scores, titles[None], axis=2),
        np.take_along_axis(held_out.toarray() > 0, titles, axis=1),
        np.diff(held_out.indptr).astype(np.int64),
    )
