"""One number per title and profile, from all models; computed from what the profile did until now.

Problem: models are trained once in a while, a page must know what was watched a second ago. Idea: no model holds
anything of a profile. Each turns a history into scores by itself: the content model, the item neighbours and EASE add
up a row for each known title, ALS solves one small system for the profile's vector. New watching is folded in by
scoring again, some milliseconds of work; only what titles say about each other waits for the next training.

A model's scores are standardised over the titles that the profile does not know, as they were when the weights were
learned (learned_blend.py). For a profile without taste only popularity is left. Scores run from 0 to 1: the sum, as a
part of its greatest value.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from subgraphs.recommendations.domain.catalogue import Catalogue, FloatArray, IndexArray
from subgraphs.recommendations.domain.taste import Signals
from subgraphs.recommendations.models.content import Content, FoldedContent
from subgraphs.recommendations.models.item_weights import ItemWeights, neighbour_weights
from subgraphs.recommendations.models.learned_blend import moments
from subgraphs.recommendations.models.neighbours import Neighbours
from subgraphs.recommendations.models.popularity import Popularity
from subgraphs.recommendations.models.recommender import Recommender
from subgraphs.recommendations.models.trained import CONTENT, NEIGHBOURS, POPULARITY, TrainedModels, place

__all__ = ["JUDGED", "Models", "ProfileScores", "Similar", "join_models", "score_titles"]

JUDGED: Mapping[str, float] = {CONTENT: 0.55, NEIGHBOURS: 0.30, POPULARITY: 0.15}
"""Weights where none could be learned: what a title is about says more than the few who watched it."""
SIMILAR_NEIGHBOUR_SHARE = 0.5
SIMILAR_COUNT = 1_000
"""Titles like a title that are kept: enough to fill a row when most of them are hidden from a viewer."""
MIN_LIKENESS = 0.12
"""Below, what two titles share is chance: a word, an actor in a small part."""
SIMILAR_KEPT = 2_000
NO_DEVIATION = 1e-6
MIN_CAUSE = 0.1
"""Of a title's score, summed over the models: a title that contributes less is no reason that anybody would recognise.
"""


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
    parts: Mapping[str, Recommender]
    weights: Mapping[str, float]
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
    """Scores from 0 to 1 over the catalogue. `has_taste`: false when only popularity speaks.

    `by_model`: what each model adds to the scores, before they are cut off at 0; `scales[model]` turns its own scores
    into that.
    """

    models: Models
    signals: Signals
    scores: FloatArray
    has_taste: bool
    by_model: Mapping[str, FloatArray] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)

    def cause(self, index: int) -> int | None:
        """The known title that adds most to this one's score; None when none adds noticeably.

        Vectors of ALS are left out: there a title's part can't be told from the others'.
        """
        known = np.array([each for each, weight in self.signals.weights.items() if weight > 0 and each != index], int)
        if not len(known):
            return None
        shares = np.zeros(len(known), np.float32)
        for name, scale in self.scales.items():
            if name == CONTENT:
                vectors = self.models.content.vectors
                shares += np.float32(scale) * (vectors[known] @ vectors[index])
            elif isinstance(part := self.models.parts[name], ItemWeights):
                shares += np.float32(scale) * part.shares(known, index)
        shares *= np.array([self.signals.weights[each] for each in known.tolist()], np.float32)
        best = int(np.argmax(shares))
        return int(known[best]) if shares[best] > MIN_CAUSE * self.scores[index] > 0 else None


def join_models(catalogue: Catalogue, content: Content, learned: TrainedModels | Neighbours) -> Models:
    """A catalogue with its content and what was trained, or (before any training) with what its few viewers watched."""
    if isinstance(learned, Neighbours):
        parts: dict[str, Recommender] = {
            POPULARITY: Popularity(catalogue.popularity),
            CONTENT: FoldedContent(content.vectors),
            NEIGHBOURS: neighbour_weights(learned),
        }
        return Models(catalogue, content, learned, parts, JUDGED)
    placed = place(learned, catalogue.index_by_id, len(catalogue))
    parts = {**placed.parts, CONTENT: FoldedContent(content.vectors)}
    # What all profiles share is computed here, not by the first page after a swap.
    nobody = csr_array(np.zeros((1, len(catalogue)), np.float32))
    for part in placed.parts.values():
        part.scores(nobody)
    return Models(catalogue, content, placed.neighbours, parts, learned.weights)


def score_titles(models: Models, signals: Signals) -> ProfileScores:
    """Every title's score for one profile."""
    popularity = models.catalogue.popularity
    if not any(weight > 0 for weight in signals.weights.values()):
        return ProfileScores(models, signals, popularity.copy(), has_taste=False)
    known = np.fromiter(signals.weights, np.int32, len(signals.weights))
    values = np.fromiter(signals.weights.values(), np.float32, len(signals.weights))
    history = csr_array((values, (np.zeros(len(known), np.int32), known)), shape=(1, len(popularity)))
    total = np.zeros(len(popularity), np.float32)
    by_model: dict[str, FloatArray] = {}
    scales: dict[str, float] = {}
    for name, weight in models.weights.items():
        part = models.parts.get(name)
        if part is None or not weight:
            continue
        scores = part.scores(history)
        mean, deviation = moments(scores, history)
        # A model that says the same of all titles (no neighbours yet) says nothing.
        scales[name] = weight / float(deviation[0, 0]) if deviation[0, 0] > NO_DEVIATION else 0.0
        by_model[name] = (scores[0] - mean[0]) * np.float32(scales[name])
        total += by_model[name]
    most = max(float(total.max(initial=0.0)), NO_DEVIATION)
    return ProfileScores(
        models,
        signals,
        np.clip(total / np.float32(most), 0.0, 1.0),
        has_taste=True,
        by_model={name: values / np.float32(most) for name, values in by_model.items()},
        scales={name: scale / most for name, scale in scales.items()},
    )


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
