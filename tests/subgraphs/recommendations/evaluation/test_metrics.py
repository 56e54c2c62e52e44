"""Metrics, intervals and splits against worked examples and slow definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from subgraphs.recommendations.evaluation import metrics
from subgraphs.recommendations.evaluation.intervals import by_profile, mean_interval
from subgraphs.recommendations.evaluation.splits import LikeLog, leave_last_out, strong_generalisation, temporal
from subgraphs.recommendations.models.recommender import interaction_matrix

SCORES = np.array([[9, 8, 7, 6, 5]], np.float32)
KNOWN = interaction_matrix([0], [0], shape=(1, 5))
HELD_OUT = interaction_matrix([0, 0], [2, 4], shape=(1, 5))


def test_a_ranking_leaves_out_what_is_known() -> None:
    ranking = metrics.rank_unseen(SCORES, KNOWN, HELD_OUT, 3)

    assert ranking.titles.tolist() == [[1, 2, 3]]
    assert ranking.hits.tolist() == [[False, True, False]]


def test_worked_example() -> None:
    ranking = metrics.rank_unseen(SCORES, KNOWN, HELD_OUT, 4)

    best = 1 / math.log2(2) + 1 / math.log2(3)
    assert metrics.ndcg(ranking, 4)[0] == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / best)
    assert metrics.ndcg(ranking, 1)[0] == 0.0
    assert metrics.recall(ranking, 2).tolist() == [0.5]
    assert metrics.recall(ranking, 1).tolist() == [0.0]
    assert metrics.coverage(ranking, 2, 5) == 0.4


def test_equal_scores_stand_in_the_order_of_titles() -> None:
    ranking = metrics.rank_unseen(np.zeros((1, 5), np.float32), KNOWN, HELD_OUT, 4)

    assert ranking.titles.tolist() == [[1, 2, 3, 4]]


@pytest.mark.parametrize(
    ("held_out", "message"),
    [
        (interaction_matrix([], [], shape=(1, 5)), "profile 0 has no held-out title"),
        (interaction_matrix([0], [0], shape=(1, 5)), "both in a history and held out"),
    ],
)
def test_a_bad_split_is_refused(held_out: csr_array, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.rank_unseen(SCORES, KNOWN, held_out, 3)


def test_novelty_counts_bits() -> None:
    trained = interaction_matrix([0, 1, 2, 3, 0, 1], [0, 0, 0, 0, 1, 1], shape=(4, 2))
    ranking = metrics.Ranking(np.array([[0], [1]]), np.zeros((2, 1), bool), np.array([1, 1]))

    assert metrics.novelty(ranking, 1, trained).tolist() == [0.0, 1.0]


@given(st.integers(2, 6), st.integers(1, 4), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_diversity_is_the_mean_over_pairs(count: int, width: int, random: object) -> None:
    generator = np.random.default_rng(random.randrange(10_000))  # type: ignore[attr-defined]
    vectors = generator.normal(size=(count, width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ranking = metrics.Ranking(np.arange(count)[None], np.zeros((1, count), bool), np.array([1]))
    pairs = [1 - vectors[a] @ vectors[b] for a in range(count) for b in range(count) if a != b]

    assert metrics.diversity(ranking, count, vectors.astype(np.float32))[0] == pytest.approx(np.mean(pairs), abs=1e-5)


def test_calibration_is_zero_for_the_history_s_own_genres() -> None:
    genres = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32)
    history = interaction_matrix([0, 0], [0, 1], shape=(1, 4))
    same = metrics.Ranking(np.array([[2, 3]]), np.zeros((1, 2), bool), np.array([1]))
    other = metrics.Ranking(np.array([[2, 2]]), np.zeros((1, 2), bool), np.array([1]))

    assert metrics.calibration(same, 2, history, genres)[0] == pytest.approx(0.0)
    assert metrics.calibration(other, 2, history, genres)[0] > 1.0


def test_repetitions_of_a_profile_count_as_one() -> None:
    values = by_profile(np.array([4, 1, 4]), np.array([1.0, 5.0, 3.0]))

    assert values.tolist() == [5.0, 2.0]


def test_an_interval_holds_the_mean_of_most_samples() -> None:
    random = np.random.default_rng(3)
    covered = [
        interval.low <= 1.0 <= interval.high
        for interval in (mean_interval(random.exponential(1.0, 150)) for _ in range(60))
    ]

    assert sum(covered) >= 50


LOG = LikeLog(
    profiles=np.array([0, 0, 0, 0, 0, 1, 1, 2]),
    titles=np.array([0, 1, 2, 3, 4, 0, 1, 5]),
    at_s=np.array([50, 40, 30, 20, 10, 100, 200, 60], np.float64) * 3600,
    profile_count=3,
    title_count=6,
)


def test_strong_generalisation_holds_each_profile_out_once() -> None:
    trials = list(strong_generalisation(LOG, folds=3, seed=1))

    # The profile with a single like can't be parted.
    assert sorted(int(p) for trial in trials for p in trial.profiles) == [0, 1]
    for trial in trials:
        assert trial.trained.shape == (2, 6)
        assert trial.histories.multiply(trial.held_out).nnz == 0
        together = (trial.histories + trial.held_out).toarray()
        np.testing.assert_array_equal(together, LOG.matrix.toarray()[trial.profiles])
        assert len(trial.ages_s) == trial.trained.nnz
    (fifth,) = [trial for trial in trials if 0 in trial.profiles]
    assert fifth.held_out.nnz == 1


def test_leave_last_out_holds_the_newest() -> None:
    trial = leave_last_out(LOG)

    assert trial.profiles.tolist() == [0, 1]
    assert trial.held_out.indices.tolist() == [0, 1]
    assert trial.trained.nnz == 6


def test_temporal_parts_by_one_instant() -> None:
    trial = temporal(LOG, held_out_ratio=0.3)

    # After the cut lie both likes of profile 1, who has nothing before it, and one of profile 2: nobody to ask.
    assert trial.trained.nnz == 5
    assert trial.profiles.tolist() == []


def test_ages_are_those_of_their_entries() -> None:
    trial = leave_last_out(LOG)
    rows = np.repeat(np.arange(3), np.diff(trial.trained.indptr))
    ages = {(int(r), int(c)): float(a) for r, c, a in zip(rows, trial.trained.indices, trial.ages_s, strict=True)}

    assert ages[(1, 0)] == 0.0
    assert ages[(0, 4)] == pytest.approx(90 * 3600)
