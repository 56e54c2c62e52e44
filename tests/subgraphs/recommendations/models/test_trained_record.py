"""What training hands over: cut linear models, the record as bytes, its place in a catalogue, and scores from it."""

from __future__ import annotations

import io
import json
import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from subgraphs.recommendations.domain.catalogue import build_catalogue
from subgraphs.recommendations.domain.taste import Signals
from subgraphs.recommendations.domain.titles import record_from_snapshot
from subgraphs.recommendations.models import blend
from subgraphs.recommendations.models.archive import ModelUnreadable
from subgraphs.recommendations.models.blend import SCORES_KEPT, Models, join_models, score_titles
from subgraphs.recommendations.models.content import FoldedContent, build_content
from subgraphs.recommendations.models.counterfactuals import Counterfactuals
from subgraphs.recommendations.models.ease import fit_ease
from subgraphs.recommendations.models.implicit_als import AlsParameters, fit_als
from subgraphs.recommendations.models.item_weights import ease_weights, neighbour_weights, strongest_influences
from subgraphs.recommendations.models.learned_blend import LearnedBlend, learn_weights, moments, standardised
from subgraphs.recommendations.models.neighbours import find_neighbours
from subgraphs.recommendations.models.one_history import OneHistory
from subgraphs.recommendations.models.popularity import fit_popularity
from subgraphs.recommendations.models.recommender import Interactions, Recommender, interaction_matrix
from subgraphs.recommendations.models.train import Training, TrainingSettings, train
from subgraphs.recommendations.models.trained import (
    CONTENT,
    NEIGHBOURS,
    POPULARITY,
    TrainedModels,
    place,
    read_trained,
    write_trained,
)


def random_likes(seed: int, profiles: int, titles: int, each: int) -> Interactions:
    chance = np.random.default_rng(seed)
    # Two camps, so that there is something to learn.
    rows = np.repeat(np.arange(profiles), each)
    columns = np.concatenate(
        [chance.choice(titles // 2, each, replace=False) + (titles // 2) * (row % 2) for row in range(profiles)]
    )
    return interaction_matrix(rows, columns, shape=(profiles, titles))


def small_record(likes: Interactions, ids: tuple[str, ...]) -> TrainedModels:
    parameters = AlsParameters(factors=3, l2=0.5, unobserved=0.2, steps=3)
    return TrainedModels(
        ids,
        fit_popularity(likes),
        find_neighbours(likes, count=5, shrinkage=1.0),
        ease_weights(likes, l2=3.0, max_titles=100, kept=100),
        (fit_als(likes, parameters),),
        {"EASE": 0.5, "implicit ALS": 0.3, CONTENT: 0.2},
    )


@given(seed=st.integers(0, 50), l2=st.sampled_from([0.5, 20.0]))
@settings(max_examples=25, deadline=None)
def test_uncut_influences_are_the_model(seed: int, l2: float) -> None:
    likes = random_likes(seed, 12, 10, 3)
    model = fit_ease(likes, l2=l2)

    whole = strongest_influences(model, 10, 10)

    np.testing.assert_allclose(model.scores(likes), whole.scores(likes), atol=1e-5)


def test_cut_influences_are_the_largest() -> None:
    """Of either sign; what a known title says is its row."""
    likes = random_likes(1, 20, 12, 4)
    whole = strongest_influences(fit_ease(likes, l2=2.0), 12, 12).table.toarray()

    cut = strongest_influences(fit_ease(likes, l2=2.0), 12, 4)

    for known, row in enumerate(cut.table.toarray()):
        assert np.count_nonzero(row) <= 4
        left_out = np.where(row == 0, np.abs(whole[known]), 0.0).max()
        assert left_out <= np.abs(row[row != 0]).min() + 1e-7
        places, titles, values = cut.rows(np.array([3, known], np.int32))
        np.testing.assert_array_equal(np.bincount(titles[places == 1], values[places == 1], minlength=12), row)


def test_titles_outside_the_cut_say_nothing() -> None:
    """The most liked titles are kept in their own numbers."""
    likes = interaction_matrix([0, 1, 2, 0, 1, 2], [4, 4, 4, 1, 1, 0], shape=(3, 5))

    table = ease_weights(likes, l2=1.0, max_titles=2, kept=2).table.toarray()

    assert set(zip(*np.nonzero(table), strict=True)) == {(1, 4), (4, 1)}


def test_neighbours_as_weights_score_alike() -> None:
    likes = random_likes(2, 30, 16, 4)
    neighbours = find_neighbours(likes, count=6, shrinkage=2.0)

    np.testing.assert_allclose(neighbours.scores(likes), neighbour_weights(neighbours).scores(likes), atol=1e-6)


def test_bytes_hold_the_record() -> None:
    likes = random_likes(3, 30, 12, 4)
    record = small_record(likes, tuple(f"mov_{number}" for number in range(12)))

    again = read_trained(write_trained(record))

    assert (again.title_ids, again.weights) == (record.title_ids, record.weights)
    assert record.ease is not None
    assert again.ease is not None
    np.testing.assert_array_equal(record.ease.table.toarray(), again.ease.table.toarray())
    np.testing.assert_array_equal(record.neighbours.indices, again.neighbours.indices)
    np.testing.assert_allclose(record.als[0].scores(likes), again.als[0].scores(likes), atol=1e-5)
    assert again.als[0].parameters == record.als[0].parameters


def _archive(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        _archive(popularity=np.zeros(1)),
        _archive(about=np.frombuffer(json.dumps({"format": 99}).encode(), np.uint8)),
        _archive(about=np.array([{"a": 1}], object)),
    ],
    ids=["empty", "other bytes", "without its head", "a later format", "an object that would be run"],
)
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(ModelUnreadable):
        read_trained(content)


def test_a_cut_off_record_is_refused() -> None:
    content = write_trained(small_record(random_likes(4, 10, 6, 2), tuple("abcdef")))

    with pytest.raises(ModelUnreadable):
        read_trained(content[: len(content) // 2])


def test_a_record_scores_the_same_wherever_its_titles_stand() -> None:
    """In a catalogue with other titles in between and one of its own gone, what is left scores as it would alone."""
    likes = random_likes(5, 30, 10, 4)
    ids = tuple("abcdefghij")
    record = small_record(likes, ids)
    standing = ["x", "j", "i", "h", "g", "y", "f", "e", "d", "c", "b"]
    index = {each: number for number, each in enumerate(standing)}
    placed = place(record, index, len(standing))
    kept = np.array([ids.index(each) for each in standing if each in ids])
    places = np.array([index[each] for each in standing if each in ids])
    history = interaction_matrix([0, 0, 0], [2, 3, 7], shape=(1, 10))
    moved = interaction_matrix([0, 0, 0], [index[ids[title]] for title in (2, 3, 7)], shape=(1, len(standing)))

    assert record.ease is not None
    whole: dict[str, Recommender] = {
        "EASE": record.ease,
        "implicit ALS": record.als[0],
        "item neighbours": record.neighbours,
        "popularity": record.popularity,
    }
    for name, model in whole.items():
        scores = placed.parts[name].scores(moved)
        np.testing.assert_allclose(model.scores(history)[0, kept], scores[0, places], atol=1e-5, err_msg=name)
        assert scores[0, index["x"]] == 0.0
    for title in kept.tolist():
        for other in kept.tolist():
            assert record.neighbours.similarity(title, other) == placed.neighbours.similarity(
                index[ids[title]], index[ids[other]]
            )


def _plain_moments(scores: np.ndarray, history: np.ndarray) -> tuple[list[float], list[float]]:
    rows = [row[known == 0] for row, known in zip(scores.astype(np.float64), history, strict=True)]
    return [float(row.mean()) for row in rows], [float(row.std()) for row in rows]


@given(seed=st.integers(0, 1000), offset=st.sampled_from([0.0, 100.0]))
@settings(max_examples=40, deadline=None)
def test_moments_are_those_of_unknown_titles(seed: int, offset: float) -> None:
    chance = np.random.default_rng(seed)
    scores = (chance.normal(size=(4, 20)) * 3 + offset).astype(np.float32)
    history = csr_array((chance.random((4, 20)) < 0.3).astype(np.float32))

    means, deviations = moments(scores, history)

    expected_means, expected_deviations = _plain_moments(scores, history.toarray())
    np.testing.assert_allclose(expected_means, means[:, 0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(expected_deviations, deviations[:, 0], rtol=1e-2)
    assert (standardised(scores, history)[history.toarray() > 0] == 0).all()


def test_weights_go_to_the_model_that_finds() -> None:
    """One part knows the held-out titles, one is noise: the blend ends with the first, and never below its start."""
    chance = np.random.default_rng(8)
    held_out = csr_array((chance.random((40, 60)) < 0.1).astype(np.float32))
    held_out = csr_array(held_out[np.diff(held_out.indptr) > 0])
    knows = (held_out.toarray() + chance.normal(size=held_out.shape) * 0.3).astype(np.float32)
    noise = chance.normal(size=held_out.shape).astype(np.float32)

    weights = learn_weights({"knows": knows, "noise": noise}, held_out, begin={"knows": 0.5, "noise": 0.5})

    assert weights["knows"] > 5 * abs(weights["noise"])
    with pytest.raises(ValueError, match="first weights"):
        learn_weights({"knows": knows}, held_out, begin={"other": 1.0})


def test_a_blend_is_the_sum_of_its_standardised_parts() -> None:
    likes = random_likes(9, 20, 10, 3)
    parts: dict[str, Recommender] = {
        "a": find_neighbours(likes),
        "b": fit_popularity(likes),
        "unused": fit_popularity(likes),
    }
    weights = {"a": 0.7, "b": -0.2, "unused": 0.0}

    expected = 0.7 * standardised(parts["a"].scores(likes), likes) - 0.2 * standardised(parts["b"].scores(likes), likes)

    np.testing.assert_allclose(expected, LearnedBlend(parts, weights).scores(likes), atol=1e-6)


def served(snapshots: list[dict[str, Any]], likes: Interactions) -> Models:
    records = [record_from_snapshot(each) for each in snapshots]
    catalogue = build_catalogue(records, 1)
    ids = tuple(each.id for each in catalogue.records[: likes.shape[1]])
    return join_models(catalogue, build_content(catalogue.records), small_record(likes, ids))


def signals(weights: dict[int, float]) -> Signals:
    none: frozenset[int] = frozenset()
    return Signals(weights, {}, none, none, none, none, (), ())


def test_served_scores_are_the_blend_s_order(make_titles: Any) -> None:
    """What a page sees of works is the learned blend, cut at 0 and scaled; each model's part of it can be told."""
    likes = random_likes(10, 60, 40, 6)
    models = served(make_titles(2, 60), likes)
    known = {3: 1.0, 7: 1.0, 11: 1.0}
    history = interaction_matrix([0, 0, 0], list(known), shape=(1, len(models.catalogue)))

    profile = score_titles(models, signals(known))

    learned = LearnedBlend(models.parts, models.weights).scores(history)[0]
    listable = models.catalogue.is_listable
    unknown = [place for place in np.flatnonzero(listable).tolist() if place not in known]
    scale = profile.scores[unknown].max() / learned[unknown].max()
    np.testing.assert_allclose(np.clip(learned[unknown], 0, None) * scale, profile.scores[unknown], atol=1e-4)
    total = np.sum(list(profile.by_model.values()), axis=0)
    np.testing.assert_allclose(np.clip(total, 0, 1)[listable], profile.scores[listable], atol=1e-4)
    assert not profile.scores[~listable].any()
    assert 0 < np.count_nonzero(~listable) < len(listable)
    assert set(profile.by_model) == {"EASE", "implicit ALS", CONTENT}


def test_the_best_are_as_if_all_were_exact(make_titles: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With few titles refined the highest have the scores that they have with all of them refined; others, nearly."""
    models = served(make_titles(2, 60), random_likes(10, 60, 40, 6))
    exact = score_titles(models, signals({3: 1.0, 7: 1.0, 11: 0.4})).scores
    monkeypatch.setattr(blend, "REFINED", 5)

    scores = score_titles(models, signals({3: 1.0, 7: 1.0, 11: 0.4})).scores

    best = np.argsort(-exact)[:4]
    np.testing.assert_allclose(scores[best], exact[best], atol=1e-6)
    np.testing.assert_allclose(scores, exact, atol=0.02)
    assert not np.array_equal(scores, exact)


def test_scores_are_kept_by_what_they_follow_from(make_titles: Any) -> None:
    """The same weights are not scored twice, whoever has them; others are, and what was not asked for lately goes."""
    models = served(make_titles(2, 60), random_likes(10, 60, 40, 6))
    first = models.scored(signals({3: 1.0, 7: 0.5}))
    other = replace(signals({3: 1.0, 7: 0.5}), seen=frozenset({3}))

    again = models.scored(other)

    assert again.scores is first.scores
    assert again.signals is other
    np.testing.assert_array_equal(first.scores, score_titles(models, other).scores)
    assert not np.array_equal(models.scored(signals({3: 1.0, 7: 0.6})).scores, first.scores)
    for known in range(SCORES_KEPT):
        models.scored(signals({known: 1.0}))
    assert models.scored(other).scores is not first.scores


def test_a_cause_taken_away_lowers_its_pick(make_titles: Any) -> None:
    """The known title that a reason names: without it the pick stands lower than with it."""
    likes = random_likes(11, 60, 40, 6)
    models = served(make_titles(2, 60), likes)
    known = dict.fromkeys((1, 5, 9, 22, 31), 1.0)
    profile = score_titles(models, signals(known))
    unknown = np.array([place for place in range(len(profile.scores)) if place not in known])
    checked = 0
    for pick in unknown[np.argsort(-profile.scores[unknown])][:8].tolist():
        cause = profile.cause(pick)
        if cause is None:
            continue
        checked += 1
        without = score_titles(models, signals({each: 1.0 for each in known if each != cause}))
        rank_with = int((profile.scores[unknown] > profile.scores[pick]).sum())
        rank_without = int((without.scores[unknown] > without.scores[pick]).sum())
        assert rank_without >= rank_with
    assert checked >= 3


def test_one_history_is_answered_as_many_are(make_titles: Any) -> None:
    """By every model the scores, their mean and their deviation are those of the general way, likes and dislikes alike."""
    models = served(make_titles(2, 60), random_likes(13, 60, 40, 6))
    known, weights = np.array([2, 7, 44, 58], np.int32), np.array([1.0, 0.3, 0.8, -0.5])
    history = interaction_matrix([0] * 4, known, shape=(1, len(models.catalogue)), weights=weights)

    for name, part in models.parts.items():
        answer = OneHistory(known, weights).ask(part, len(models.catalogue))
        scores = part.scores(history)
        mean, deviation = moments(scores, history)

        np.testing.assert_allclose(answer.scores, scores[0], atol=1e-5 * np.abs(scores).max(), err_msg=name)
        assert answer.mean == pytest.approx(float(mean[0, 0]), abs=1e-5 * float(deviation[0, 0])), name
        assert answer.deviation == pytest.approx(float(deviation[0, 0]), rel=1e-4), name
    assert len(models.parts) == 5


@pytest.mark.parametrize("cause", [1, 9, 31, 55])
def test_scores_without_a_title_are_those_of_the_shorter_history(make_titles: Any, cause: int) -> None:
    """Of all models at once, of a disliked title too, and of one that training did not know; up to a common factor."""
    likes = random_likes(11, 60, 40, 6)
    models = served(make_titles(2, 60), likes)
    models = replace(models, weights={**models.weights, POPULARITY: 0.3, NEIGHBOURS: 0.4})
    known = {1: 1.0, 5: 0.4, 9: -0.5, 22: 1.3, 31: 0.2, 55: 0.9}
    pool = np.flatnonzero(models.catalogue.is_listable)[[2, 3, 8, 17, 40, 45, 50]].astype(np.int32)

    found = Counterfactuals(score_titles(models, signals(known)), pool).without([5, cause])[1]

    shorter = signals({each: weight for each, weight in known.items() if each != cause})
    wanted = score_titles(models, shorter).scores[pool]
    np.testing.assert_allclose(found / found.max(), wanted / wanted.max(), atol=1e-4)
    alone = Counterfactuals(score_titles(models, signals({5: 1.0, 9: -0.5})), pool).without([5])[0]
    np.testing.assert_array_equal(alone, models.catalogue.popularity[pool])


def test_a_new_event_is_as_if_it_had_always_been_there(make_titles: Any) -> None:
    """Scores hold nothing of a profile: folding in one title after the other ends where all at once would."""
    likes = random_likes(12, 60, 40, 6)
    models = served(make_titles(2, 60), likes)
    weights: dict[int, float] = {}
    for known in (4, 8, 15):
        weights[known] = 1.0
        last = score_titles(models, signals(dict(weights)))

    np.testing.assert_array_equal(score_titles(models, signals({15: 1.0, 8: 1.0, 4: 1.0})).scores > 0, last.scores > 0)
    np.testing.assert_allclose(score_titles(models, signals(weights)).scores, last.scores)


@pytest.mark.parametrize("steps", [40])
def test_als_folds_a_trained_profile_in_to_where_training_left_it(steps: int) -> None:
    """At the end of training the profile's vector is the one that folding in finds."""
    likes = random_likes(13, 40, 20, 5)
    model = fit_als(likes, AlsParameters(factors=4, l2=0.5, unobserved=0.2, steps=steps))
    retrained = fit_als(likes, AlsParameters(factors=4, l2=0.5, unobserved=0.2, steps=steps + 1))

    np.testing.assert_allclose(retrained.scores(likes), model.scores(likes), atol=0.05)


def test_training_is_the_same_for_the_same_likes() -> None:
    likes = random_likes(14, 120, 40, 8)
    ids = tuple(f"mov_{number:03}" for number in range(40))
    content = FoldedContent(np.eye(40, dtype=np.float32))
    training = Training(likes, np.zeros(likes.nnz))
    small = TrainingSettings(als=AlsParameters(factors=4, steps=2), neighbours=10)

    first, second = (train(training, ids, content, small) for _ in range(2))

    assert write_trained(first.trained) == write_trained(second.trained)
    assert first.measured == second.measured
    assert first.is_better_than_popularity
    assert first.measured["blend"].ndcg_at_100[0] > first.measured["popularity"].ndcg_at_100[0] + 0.05


def test_training_holds_no_table_of_profiles_and_titles(monkeypatch: pytest.MonkeyPatch) -> None:
    """At its peak all of training takes less than one byte for each pair of a profile and a title."""
    monkeypatch.setattr("subgraphs.recommendations.models.train.MEASURED_VALUES", 50_000)
    monkeypatch.setattr("subgraphs.recommendations.models.implicit_als.BLOCK_VALUES", 200_000)
    monkeypatch.setattr("subgraphs.recommendations.models.neighbours.BLOCK_TITLES", 128)
    profiles, titles = 20_000, 1_000
    chance = np.random.default_rng(15)
    rows = np.repeat(np.arange(profiles), 5)
    likes = interaction_matrix(rows, chance.integers(0, titles, len(rows)), shape=(profiles, titles))
    ids = tuple(f"mov_{number:04}" for number in range(titles))
    training = Training(likes, np.zeros(likes.nnz))
    small = TrainingSettings(als=AlsParameters(factors=4, steps=1), ease_titles=100, ease_kept=20, neighbours=10)

    tracemalloc.start()
    try:
        outcome = train(training, ids, FoldedContent(np.ones((titles, 4), np.float32)), small)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert outcome.measured_profiles > 0
    assert peak < profiles * titles
