"""Training: from who liked what, and when, to models, the blend's weights, and how good they are.

1. Some profiles are left out. Models of the others score them; one half of those left out chooses the blend's weights
   (see learned_blend.py), the other half measures the blend and every model alone. Neither half was seen by the models.
2. With these weights all models are trained once more, on all profiles: that is what serves. ALS goes on from its
   vectors of the first part, which were learned from most of the same likes.

With fewer than MIN_PROFILES profiles that can be left out nothing can be learned that is not chance: popularity and
item neighbours are counted, the weights are those of JUDGED, and there are no metrics.

At scale: only the profiles left out are ever scored, `MEASURED_VALUES` numbers per model at a time; models work on
sparse likes and blocks of titles. The largest thing in memory is EASE's square of its `ease_titles` titles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from subgraphs.recommendations.evaluation import metrics
from subgraphs.recommendations.evaluation.intervals import mean_interval
from subgraphs.recommendations.evaluation.splits import part_histories
from subgraphs.recommendations.models.blend import JUDGED
from subgraphs.recommendations.models.implicit_als import AlsParameters, ImplicitAls, fit_als
from subgraphs.recommendations.models.item_weights import ItemWeights, ease_weights, neighbour_weights
from subgraphs.recommendations.models.learned_blend import LearnedBlend, learn_weights, standardised
from subgraphs.recommendations.models.neighbours import Neighbours, find_neighbours
from subgraphs.recommendations.models.popularity import Popularity, fit_popularity
from subgraphs.recommendations.models.recommender import Interactions, Recommender
from subgraphs.recommendations.models.trained import (
    ALS,
    CONTENT,
    EASE,
    NEIGHBOURS,
    POPULARITY,
    SECOND_START,
    TrainedModels,
)

__all__ = ["BLEND", "Measured", "Outcome", "Training", "TrainingSettings", "train"]

BLEND = "blend"
MIN_PROFILES = 100
"""Profiles with MIN_LIKES likes from which on weights are learned: from ten of them, and measured on ten others."""
MIN_LIKES = 5
LEFT_OUT_RATIO = 0.2
MEASURED_VALUES = 12_000_000
"""Scores per model of the profiles left out, 48 MB: 800 profiles at 15,000 titles."""
SEED, SECOND_SEED = 7, 11
STEPS_AGAIN = 3
"""Of ALS with all profiles, after its steps without those that were left out."""
DAY_S = 24 * 3600.0
WEIGHTS_STEP = "weights and metrics"


@dataclass(frozen=True, slots=True)
class Training:
    """What a model is trained on; `ages_s` belong to the entries of `liked`."""

    liked: Interactions
    ages_s: npt.NDArray[np.float64]

    def rows(self, places: npt.NDArray[np.int64]) -> Training:
        """The same for some of the profiles."""
        kept = [np.arange(self.liked.indptr[place], self.liked.indptr[place + 1]) for place in places]
        entries = np.concatenate(kept) if kept else np.zeros(0, np.int64)
        return Training(csr_array(self.liked[places]), self.ages_s[entries])


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """As the evaluation found them best, but for EASE's cut and ALS's steps, which are for their cost.

    See docs/evaluation.md.
    """

    als: AlsParameters = field(default_factory=lambda: AlsParameters(factors=64, l2=3.0, unobserved=0.3, steps=8))
    ease_l2: float = 200.0
    ease_titles: int = 6_000
    ease_kept: int = 300
    neighbours: int = 100
    shrinkage: float = 5.0
    half_life_days: float = 365.0


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one model on profiles that it was not trained on: means with 95 % intervals as (mean, low, high)."""

    ndcg_at_100: tuple[float, float, float]
    recall_at_20: tuple[float, float, float]


@dataclass(frozen=True)
class Outcome:
    """`measured` by model's name, empty where too few profiles are there."""

    trained: TrainedModels
    measured: Mapping[str, Measured]
    measured_profiles: int

    @property
    def is_better_than_popularity(self) -> bool:
        """Whether the blend may serve: on the profiles left out it ranks no worse than the same list for everybody.

        By NDCG@100 alone: it looks at the whole list, and so swings least where few profiles are measured.
        """
        if not self.measured:
            return True
        return self.measured[BLEND].ndcg_at_100[0] >= self.measured[POPULARITY].ndcg_at_100[0]


@dataclass(frozen=True)
class _Fitted:
    popularity: Popularity
    neighbours: Neighbours
    ease: ItemWeights | None
    als: tuple[ImplicitAls, ...]

    def parts(self, content: Recommender) -> dict[str, Recommender]:
        parts: dict[str, Recommender] = {
            POPULARITY: self.popularity,
            CONTENT: content,
            NEIGHBOURS: neighbour_weights(self.neighbours),
        }
        if self.ease is not None:
            parts[EASE] = self.ease
        return {**parts, **dict(zip((ALS, SECOND_START), self.als, strict=False))}


def train(
    training: Training,
    title_ids: tuple[str, ...],
    content: Recommender,
    settings: TrainingSettings,
    progress: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Train on likes of titles in the order of `title_ids`; `content` scores the same titles. Deterministic.

    `progress` is told of each step when it begins; the name of a model that is trained comes first.
    """
    random = np.random.default_rng(SEED)
    can_be_left_out = np.flatnonzero(np.diff(training.liked.indptr) >= MIN_LIKES)
    has_enough = len(can_be_left_out) >= MIN_PROFILES
    weights, measured, profiles, first = JUDGED, dict[str, Measured](), 0, None
    if has_enough:
        most = max(10, min(round(len(can_be_left_out) * LEFT_OUT_RATIO), MEASURED_VALUES // max(1, len(title_ids))))
        left_out = np.sort(random.permutation(can_be_left_out)[:most])
        rest = training.rows(np.setdiff1d(np.arange(training.liked.shape[0]), left_out))
        first = _fit(rest, settings, progress)
        parts = first.parts(content)
        progress(WEIGHTS_STEP)
        told, found = part_histories(csr_array(training.liked[left_out]), random)
        half = len(left_out) // 2
        weights = _learn(parts, csr_array(told[:half]), csr_array(found[:half]))
        measured = _measure(parts, weights, csr_array(told[half:]), csr_array(found[half:]))
        profiles = len(left_out) - half
    fitted = _fit(training, settings, progress, is_whole=has_enough, begin=first)
    trained = TrainedModels(title_ids, fitted.popularity, fitted.neighbours, fitted.ease, fitted.als, weights)
    return Outcome(trained, measured, profiles)


def _fit(
    training: Training,
    settings: TrainingSettings,
    progress: Callable[[str], None],
    *,
    is_whole: bool = True,
    begin: _Fitted | None = None,
) -> _Fitted:
    """All models, or only those that a handful of profiles allows."""
    liked = training.liked
    progress(f"{NEIGHBOURS} of {liked.shape[1]} titles")
    popularity = fit_popularity(liked, training.ages_s, half_life_s=settings.half_life_days * DAY_S)
    neighbours = find_neighbours(liked, count=settings.neighbours, shrinkage=settings.shrinkage)
    if not is_whole:
        return _Fitted(popularity, neighbours, None, ())
    progress(f"{EASE} of {min(liked.shape[1], settings.ease_titles)} titles")
    ease = ease_weights(liked, l2=settings.ease_l2, max_titles=settings.ease_titles, kept=settings.ease_kept)
    progress(f"{ALS} of {settings.als.factors} factors, two starts")
    starts = [replace(settings.als, seed=seed) for seed in (SEED, SECOND_SEED)]
    if begin is None:
        als = tuple(fit_als(liked, start) for start in starts)
    else:
        again = [replace(start, steps=min(start.steps, STEPS_AGAIN)) for start in starts]
        als = tuple(fit_als(liked, start, begin=model) for start, model in zip(again, begin.als, strict=True))
    return _Fitted(popularity, neighbours, ease, als)


def _learn(parts: Mapping[str, Recommender], told: Interactions, found: Interactions) -> dict[str, float]:
    scores = {name: standardised(part.scores(told), told) for name, part in parts.items()}
    return learn_weights(scores, found, begin=dict.fromkeys(parts, 1.0 / len(parts)))


def _measure(
    parts: Mapping[str, Recommender], weights: Mapping[str, float], told: Interactions, found: Interactions
) -> dict[str, Measured]:
    models: dict[str, Recommender] = {name: part for name, part in parts.items() if name != SECOND_START}
    models[BLEND] = LearnedBlend(parts, weights)
    measured = {}
    for name, model in models.items():
        ranking = metrics.rank_unseen(model.scores(told), told, found, 100)
        ndcg, recall = (mean_interval(each) for each in (metrics.ndcg(ranking, 100), metrics.recall(ranking, 20)))
        measured[name] = Measured((ndcg.mean, ndcg.low, ndcg.high), (recall.mean, recall.low, recall.high))
    return measured
