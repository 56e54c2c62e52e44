"""One number per title and profile, from all models.

score = content times how near a title lies to what the profile likes, + neighbours times what others liked beside it, +
popularity times how much it is watched at all. For a profile without taste only popularity is left. The weights are set
by judgement; they give way to learned ones when there is watching enough to learn from.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from subgraphs.recommendations.domain.catalogue import Catalogue, FloatArray, IndexArray
from subgraphs.recommendations.domain.taste import Signals
from subgraphs.recommendations.models.content import Content
from subgraphs.recommendations.models.neighbours import Neighbours

__all__ = ["Models", "ProfileScores", "Similar", "score_titles"]

CONTENT_SHARE, NEIGHBOUR_SHARE, POPULARITY_SHARE = 0.55, 0.30, 0.15
SIMILAR_NEIGHBOUR_SHARE = 0.5
SIMILAR_COUNT = 1_000
"""Titles like a title that are kept: enough to fill a row when most of them are hidden from a viewer."""
MIN_LIKENESS = 0.12
"""Below, what two titles share is chance: a word, an actor in a small part."""
SIMILAR_KEPT = 2_000
MIN_CAUSE = 0.05
"""A title that contributes less is no reason that anybody would recognise."""


@dataclass(frozen=True, slots=True)
class Similar:
    """Movies and series like a title, nearest first, with how like they are, 0 to 1."""

    titles: IndexArray
    likeness: FloatArray


@dataclass(frozen=True)
class Models:
    """A catalogue with what was learned about it; swapped as one."""

    catalogue: Catalogue
    content: Content
    neighbours: Neighbours
    _similar: OrderedDict[int, Similar] = field(default_factory=OrderedDict, repr=False, compare=False)

    def similar(self, index: int) -> Similar:
        """The titles most like this one; the same for every viewer, so those asked for lately are kept."""
        known = self._similar.get(index)
        if known is None:
            known = self._similar[index] = _most_similar(self, index)
            if len(self._similar) > SIMILAR_KEPT:
                self._similar.popitem(last=False)
        else:
            self._similar.move_to_end(index)
        return known


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
        vectors = self.models.content.vectors
        known_titles = [known for known, weight in self.signals.weights.items() if weight > 0 and known != index]
        likeness = vectors[known_titles] @ vectors[index]
        for known, content in zip(known_titles, likeness.tolist(), strict=True):
            together = self.models.neighbours.similarity(known, index)
            share = self.signals.weights[known] * (CONTENT_SHARE * content + NEIGHBOUR_SHARE * together)
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
    vectors = models.content.vectors
    content = vectors @ (weights @ vectors[known])
    neighbours = np.zeros(len(popularity), np.float32)
    for index, weight in signals.weights.items():
        models.neighbours.add_to(neighbours, index, weight)
    total = CONTENT_SHARE * _scaled(content) + NEIGHBOUR_SHARE * _scaled(neighbours) + POPULARITY_SHARE * popularity
    return ProfileScores(models, signals, np.clip(total, 0.0, 1.0).astype(np.float32), has_taste=True)


def _most_similar(models: Models, index: int) -> Similar:
    scores = _similar_scores(models, index)
    places = np.flatnonzero((scores >= MIN_LIKENESS) & models.catalogue.is_listable)
    if len(places) > SIMILAR_COUNT:
        cut = np.partition(scores[places], len(places) - SIMILAR_COUNT)[len(places) - SIMILAR_COUNT]
        places = places[scores[places] >= cut]
    order = places[np.lexsort((places, -scores[places]))][:SIMILAR_COUNT].astype(np.int32)
    return Similar(order, np.clip(scores[order], 0.0, 1.0))


def _similar_scores(models: Models, index: int) -> FloatArray:
    """How like every title is to this one, by content and by who watched both; its own score is below all."""
    scores = models.content.like(index)
    models.neighbours.add_to(scores, index, SIMILAR_NEIGHBOUR_SHARE)
    # Popularity only breaks ties between titles that are alike.
    scores = scores + np.float32(0.02) * models.catalogue.popularity
    scores[index] = -np.inf
    return scores


def _scaled(values: FloatArray) -> FloatArray:
    """To at most 1 in size, so that the shares mean what they say."""
    largest = float(np.abs(values).max(initial=0.0))
    return values / np.float32(largest) if largest > 0 else values
