"""Do more signals help, and what does discovery cost? Measured on MovieLens latest small.

    python -m benchmarks.signals.run ../shared/data/ratings/ml-latest-small

Strong generalisation, all titles ranked. Differences are paired and by person, with 95 % bootstrap intervals.

- what was left or disliked: ratings of 2 stars or less stand for it (nobody's leaving is in the data); of the history's
  titles they get a weight below zero. The baseline knows and leaves out the same titles, with weight zero.
- when: the part of the day and of the week (UTC; no place is known) of each held-out like, by what the training people
  liked then: genres, or titles. The weight is chosen on training people, and once more on the tested people themselves,
  which is more than could ever be reached.
- discovery: a title that is never liked takes one place of the ranking: the most that pages/discovery.py can cost.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from subgraphs.recommendations.evaluation import metrics
from subgraphs.recommendations.evaluation.intervals import by_profile, mean_interval
from subgraphs.recommendations.evaluation.movielens import DataSet, read_movielens
from subgraphs.recommendations.evaluation.splits import LikeLog, Trial, strong_generalisation
from subgraphs.recommendations.models.ease import fit_ease
from subgraphs.recommendations.models.implicit_als import AlsParameters, fit_als
from subgraphs.recommendations.models.learned_blend import standardised
from subgraphs.recommendations.models.neighbours import find_neighbours
from subgraphs.recommendations.models.recommender import FloatMatrix, Interactions, Recommender
from subgraphs.recommendations.pages.discovery import PLACE

FOLDS = 5
DISLIKED_STARS = 2.0
DISLIKED_WEIGHTS = (-1.0, -0.5, -0.2, 0.1, 0.2, 0.5)
CONTEXT_WEIGHTS = (0.05, 0.1, 0.2, 0.4)
DAY_PARTS, HOURS_PER_PART = 4, 6
WEEKEND = 5
"""Saturday's number in the week."""
CONTEXTS = 2 * DAY_PARTS
SMOOTHING = 20.0
"""Likes of a context, as if that many more had been spread as all likes are."""

Doubles = npt.NDArray[np.float64]


def main() -> None:
    """Print both tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="with ratings.csv.gz, movies.csv.gz and tags.csv.gz")
    parser.add_argument("--seeds", type=int, default=3, help="repetitions of the five folds (3)")
    arguments = parser.parse_args()
    data = read_movielens(arguments.folder)
    trials = [
        trial for seed in range(arguments.seeds) for trial in strong_generalisation(data.likes, folds=FOLDS, seed=seed)
    ]
    _print_negative(data, trials, _dislikes(data, arguments.folder))
    _print_context(data, trials)
    _print_discovery(trials)


# --- what was left or disliked ---------------------------------------------------------------------------------------


def _dislikes(data: DataSet, folder: Path) -> Interactions:
    """Profiles by titles, 1 where the stars were few."""
    titles = {record.id.rpartition("-")[2]: place for place, record in enumerate(data.records)}
    rows, columns = [], []
    people = {user: place for place, user in enumerate(_people(data, folder))}
    for row in _ratings(folder):
        if float(row["rating"]) <= DISLIKED_STARS and row["movieId"] in titles and int(row["userId"]) in people:
            rows.append(people[int(row["userId"])])
            columns.append(titles[row["movieId"]])
    shape = (data.likes.profile_count, data.likes.title_count)
    return csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)


def _people(data: DataSet, folder: Path) -> list[int]:
    """Users in the order of their numbers in the data set: those with five likes or more."""
    counts: dict[int, int] = {}
    for row in _ratings(folder):
        if float(row["rating"]) >= 4.0:
            counts[int(row["userId"])] = counts.get(int(row["userId"]), 0) + 1
    people = sorted(user for user, count in counts.items() if count >= 5)
    if len(people) != data.likes.profile_count:
        raise SystemExit(f"error: {len(people)} people in the ratings, {data.likes.profile_count} in the data set")
    return people


def _ratings(folder: Path) -> Iterator[dict[str, str]]:
    with gzip.open(folder / "ratings.csv.gz", "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _models(trained: Interactions) -> dict[str, Recommender]:
    """With settings that tuning chose in most trials of docs/evaluation."""
    return {
        "item neighbours": find_neighbours(trained, count=100, shrinkage=5.0),
        "implicit ALS": fit_als(trained, AlsParameters(factors=32, l2=3.0, unobserved=0.3)),
        "EASE": fit_ease(trained, l2=200.0),
    }


def _print_negative(data: DataSet, trials: list[Trial], dislikes: Interactions) -> None:
    gains: dict[tuple[str, float], list[tuple[npt.NDArray[np.int64], Doubles]]] = {}
    for trial in trials:
        disliked = csr_array(dislikes[trial.profiles])
        models = _models(trial.trained)
        base = {name: _ndcg(model, trial, disliked, 0.0) for name, model in models.items()}
        for name, model in models.items():
            for weight in DISLIKED_WEIGHTS:
                difference = _ndcg(model, trial, disliked, weight) - base[name]
                gains.setdefault((name, weight), []).append((trial.profiles, difference))
    count = int(np.count_nonzero(np.diff(dislikes.indptr)))
    print(f"\n## Weights below zero ({count} of {data.likes.profile_count} people disliked something)\n")
    print("| model | " + " | ".join(f"{weight:g}" for weight in DISLIKED_WEIGHTS) + " |")
    print("|---" * (len(DISLIKED_WEIGHTS) + 1) + "|")
    for name in dict.fromkeys(name for name, _ in gains):
        cells = " | ".join(_interval(gains[name, weight]) for weight in DISLIKED_WEIGHTS)
        print(f"| {name} | {cells} |")


def _ndcg(model: Recommender, trial: Trial, disliked: Interactions, weight: float) -> Doubles:
    """By profile, with the disliked titles in the history at this weight, also when it is zero."""
    likes, others = trial.histories.tocoo(), disliked.tocoo()
    history = csr_array(
        (
            np.concatenate([likes.data, np.full(others.nnz, weight, np.float32)]).astype(np.float32),
            (np.concatenate([likes.row, others.row]), np.concatenate([likes.col, others.col])),
        ),
        shape=likes.shape,
    )
    return metrics.ndcg(metrics.rank_unseen(model.scores(history), history, trial.held_out, 100), 100)


# --- when ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Situations:
    """How much more (log ratio, standardised) a title is liked in each context than ever, by its genres or itself."""

    by_genres: FloatMatrix
    by_title: FloatMatrix


def _print_context(data: DataSet, trials: list[Trial]) -> None:
    contexts = _contexts(data.likes)
    likes = data.likes.matrix
    at = csr_array((contexts + 1.0, (data.likes.profiles, data.likes.titles)), shape=likes.shape)
    names = ("by_genres", "by_title")
    chosen: dict[str, list[tuple[npt.NDArray[np.int64], Doubles]]] = {name: [] for name in names}
    best: dict[tuple[str, float], list[tuple[npt.NDArray[np.int64], Doubles]]] = {}
    for trial in trials:
        everybody = np.arange(data.likes.profile_count)
        others = np.setdiff1d(everybody, trial.profiles)
        situations = _situations(data, csr_array(at[others]))
        model = fit_ease(trial.trained, l2=200.0)
        scores = standardised(model.scores(trial.histories), trial.histories)
        values = _by_context(scores, trial, csr_array(at[trial.profiles]), situations)
        tuned = _tuned(data, at, others, trial.name)
        for name in names:
            for weight in CONTEXT_WEIGHTS:
                best.setdefault((name, weight), []).append((trial.profiles, values[name, weight] - values["", 0.0]))
            weight = tuned[name]
            gain = values[name, weight] - values["", 0.0] if weight else np.zeros(len(trial.profiles))
            chosen[name].append((trial.profiles, gain))
    print("\n## The part of the day and of the week\n")
    print("| by | weight chosen on training people | " + " | ".join(f"{w:g}" for w in CONTEXT_WEIGHTS) + " |")
    print("|---" * (len(CONTEXT_WEIGHTS) + 2) + "|")
    for name in names:
        cells = " | ".join(_interval(best[name, weight]) for weight in CONTEXT_WEIGHTS)
        print(f"| {name.removeprefix('by_')} | {_interval(chosen[name])} | {cells} |")


def _contexts(likes: LikeLog) -> npt.NDArray[np.int64]:
    times = [datetime.fromtimestamp(at, UTC) for at in likes.at_s]
    return np.array([at.hour // HOURS_PER_PART + (DAY_PARTS if at.weekday() >= WEEKEND else 0) for at in times])


def _situations(data: DataSet, at: Interactions) -> _Situations:
    """From likes of training people: `at` holds the context of each, plus one."""
    counts = np.zeros((CONTEXTS, data.likes.title_count))
    np.add.at(counts, (at.data.astype(int) - 1, at.indices), 1.0)
    return _Situations(
        by_genres=_scaled(_log_ratio(counts @ data.genres) @ data.genres.T), by_title=_scaled(_log_ratio(counts))
    )


def _log_ratio(counts: npt.NDArray[np.floating]) -> Doubles:
    usual = (counts.sum(axis=0) + 1e-9) / counts.sum()
    smoothed = (counts + SMOOTHING * usual) / (counts.sum(axis=1, keepdims=True) + SMOOTHING)
    return np.asarray(np.log(smoothed / usual), np.float64)


def _scaled(values: npt.NDArray[np.floating]) -> FloatMatrix:
    deviations = np.maximum(values.std(axis=1, keepdims=True), 1e-9)
    return np.asarray((values - values.mean(axis=1, keepdims=True)) / deviations, np.float32)


def _by_context(
    scores: FloatMatrix, trial: Trial, at: Interactions, situations: _Situations
) -> Mapping[tuple[str, float], Doubles]:
    """NDCG@100 by profile: the mean over its contexts of finding what it liked in each, by addition and weight."""
    held = csr_array(trial.held_out.multiply(at)).tocoo()
    rows = sorted({(int(row), int(context) - 1) for row, context in zip(held.row, held.data, strict=True)})
    places = {key: place for place, key in enumerate(rows)}
    asked = [places[int(row), int(context) - 1] for row, context in zip(held.row, held.data, strict=True)]
    held_out = csr_array((np.ones(held.nnz, np.float32), (asked, held.col)), shape=(len(rows), scores.shape[1]))
    people, contexts = (np.array(column) for column in zip(*rows, strict=True))
    # What is held out in another context is no wrong answer here: it is left out, as what is known is.
    others = csr_array(trial.held_out[people]) - held_out
    known = csr_array(trial.histories[people]) + csr_array(others)
    known.eliminate_zeros()
    values: dict[tuple[str, float], Doubles] = {}
    for name, addition in (("", None), ("by_genres", situations.by_genres), ("by_title", situations.by_title)):
        for weight in CONTEXT_WEIGHTS if addition is not None else (0.0,):
            added = scores[people] if addition is None else scores[people] + np.float32(weight) * addition[contexts]
            ranking = metrics.rank_unseen(added, known, held_out, 100)
            values[name, weight] = by_profile(people, metrics.ndcg(ranking, 100))
    return values


def _tuned(data: DataSet, at: Interactions, others: npt.NDArray[np.int64], name: str) -> dict[str, float]:
    """The best weights on a quarter of the training people, 0 where none helps."""
    random = np.random.default_rng(len(name))
    likes = data.likes
    kept = np.isin(likes.profiles, others)
    numbers = {int(profile): place for place, profile in enumerate(others)}
    log = LikeLog(
        profiles=np.array([numbers[int(profile)] for profile in likes.profiles[kept]]),
        titles=likes.titles[kept],
        at_s=likes.at_s[kept],
        profile_count=len(others),
        title_count=likes.title_count,
    )
    trial = next(strong_generalisation(log, folds=4, seed=int(random.integers(1 << 30))))
    own = csr_array(at[others])
    rest = np.setdiff1d(np.arange(len(others)), trial.profiles)
    scores = standardised(fit_ease(trial.trained, l2=200.0).scores(trial.histories), trial.histories)
    values = _by_context(scores, trial, csr_array(own[trial.profiles]), _situations(data, csr_array(own[rest])))
    means = {key: float(value.mean()) for key, value in values.items()}
    chosen = {}
    for addition in ("by_genres", "by_title"):
        weight = max(CONTEXT_WEIGHTS, key=lambda each: means[addition, each])
        chosen[addition] = weight if means[addition, weight] > means["", 0.0] else 0.0
    return chosen


# --- discovery -------------------------------------------------------------------------------------------------------


def _print_discovery(trials: list[Trial]) -> None:
    measures = {"NDCG@10": (metrics.ndcg, 10), "NDCG@100": (metrics.ndcg, 100), "recall@20": (metrics.recall, 20)}
    gains: dict[str, list[tuple[npt.NDArray[np.int64], Doubles]]] = {name: [] for name in measures}
    before: dict[str, list[Doubles]] = {name: [] for name in measures}
    for trial in trials:
        model = fit_ease(trial.trained, l2=200.0)
        ranking = metrics.rank_unseen(model.scores(trial.histories), trial.histories, trial.held_out, 100)
        moved = metrics.Ranking(ranking.titles, np.insert(ranking.hits, PLACE, False, axis=1)[:, :-1], ranking.relevant)
        for name, (measure, depth) in measures.items():
            value = measure(ranking, depth)
            before[name].append(value)
            gains[name].append((trial.profiles, measure(moved, depth) - value))
    print(f"\n## Place {PLACE + 1} for a title that is never liked (EASE)\n")
    print("| measure | without | difference |\n|---|---|---|")
    for name in measures:
        print(f"| {name} | {np.concatenate(before[name]).mean():.4f} | {_interval(gains[name])} |")


def _interval(gains: list[tuple[npt.NDArray[np.int64], Doubles]]) -> str:
    """Of NDCG@100's difference, by person over all repetitions."""
    people = np.concatenate([profiles for profiles, _ in gains])
    interval = mean_interval(by_profile(people, np.concatenate([values for _, values in gains])))
    return f"{interval.mean:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]"


if __name__ == "__main__":
    main()
