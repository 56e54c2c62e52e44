"""One row of two rankers: fair, complete, and able to tell which is better."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from subgraphs.recommendations.experiments.draft import NO_TEAM, Draft, team_draft
from subgraphs.recommendations.experiments.simulate import World, simulate_power
from subgraphs.recommendations.experiments.statistics import sign_test

rankings = st.lists(st.integers(0, 30), unique=True, max_size=20)


@given(rankings, rankings, st.integers(1, 25), st.integers(0, 2**62))
@settings(max_examples=200, deadline=None)
def test_a_draft_keeps_its_rules(first: list[int], second: list[int], length: int, seed: int) -> None:
    """No title twice, each team in its order, equally many after each round, nothing made up, as long as it can be."""
    draft = team_draft(first, second, length, seed)

    assert len(set(draft.items)) == len(draft.items) == len(draft.teams)
    assert set(draft.items) <= {*first, *second}
    chosen = [team for team in draft.teams if team != NO_TEAM]
    assert all(sum(chosen[:end]) * 2 == end for end in range(0, len(chosen), 2))
    for team, ranking in enumerate((first, second)):
        own = [item for item, each in zip(draft.items, draft.teams, strict=True) if each == team]
        assert own == sorted(own, key=ranking.index)
        # Each is the best that was left: whatever stands higher in its ranking is in the row already.
        for place, (item, each) in enumerate(zip(draft.items, draft.teams, strict=True)):
            if each == team:
                assert set(ranking[: ranking.index(item)]) <= set(draft.items[:place])
    assert len(draft.items) == min(length, len({*first, *second})) or NO_TEAM in draft.teams or not (first and second)
    assert draft == team_draft(first, second, length, seed)


def test_each_begins_half_of_the_rounds() -> None:
    """In every round by itself, over seeds."""
    drafts = [team_draft(range(100), range(100), 10, seed) for seed in range(2_000)]

    for start in range(0, 10, 2):
        begun = sum(draft.teams[start] for draft in drafts)
        assert stats.binomtest(begun, len(drafts)).pvalue > 0.001


def test_equal_rankers_get_equally_many_points() -> None:
    """The p-values of three hundred trials without a difference are uniform."""
    random = np.random.default_rng(3)
    drafts = [team_draft(range(10), range(10), 10, int(seed)) for seed in random.integers(2**62, size=400)]
    teams = np.array([draft.teams for draft in drafts])
    p_values = []
    for _ in range(300):
        opened = random.poisson(0.4 * 0.85 ** np.arange(10), size=teams.shape)
        preferences = np.where(teams == 1, opened, -opened).sum(axis=1).astype(float)
        found = sign_test(preferences)
        # An exact test of few has few possible values: drawn within its step, p is uniform where nothing differs.
        smaller = float(stats.binom.pmf(found.second, found.first + found.second, 0.5))
        p_values.append(min(1.0, max(0.0, found.p - 2 * smaller * float(random.random()))))

    assert stats.kstest(p_values, "uniform").pvalue > 0.001
    assert sum(p < 0.05 for p in p_values) < 35


def test_a_better_ranker_wins_with_fewer_profiles_than_by_arms() -> None:
    """In the simulation that docs/experiments.md tells of, at a small size."""
    (power,) = simulate_power(World(noise=(1.0, 0.6)), [800], repetitions=10, seed=5)

    assert power.interleaved >= 0.6
    assert power.interleaved >= power.ab + 0.4


def test_a_list_that_ends_gives_the_rest_to_no_team() -> None:
    """What only one ranker knew was not chosen against anything."""
    draft = team_draft([1], [2, 3, 4], 10, 0)

    assert draft.items[2:] == (3, 4) or draft.items[1:] == (2, 3, 4)
    assert set(draft.teams[2:]) <= {NO_TEAM, 1}
    assert draft.teams[-1] == NO_TEAM
    assert team_draft([], [], 5, 0) == Draft((), ())
