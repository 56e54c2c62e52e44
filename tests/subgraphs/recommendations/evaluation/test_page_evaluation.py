"""Whole pages: the measure against its definition, and the comparison on a small world with camps."""

from __future__ import annotations

import itertools
import math
import random
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subgraphs.kernel.policy import TitleFacts
from subgraphs.recommendations.domain.titles import TitleKind, TitleRecord
from subgraphs.recommendations.evaluation.movielens import DataSet
from subgraphs.recommendations.evaluation.page_report import page_table
from subgraphs.recommendations.evaluation.pages import CHOSEN, COLUMNS, FIXED, ROWS, ndcg_2d, run_page_trial
from subgraphs.recommendations.evaluation.splits import LikeLog, strong_generalisation

PAGES = st.lists(st.lists(st.integers(0, 60), max_size=COLUMNS, unique=True), max_size=ROWS)


@settings(max_examples=150, deadline=None)
@given(page=PAGES, held_out=st.frozensets(st.integers(0, 60), min_size=1, max_size=30))
def test_two_dimensional_ndcg_by_its_definition(page: list[list[int]], held_out: frozenset[int]) -> None:
    """Each held-out title where it is first seen, against the best places that there are."""
    places = itertools.product(range(1, ROWS + 1), range(1, COLUMNS + 1))
    best = sorted((1 / math.log2(row + column) for row, column in places), reverse=True)
    gained, seen = 0.0, set()
    for row, titles in enumerate(page, start=1):
        for column, title in enumerate(titles, start=1):
            if title not in seen and title in held_out:
                gained += 1 / math.log2(row + column)
            seen.add(title)

    value = ndcg_2d([np.array(titles, np.int64) for titles in page], held_out)

    assert value == pytest.approx(gained / sum(best[: len(held_out)]))
    assert 0 <= value <= 1 + 1e-9


def test_the_best_page_has_one() -> None:
    """Four held-out titles in the four best places."""
    page = [np.array([1, 2, 3, 9]), np.array([4])]

    assert ndcg_2d(page, frozenset({1, 2, 4})) == pytest.approx(1.0)


def test_nothing_held_out_is_refused() -> None:
    """There is no best page to compare with."""
    with pytest.raises(ValueError, match="nothing is held out"):
        ndcg_2d([], frozenset())


@pytest.fixture(scope="module")
def small_world() -> DataSet:
    """160 profiles of four camps, each liking mostly its own 60 of 240 titles."""
    chance = random.Random(3)
    likes = set()
    for profile in range(160):
        for _ in range(30):
            camp = profile % 4 if chance.random() < 0.8 else chance.randrange(4)
            likes.add((profile, camp * 60 + min(59, int(chance.expovariate(0.06)))))
    profiles, titles = (np.array(column) for column in zip(*sorted(likes), strict=True))
    genres = np.zeros((240, 8), np.float32)
    for title in range(240):
        genres[title, [title // 60, 4 + title % 4]] = 0.5
    records = tuple(
        TitleRecord(
            id=f"mov_{title:03}",
            kind=TitleKind.MOVIE,
            display_name=f"Film {title}",
            synopsis="",
            release_year=None,
            genres=tuple((f"g{genre}", f"g{genre}") for genre in np.flatnonzero(genres[title]).tolist()),
            cast=(),
            directors=(),
            facts=TitleFacts(minimum_age=0, is_kids=False),
            series_id=None,
            season_number=0,
            episode_number=0,
            next_episode_id=None,
            popularity=0.0,
            added_at=datetime(1970, 1, 1, tzinfo=UTC),
        )
        for title in range(240)
    )
    log = LikeLog(profiles, titles, np.arange(len(profiles), dtype=np.float64), 160, 240)
    return DataSet("small world", log, records, genres)


def test_rows_chosen_together_find_more(small_world: DataSet) -> None:
    """Each profile is measured once for each way; pages without repetitions find more; twice gives the same."""
    trial = next(iter(strong_generalisation(small_world.likes, folds=4, seed=1)))

    result, again = (run_page_trial(small_world, trial, seed=1) for _ in range(2))

    assert all(len(values) == len(trial.profiles) for values in result.values.values())
    assert result.values[CHOSEN].mean() > 1.1 * result.values[FIXED].mean()
    assert all(np.array_equal(values, again.values[way]) for way, values in result.values.items())
    assert f"| {CHOSEN} | {result.values[CHOSEN].mean():.4f} (" in page_table("small world", [result])
