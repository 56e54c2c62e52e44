"""One number per title and profile, from all models; computed from what the profile did until now.

Problem: models are trained once in a while, a page must know what was watched a second ago. Idea: no model holds
anything of a profile. Each turns a history into scores by itself: the content model, the item neighbours and EASE add
up a row for each known title, ALS solves one small system for the profile's vector. New watching is folded in by
scoring again, some milliseconds of work; only what titles say about each other waits for the next training.

A model's scores are standardised over the titles that the profile does not know, as they were when the weights were
learned (learned_blend.py). What that takes is known before any title is scored (one_history.py), so that all models of
vectors are asked together, by one product (title_vectors.py). For a profile without taste only popularity is left.
Scores run from 0 to 1: the sum, as a part of its greatest value.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy.linalg.blas import saxpy

from subgraphs.recommendations.domain.catalogue import Catalogue, FloatArray, IndexArray
from subgraphs.recommendations.domain.taste import Signals
from subgraphs.recommendations.models.content import Content, FoldedContent
from subgraphs.recommendations.models.counterfactuals import Influences
from subgraphs.recommendations.models.item_weights import neighbour_weights
from subgraphs.recommendations.models.neighbours import Neighbours
from subgraphs.recommendations.models.one_history import Answer, OneHistory
from subgraphs.recommendations.models.popularity import Popularity
from subgraphs.recommendations.models.recommender import Recommender
from subgraphs.recommendations.models.title_vectors import TitleVectors, VectorModel, pack_title_vectors
from subgraphs.recommendations.models.trained import CONTENT, NEIGHBOURS, POPULARITY, TrainedModels, place

__all__ = ["JUDGED", "Models", "ProfileScores", "Similar", "join_models", "score_titles", "scores_of_one"]

JUDGED: Mapping[str, float] = {CONTENT: 0.55, NEIGHBOURS: 0.30, POPULARITY: 0.15}
"""Weights where none could be learned: what a title is about says more than the few who watched it."""
SIMILAR_NEIGHBOUR_SHARE = 0.5
SIMILAR_COUNT = 1_000
"""Titles like a title that are kept: enough to fill a row when most of them are hidden from a viewer."""
MIN_LIKENESS = 0.12
"""Below, what two titles share is chance: a word, an actor in a small part."""
SIMILAR_KEPT = 2_000
SCORES_KEPT = 24
"""Profiles whose scores are in memory, with those of each model: a megabyte each, of 50,000 titles."""
REFINED = 1_000
"""Titles whose scores are exact: all that pages look at by score alone, and their genres' best."""
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
    _scored: OrderedDict[tuple[tuple[int, float], ...], ProfileScores] = field(
        default_factory=OrderedDict, repr=False, compare=False
    )

    @cached_property
    def speaking(self) -> Mapping[str, Recommender]:
        """The models that have a weight, by their names."""
        return {name: self.parts[name] for name, weight in self.weights.items() if weight and name in self.parts}

    @cached_property
    def title_vectors(self) -> TitleVectors:
        """Of those among them that have vectors, over what can stand on a page: movies and series."""
        models = {name: part for name, part in self.speaking.items() if isinstance(part, VectorModel)}
        return pack_title_vectors(models, self.catalogue.is_listable)

    def similar(self, index: int) -> Similar:
        """The titles most like this one; the same for every viewer, so those asked for lately are kept."""
        # Taken out and put back last: what another thread does in between costs a second look and breaks nothing.
        known = self._similar.pop(index, None)
        if known is None:
            known = _most_similar(self, index)
        self._similar[index] = known
        if len(self._similar) > SIMILAR_KEPT:
            self._similar.popitem(last=False)
        return known

    def scored(self, signals: Signals) -> ProfileScores:
        """As `score_titles`; kept of those asked for lately: for their other pages, and events that change no taste.

        Known by what the profile is drawn to and how much: whoever it is, the scores are the same.
        """
        key = tuple(signals.weights.items())
        known = self._scored.pop(key, None)
        scored = score_titles(self, signals) if known is None else replace(known, signals=signals)
        self._scored[key] = scored
        if len(self._scored) > SCORES_KEPT:
            self._scored.popitem(last=False)
        return scored

    def forget_scores(self) -> None:
        """As before anybody was scored."""
        self._scored.clear()


@dataclass(frozen=True)
class ProfileScores:
    """Scores from 0 to 1 over the catalogue. `has_taste`: false when only popularity speaks.

    Of somebody with taste only movies and series have scores, others 0; they are off by as much as title_vectors.py
    says, far less than would be seen. `by_model` and `answers` are exact.

    `by_model`: what each model adds to the scores, before they are cut off at 0; `scales[model]` turns its own scores
    into that. `answers`: what each model says, as it says it, with its cells in the order of the signals' weights.
    """

    models: Models
    signals: Signals
    scores: FloatArray
    has_taste: bool
    by_model: Mapping[str, FloatArray] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)

    def cause(self, index: int) -> int | None:
        """The known title that adds most to this one's score; None when none adds noticeably."""
        return self.causes([index])[0]

    def causes(self, indices: Sequence[int]) -> list[int | None]:
        """The same for several different titles."""
        return [
            found[0] if found is not None and found[1] > MIN_CAUSE * self.scores[index] > 0 else None
            for index, found in zip(indices, self._influences.strongest(indices), strict=True)
        ]

    @cached_property
    def _influences(self) -> Influences:
        return Influences(self)


def join_models(catalogue: Catalogue, content: Content, learned: TrainedModels | Neighbours) -> Models:
    """A catalogue with its content and what was trained, or (before any training) with what its few viewers watched."""
    if isinstance(learned, Neighbours):
        parts: dict[str, Recommender] = {
            POPULARITY: Popularity(catalogue.popularity),
            CONTENT: FoldedContent(content.vectors),
            NEIGHBOURS: neighbour_weights(learned),
        }
        models = Models(catalogue, content, learned, parts, JUDGED)
    else:
        placed = place(learned, catalogue.index_by_id, len(catalogue))
        parts = {**placed.parts, CONTENT: FoldedContent(content.vectors)}
        models = Models(catalogue, content, placed.neighbours, parts, learned.weights)
    if len(catalogue):
        # What all profiles share is computed here, not by the first page after a swap.
        somebody = OneHistory(np.zeros(1, np.int32), np.ones(1))
        for part in parts.values():
            somebody.ask(part, len(catalogue))
        _ = models.title_vectors
        content.like(0)
    return models


def score_titles(models: Models, signals: Signals) -> ProfileScores:
    """Every title's score for one profile."""
    popularity = models.catalogue.popularity
    if not any(weight > 0 for weight in signals.weights.values()):
        return ProfileScores(models, signals, popularity.copy(), has_taste=False)
    history = OneHistory(
        np.fromiter(signals.weights, np.int32, len(signals.weights)),
        np.fromiter(signals.weights.values(), np.float64, len(signals.weights)),
    )
    answers = {name: history.ask(part, len(popularity)) for name, part in models.speaking.items()}
    # A model that says the same of all titles (no neighbours yet) says nothing.
    scales = {
        name: models.weights[name] / answer.deviation if answer.deviation > NO_DEVIATION else 0.0
        for name, answer in answers.items()
    }
    vectors = {name: answer.vector * scales[name] for name, answer in answers.items() if answer.vector is not None}
    sums = models.title_vectors.ask(vectors)
    total = sums.rough
    for name, answer in answers.items():
        if name not in vectors:
            total = saxpy(answer.scores, total, a=scales[name])
    sums.refine(total, REFINED)
    total -= np.float32(sum(answer.mean * scales[name] for name, answer in answers.items()))
    most = max(float(total.max(initial=0.0)), NO_DEVIATION)
    # To divide leaves the greatest at 1 exactly: nothing is cut off there.
    total /= np.float32(most)
    np.maximum(total, 0.0, out=total)
    scales = {name: scale / most for name, scale in scales.items()}
    return ProfileScores(
        models,
        signals,
        total,
        has_taste=True,
        by_model=_ByModel(answers, scales),
        scales=scales,
        answers=answers,
    )


class _ByModel(Mapping[str, FloatArray]):
    """What each model adds to the scores, made when it is asked for: pages mostly need the sum."""

    def __init__(self, answers: Mapping[str, Answer], scales: Mapping[str, float]) -> None:
        self._answers = answers
        self._scales = scales
        self._made: dict[str, FloatArray] = {}

    def __getitem__(self, name: str) -> FloatArray:
        if name not in self._made:
            answer = self._answers[name]
            self._made[name] = (answer.scores - np.float32(answer.mean)) * np.float32(self._scales[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)


def scores_of_one(profile: ProfileScores, name: str) -> ProfileScores | None:
    """As one of the models alone would score; None where it says nothing about this profile."""
    part = profile.by_model.get(name)
    if part is None or not profile.scales[name]:
        return None
    most = max(float(part.max(initial=0.0)), NO_DEVIATION)
    return replace(
        profile,
        models=replace(profile.models, weights={name: 1.0}, _scored=OrderedDict()),
        scores=np.clip(part / np.float32(most), 0.0, 1.0),
        by_model={name: part / np.float32(most)},
        scales={name: profile.scales[name] / most},
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
