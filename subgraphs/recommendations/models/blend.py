"""One number per title and profile, from all models.

score = content times how near a title lies to what the profile likes, + neighbours times what others liked beside it, +
popularity times how much it is watched at all. For a profile without taste only popularity is left. The weights are set
by judgement; they give way to learned ones when there is watching enough to learn from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from subgraphs.recommendations.domain.catalogue import Catalogue, FloatArray
from subgraphs.recommendations.domain.taste import Signals
from subgraphs.recommendations.models.neighbours import Neighbours

__all__ = ["Models", "ProfileScores", "score_titles", "similar_scores"]

CONTENT_SHARE, NEIGHBOUR_SHARE, POPULARITY_SHARE = 0.55, 0.30, 0.15
SIMILAR_NEIGHBOUR_SHARE = 0.5
MIN_CAUSE = 0.05
"""A title that contributes less is no reason that anybody would recognise."""


@dataclass(frozen=True)
class Models:
    """A catalogue with what was learned about it; swapped as one."""

    catalogue: Catalogue
    content: FloatArray
    neighbours: Neighbours


@dataclass(frozen=True)
class ProfileScores:
    """Scores from 0 to 1 over the catalogue. `has_taste`: false when only popularity speaks."""

    models: Models
    signals: Signals
    scores: FloatArray
    has_taste: bool

    def cause(self, index: int) -> int | None:
        """The known title that draws the profile most to this one; None when none does so noticeably."""
        best, best_share = None, MIN_CAUSE
        vector = self.models.content[index]
        neighbours = np.zeros(len(self.scores), np.float32)
        for known, weight in self.signals.weights.items():
            if weight <= 0 or known == index:
                continue
            neighbours[:] = 0
            self.models.neighbours.add_to(neighbours, known, 1.0)
            similarity = CONTENT_SHARE * float(self.models.content[known] @ vector)
            share = weight * (similarity + NEIGHBOUR_SHARE * float(neighbours[index]))
            if share > best_share:
                best, best_share = known, share
        return best


def score_titles(models: Models, signals: Signals) -> ProfileScores:
    """Every title's score for one profile."""
    popularity = models.catalogue.popularity
    if not any(weight > 0 for weight in signals.weights.values()):
        return ProfileScores(models, signals, popularity.copy(), has_taste=False)
    known = np.fromiter(signals.weights, np.int32, len(signals.weights))
    weights = np.fromiter(signals.weights.values(), np.float32, len(signals.weights))
    content = models.content @ (weights @ models.content[known])
    neighbours = np.zeros(len(popularity), np.float32)
    for index, weight in signals.weights.items():
        models.neighbours.add_to(neighbours, index, weight)
    total = CONTENT_SHARE * _scaled(content) + NEIGHBOUR_SHARE * _scaled(neighbours) + POPULARITY_SHARE * popularity
    return ProfileScores(models, signals, np.clip(total, 0.0, 1.0).astype(np.float32), has_taste=True)


def similar_scores(models: Models, index: int) -> FloatArray:
    """How like every title is to this one, by content and by who watched both; its own score is below all."""
    scores: FloatArray = (models.content @ models.content[index]).astype(np.float32)
    models.neighbours.add_to(scores, index, SIMILAR_NEIGHBOUR_SHARE)
    # Popularity only breaks ties between titles that are alike.
    scores = scores + np.float32(0.02) * models.catalogue.popularity
    scores[index] = -np.inf
    return scores


def _scaled(values: FloatArray) -> FloatArray:
    """To at most 1 in size, so that the shares mean what they say."""
    largest = float(np.abs(values).max(initial=0.0))
    return values / np.float32(largest) if largest > 0 else values
