"""Models against each other on one data set: tuned alike, blended, and measured on the same held-out profiles.

One trial, whatever its split:
1. the training profiles are parted once more, and every model's settings are chosen from its grid by NDCG@100 on the
   profiles left out (never on the trial's own held-out likes);
2. with the chosen settings, `INNER_FOLDS` models score the training profiles that each was trained without; the blend's
   weights are learned from these scores;
3. every model is trained on all training profiles, and all of them, the blend too, rank for the trial's profiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from subgraphs.recommendations.evaluation import metrics
from subgraphs.recommendations.evaluation.movielens import DataSet
from subgraphs.recommendations.evaluation.splits import Trial, part_histories
from subgraphs.recommendations.models.content import Content, build_content
from subgraphs.recommendations.models.ease import fit_ease
from subgraphs.recommendations.models.implicit_als import AlsParameters, fit_als
from subgraphs.recommendations.models.learned_blend import LearnedBlend, learn_weights, standardised
from subgraphs.recommendations.models.neighbours import find_neighbours
from subgraphs.recommendations.models.popularity import fit_popularity
from subgraphs.recommendations.models.recommender import FloatMatrix, Interactions, Recommender
from subgraphs.recommendations.models.train import BLEND, Training
from subgraphs.recommendations.models.trained import ALS, CONTENT, EASE, NEIGHBOURS, POPULARITY, SECOND_START

__all__ = ["BLEND", "MODEL_NAMES", "Comparison", "Contender", "TrialResult", "prepare", "run_trial"]

MODEL_NAMES = (POPULARITY, CONTENT, NEIGHBOURS, ALS, EASE)
SEED, SECOND_SEED = 7, 11
TUNING_RATIO = 0.25
INNER_FOLDS = 4
TUNED_BY = 100
"""NDCG at this depth chooses settings."""
RANKED = 100
DAY_S = 24 * 3600.0

Fit = Callable[[Training, int], Recommender]
"""Trains a model, with a seed where it begins at random."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A model with one choice of its settings."""

    model: str
    setting: str
    fit: Fit


@dataclass(frozen=True)
class TrialResult:
    """Of one trial: metric values by model and profile, the settings chosen and the weights learned."""

    trial: str
    profiles: npt.NDArray[np.int64]
    values: Mapping[str, Mapping[str, npt.NDArray[np.float64]]]
    coverage: Mapping[str, float]
    settings: Mapping[str, str]
    weights: Mapping[str, float]


@dataclass(frozen=True)
class Comparison:
    """A data set, what is known of its titles, and what is compared on it; made by `prepare`."""

    data: DataSet
    content: Content
    tried: tuple[Contender, ...]


def prepare(data: DataSet) -> Comparison:
    """Every model with every setting that is tried; the grids lie around what public studies found best."""
    content = build_content(data.records)
    return Comparison(data, content, tuple(_grid(content)))


def run_trial(
    comparison: Comparison, trial: Trial, *, seed: int, progress: Callable[[str], None] = lambda _: None
) -> TrialResult:
    """One trial; the same seed gives the same result. `progress` is told what is being done."""
    random = np.random.default_rng(seed)
    training = Training(trial.trained, trial.ages_s)
    progress(f"{trial.name}: choosing settings")
    chosen = _tune(training, comparison.tried, random)
    progress(f"{trial.name}: learning weights")
    weights = _learn(training, chosen, random)
    progress(f"{trial.name}: ranking")
    parts = _fit_parts(chosen, training)
    models: dict[str, Recommender] = {name: parts[name] for name in chosen}
    models[BLEND] = LearnedBlend(parts, weights)
    values, coverages = {}, {}
    for name, model in models.items():
        ranking = metrics.rank_unseen(model.scores(trial.histories), trial.histories, trial.held_out, RANKED)
        values[name] = _measure(ranking, trial, comparison)
        coverages[name] = metrics.coverage(ranking, 20, comparison.data.likes.title_count)
    return TrialResult(
        trial.name,
        trial.profiles,
        values,
        coverages,
        {name: contender.setting for name, contender in chosen.items()},
        weights,
    )


def _grid(content: Content) -> Iterator[Contender]:
    yield Contender(POPULARITY, "no decay", partial(_fit_popularity, half_life_days=None))
    for days in (365, 1825):
        yield Contender(POPULARITY, f"half-life {days} days", partial(_fit_popularity, half_life_days=days))
    yield Contender(CONTENT, "TF-IDF of metadata", lambda _training, _seed: content)
    for count, shrinkage in product((50, 100, 300), (0.0, 5.0, 20.0)):
        setting = f"{count} neighbours, shrinkage {shrinkage:g}"
        yield Contender(NEIGHBOURS, setting, partial(_fit_neighbours, count=count, shrinkage=shrinkage))
    for factors, l2, unobserved in product((32, 64), (1.0, 3.0, 6.0), (0.1, 0.3)):
        setting = f"{factors} factors, l2 {l2:g}, unobserved {unobserved:g}"
        parameters = AlsParameters(factors=factors, l2=l2, unobserved=unobserved)
        yield Contender(ALS, setting, partial(_fit_als, parameters=parameters))
    for l2 in (25.0, 50.0, 100.0, 200.0, 400.0):
        yield Contender(EASE, f"l2 {l2:g}", partial(_fit_ease, l2=l2))


def _fit_popularity(training: Training, _seed: int, *, half_life_days: float | None) -> Recommender:
    if half_life_days is None:
        return fit_popularity(training.liked)
    return fit_popularity(training.liked, training.ages_s, half_life_s=half_life_days * DAY_S)


def _fit_neighbours(training: Training, _seed: int, *, count: int, shrinkage: float) -> Recommender:
    return find_neighbours(training.liked, count=count, shrinkage=shrinkage)


def _fit_als(training: Training, seed: int, *, parameters: AlsParameters) -> Recommender:
    return fit_als(training.liked, replace(parameters, seed=seed))


def _fit_ease(training: Training, _seed: int, *, l2: float) -> Recommender:
    return fit_ease(training.liked, l2=l2)


def _fit_parts(chosen: Mapping[str, Contender], training: Training) -> dict[str, Recommender]:
    """All models with their chosen settings, and the blend's second start of one."""
    parts = {name: contender.fit(training, SEED) for name, contender in chosen.items()}
    return {**parts, SECOND_START: chosen[ALS].fit(training, SECOND_SEED)}


def _tune(training: Training, tried: Sequence[Contender], random: np.random.Generator) -> dict[str, Contender]:
    """The best setting of each model on profiles left out of the training ones."""
    order = random.permutation(training.liked.shape[0])
    cut = max(1, round(len(order) * TUNING_RATIO))
    left_out, rest = np.sort(order[:cut]), training.rows(np.sort(order[cut:]))
    told, found = _askable(csr_array(training.liked[left_out]), random)
    best: dict[str, tuple[float, Contender]] = {}
    for contender in tried:
        ranking = metrics.rank_unseen(contender.fit(rest, SEED).scores(told), told, found, TUNED_BY)
        value = float(metrics.ndcg(ranking, TUNED_BY).mean())
        if contender.model not in best or value > best[contender.model][0]:
            best[contender.model] = (value, contender)
    return {model: contender for model, (_, contender) in best.items()}


def _learn(training: Training, chosen: Mapping[str, Contender], random: np.random.Generator) -> dict[str, float]:
    """The blend's weights, from scores of profiles by models that were trained without them."""
    names = [*chosen, SECOND_START]
    scores: dict[str, list[FloatMatrix]] = {name: [] for name in names}
    found_rows: list[Interactions] = []
    folds = np.array_split(random.permutation(training.liked.shape[0]), INNER_FOLDS)
    for fold in folds:
        left_out = np.sort(fold)
        rest = training.rows(np.setdiff1d(np.arange(training.liked.shape[0]), left_out))
        told, found = _askable(csr_array(training.liked[left_out]), random)
        found_rows.append(found)
        for name, model in _fit_parts(chosen, rest).items():
            scores[name].append(standardised(model.scores(told), told))
    return learn_weights(
        {name: np.vstack(rows) for name, rows in scores.items()},
        csr_array(vstack(found_rows)),
        begin=dict.fromkeys(names, 1.0 / len(names)),
    )


def _askable(rows: Interactions, random: np.random.Generator) -> tuple[Interactions, Interactions]:
    """Histories and what is held out, of rows that can be parted."""
    told, found = part_histories(rows, random)
    kept = np.diff(found.indptr) > 0
    return csr_array(told[kept]), csr_array(found[kept])


def _measure(ranking: metrics.Ranking, trial: Trial, comparison: Comparison) -> dict[str, npt.NDArray[np.float64]]:
    return {
        "NDCG@100": metrics.ndcg(ranking, 100),
        "NDCG@10": metrics.ndcg(ranking, 10),
        "recall@20": metrics.recall(ranking, 20),
        "recall@50": metrics.recall(ranking, 50),
        "novelty@20": metrics.novelty(ranking, 20, trial.trained),
        "diversity@20": metrics.diversity(ranking, 20, comparison.content.vectors),
        "calibration@20": metrics.calibration(ranking, 20, trial.histories, comparison.data.genres),
    }
