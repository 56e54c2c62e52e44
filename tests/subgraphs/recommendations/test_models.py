"""Neighbours against the plain formula, folded content against exact cosines, trends against plain sums."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from subgraphs.recommendations.adapters.valkey.trends import HALF_LIVES_S, TOP, ValkeyTrendCounters
from subgraphs.recommendations.domain.titles import record_from_snapshot
from subgraphs.recommendations.domain.trends import SHARES, TrendWindow, combine
from subgraphs.recommendations.models.content import _directions, build_content, carry_over, place
from subgraphs.recommendations.models.neighbours import SHRINKAGE, build_neighbours

SIZE = 8
LIKES = st.lists(
    st.dictionaries(st.integers(0, SIZE - 1), st.floats(0.1, 1.0), min_size=1, max_size=5), min_size=1, max_size=12
)
NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)


@settings(max_examples=150, deadline=None)
@given(likes=LIKES)
def test_neighbours_are_shrunk_cosines(likes: list[dict[int, float]]) -> None:
    """Row by row the same numbers as the formula over a dense table, nearest first."""
    table = np.zeros((len(likes), SIZE))
    for row, weights in enumerate(likes):
        for index, weight in weights.items():
            table[row, index] = weight
    neighbours = build_neighbours(likes, SIZE)

    for index in range(SIZE):
        expected = np.zeros(SIZE)
        for other in range(SIZE):
            common = int(((table[:, index] > 0) & (table[:, other] > 0)).sum())
            if other != index and common:
                lengths = math.sqrt((table[:, index] ** 2).sum() * (table[:, other] ** 2).sum())
                cosine = (table[:, index] * table[:, other]).sum() / lengths
                expected[other] = cosine * common / (common + SHRINKAGE)
        scores = np.zeros(SIZE, np.float32)
        neighbours.add_to(scores, index, 1.0)
        np.testing.assert_allclose(scores, expected, atol=1e-6)
        row = neighbours.similarities[neighbours.starts[index] : neighbours.starts[index + 1]]
        assert list(row) == sorted(row, reverse=True)


def test_nobody_s_likes_make_no_neighbours() -> None:
    """Before anybody watched there is nothing to learn from people."""
    neighbours = build_neighbours([], 3)
    scores = np.zeros(3, np.float32)
    neighbours.add_to(scores, 1, 1.0)

    assert scores.tolist() == [0.0, 0.0, 0.0]


def test_folding_keeps_cosines(make_titles: Any) -> None:
    """With no more titles than dimensions exactly; with many titles nearly, and the nearest stay near."""
    few = [record_from_snapshot(row) for row in make_titles(3, 60)]
    matrix = build_content(few).tokens
    folded = matrix @ _directions(matrix, min(matrix.shape))
    exact = (matrix @ matrix.T).toarray()
    np.testing.assert_allclose(folded @ folded.T, exact, atol=1e-5)

    many = [record_from_snapshot(row) for row in make_titles(4, 600)]
    content = build_content(many)
    vectors = content.vectors
    exact_many = (content.tokens @ content.tokens.T).toarray()
    np.fill_diagonal(exact_many, -1)
    near = vectors @ vectors.T
    np.fill_diagonal(near, -1)
    films = range(0, 600, 10)
    # The title that is nearest after folding lies within the exact order's nearest few.
    ranks = [int((exact_many[film] > exact_many[film, int(np.argmax(near[film]))]).sum()) for film in films]
    assert np.mean(np.array(ranks) < 10) > 0.9
    np.fill_diagonal(exact_many, 1)
    known = np.diff(content.tokens.indptr)
    confidence = known / (known + 2)
    # A sixth of the films share a genre, and few an actor: tokens of many titles and of few.
    for film in films:
        expected = exact_many[film] * confidence * confidence[film]
        np.testing.assert_allclose(content.like(film), expected, atol=1e-6)


def test_the_same_titles_give_the_same_vectors(make_titles: Any) -> None:
    """Nothing depends on chance or on order of hashing."""
    records = [record_from_snapshot(row) for row in make_titles(5, 200)]

    np.testing.assert_array_equal(build_content(records).vectors, build_content(records).vectors)


def test_a_title_s_place_depends_on_itself_alone(make_titles: Any, make_snapshot: Any) -> None:
    """Placed later, alone or among others, a title has the rows that it had when the space was made."""
    records = [record_from_snapshot(row) for row in make_titles(5, 200)]
    content = build_content(records)
    others = [record_from_snapshot(make_snapshot("mov_new", synopsis="words that nobody knows")), *records[50:60]]

    placed = place(content.space, others)
    np.testing.assert_array_equal(placed.vectors[1:], content.vectors[50:60])
    np.testing.assert_array_equal(placed.tokens[1:].toarray(), content.tokens[50:60].toarray())

    order = np.array([7, -1, 3, -1, 199], np.int32)
    mixed = carry_over(content, order, [records[7], records[4], records[3], others[0], records[199]])
    np.testing.assert_array_equal(mixed.vectors[[0, 1, 2, 4]], content.vectors[[7, 4, 3, 199]])
    np.testing.assert_array_equal(mixed.vectors[3], placed.vectors[0])
    np.testing.assert_array_equal(mixed.tokens[[0, 1, 2, 4]].toarray(), content.tokens[[7, 4, 3, 199]].toarray())


def test_a_new_title_is_near_what_it_is_like(make_titles: Any) -> None:
    """Titles that the space was made without are nearest to those of their genre."""
    records = [record_from_snapshot(row) for row in make_titles(6, 300)]
    content = build_content(records[:280])
    new = records[280:300]

    likeness = place(content.space, new).vectors @ content.vectors.T

    nearest = np.argsort(-likeness, axis=1)[:, :20]
    same = [
        [records[each].genres == record.genres for each in row]
        for record, row in zip(new, nearest.tolist(), strict=True)
    ]
    assert np.mean(same) > 0.9


async def test_views_fade_by_half_lives(redis: Redis) -> None:
    """What is read is the sum over all views of 2^(-age / half-life), scaled per window; also across eras."""
    counters = ValkeyTrendCounters(redis)
    # An hour's era ends in between: 400 hours from a multiple of 400 hours.
    era_s = 400 * 3600
    border = datetime.fromtimestamp((NOW.timestamp() // era_s + 1) * era_s, UTC)
    views = [("mov_a", 3.0), ("mov_b", 2.0), ("mov_a", 0.5), ("mov_c", -0.5), ("mov_d", -0.7), ("mov_e", 1.0)]
    for number, (title_id, hours_before) in enumerate(views):
        await counters.count_view(f"prof_{number}", title_id, "US", border - timedelta(hours=hours_before))
    now = border + timedelta(hours=1)

    found = combine(await counters.trending("US", now))

    expected: dict[str, float] = {}
    for window, half_life_s in HALF_LIVES_S.items():
        counts: dict[str, float] = {}
        for title_id, hours_before in views:
            age_s = (hours_before + 1) * 3600
            counts[title_id] = counts.get(title_id, 0.0) + 2 ** (-age_s / half_life_s)
        for title_id, count in counts.items():
            expected[title_id] = expected.get(title_id, 0.0) + SHARES[window] * count / max(counts.values())
    assert set(found) == set(expected)
    for title_id, value in expected.items():
        assert math.isclose(found[title_id], value, rel_tol=1e-9)


async def test_what_counters_lose_is_bounded(redis: Redis) -> None:
    """Over many titles and an era's border: never too much but by rounding, never less by more than a cut-off title.

    Of each era the TOP titles are read, so a title may lack what it had where it was not among them: at most what the
    last of those had. Views from before the last era are gone: less than 2^-400 of each.
    """
    counters = ValkeyTrendCounters(redis)
    chance = np.random.default_rng(6)
    half_life_s = HALF_LIVES_S[TrendWindow.HOUR]
    era_s = 400 * half_life_s
    border_s = (NOW.timestamp() // era_s + 1) * era_s
    shares = 1 / np.sqrt(np.arange(1, TOP + 62))
    titles = chance.choice(len(shares), 700, p=shares / shares.sum())
    at_s = border_s + chance.uniform(-3, 3, len(titles)) * half_life_s
    for number, (title, view_at_s) in enumerate(zip(titles.tolist(), at_s.tolist(), strict=True)):
        await counters.count_view(f"prof_{number}", f"mov_{title}", "US", datetime.fromtimestamp(view_at_s, UTC))
    ancient = datetime.fromtimestamp(border_s - 1.5 * era_s, UTC)
    await counters.count_view("prof_old", "mov_ancient", "US", ancient)
    now_s = border_s + 3 * half_life_s

    found = (await counters.trending("US", datetime.fromtimestamp(now_s, UTC)))[TrendWindow.HOUR]

    weights = np.exp2(-(now_s - at_s) / half_life_s)
    eras = [np.bincount(titles[side], weights[side], TOP + 61) for side in (at_s < border_s, at_s >= border_s)]
    cut_off = sum(float(np.sort(era)[::-1][TOP - 1]) for era in eras)
    exact = eras[0] + eras[1]
    assert np.count_nonzero(eras[0]) > TOP
    assert "mov_ancient" not in found
    for title in np.flatnonzero(exact).tolist():
        reported = found.get(f"mov_{title}", 0.0)
        assert reported <= exact[title] * (1 + 1e-9)
        assert reported >= exact[title] * (1 - 1e-9) - cut_off
    most = int(np.argmax(exact))
    assert math.isclose(found[f"mov_{most}"], exact[most], rel_tol=1e-9)


async def test_heartbeats_of_one_evening_are_one_view(redis: Redis) -> None:
    """However often a player reports, and however often an event is told."""
    counters = ValkeyTrendCounters(redis)
    for minute in range(10):
        await counters.count_view("prof_1", "mov_a", "US", NOW + timedelta(minutes=minute))
    await counters.count_view("prof_1", "mov_b", "US", NOW)

    found = combine(await counters.trending(None, NOW + timedelta(minutes=10)))

    # Equal but for the ten minutes between the first two views and now, which weigh the same for both.
    assert math.isclose(found["mov_a"], found["mov_b"], rel_tol=1e-9)


async def test_a_country_without_trends_of_its_own_gets_those_of_all(redis: Redis) -> None:
    """Until enough titles were watched there."""
    counters = ValkeyTrendCounters(redis)
    for number in range(6):
        await counters.count_view(f"prof_{number}", f"mov_{number}", "US", NOW)
    await counters.count_view("prof_9", "mov_br", "BR", NOW)

    assert "mov_br" not in combine(await counters.trending("US", NOW))
    assert set(combine(await counters.trending("BR", NOW))) == {*(f"mov_{number}" for number in range(6)), "mov_br"}
