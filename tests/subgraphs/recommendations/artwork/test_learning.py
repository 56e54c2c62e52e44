"""What is learned is what made titles be opened, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from subgraphs.recommendations.artwork.learn import Observations, learn_policy
from subgraphs.recommendations.artwork.policy import place_policy, propensities_of_rows
from subgraphs.recommendations.artwork.simulate import make_world, simulate
from subgraphs.recommendations.artwork.value import POLICY, SINGLE, compare_policies, gain_over_shares
from subgraphs.recommendations.domain.artwork_choice import Look
from subgraphs.recommendations.domain.artwork_looks import build_artwork_table
from subgraphs.recommendations.domain.artwork_sizes import VARIANTS

TITLES = tuple(f"mov_{number}" for number in range(6))
TABLE = build_artwork_table(
    [
        (
            title_id,
            tuple(Look(variant, 1, f"p{(n + k) % 4}", f"c{(n + 2 * k) % 5}") for k, variant in enumerate(VARIANTS)),
        )
        for n, title_id in enumerate(TITLES)
    ]
)
INDEX = {title_id: number for number, title_id in enumerate(TITLES)}
NAMES = ("constant", "poster", "gen_a")


def observe(
    count: int, seed: int, liked: str, *, by: int = 0, chances: tuple[float, ...] = (0.6, 0.3, 0.1)
) -> Observations:
    """Viewers open pictures of one feature twice as often, if context `by` holds; popular titles get odd pictures."""
    random = np.random.default_rng(seed)
    titles = random.integers(0, len(TITLES), count)
    contexts = np.column_stack([np.ones(count), random.random(count) < 0.5, random.random(count) < 0.5]).astype(float)
    # Popular titles are mostly shown in the last variant: what is opened much must not be put down to it.
    logged = np.where((titles < 2)[:, None], np.array(chances[::-1]), np.array(chances))
    chosen = (random.random(count)[:, None] > logged.cumsum(axis=1)).sum(axis=1)
    feature = TABLE.names.index(liked)
    has = (TABLE.features[titles, chosen] == feature).any(axis=1)
    rates = np.where(titles < 2, 0.3, 0.05) * (1 + has * contexts[:, by])
    opened = (random.random(count) < rates).astype(float)
    return Observations(NAMES, titles, contexts, logged, chosen, opened, np.arange(count))


def test_what_is_opened_more_is_preferred_for_those_who_open_it_more() -> None:
    """An effect that depends on a genre shows in its weight, and not in everybody's."""
    policy = learn_policy("v1", observe(20_000, 1, "palette p1", by=2), TABLE, TITLES)
    column = policy.features.index("palette p1")
    assert policy.weights[2, column] == policy.weights.max()
    assert policy.weights[2, column] > 0.3
    placed = place_policy(policy, TABLE, INDEX)
    title = np.flatnonzero((TABLE.features == TABLE.names.index("palette p1")).any(axis=2).any(axis=1))[-1:]
    variant = int((TABLE.features[title[0]] == TABLE.names.index("palette p1")).any(axis=1).argmax())
    fan, other = (propensities_of_rows(placed, np.array([row]), title)[0] for row in ([1.0, 0, 1], [1.0, 0, 0]))
    assert fan[variant] > other[variant]
    assert fan[variant] > 0.8


def test_popularity_is_not_put_down_to_pictures() -> None:
    """Popular titles were mostly shown in their third variant: where pictures change nothing, little is learned."""
    random = np.random.default_rng(5)
    seen = observe(20_000, 2, "palette p0", by=0)
    rates = np.where(seen.titles < 2, 0.3, 0.05)
    opened = (random.random(len(seen)) < rates).astype(float)
    nothing = Observations(NAMES, seen.titles, seen.contexts, seen.chances, seen.chosen, opened, seen.profiles)
    policy = learn_policy("v1", nothing, TABLE, TITLES)
    assert np.abs(policy.weights).max() < 0.2
    assert np.abs(policy.own[:2]).max() < 0.1


def test_nothing_opened_prefers_nothing() -> None:
    """And so does nothing shown."""
    seen = observe(300, 3, "palette p0")
    silent = Observations(NAMES, seen.titles, seen.contexts, seen.chances, seen.chosen, 0 * seen.opened, seen.profiles)
    for none in (silent, silent.part(np.zeros(len(silent), np.bool_))):
        policy = learn_policy("v1", none, TABLE, TITLES)
        assert not policy.weights.any()
        assert not policy.own.any()


def test_the_order_of_what_was_shown_does_not_matter() -> None:
    """But for rounding."""
    seen = observe(3_000, 4, "palette p0")
    order = np.random.default_rng(0).permutation(len(seen))
    mixed = Observations(
        NAMES,
        seen.titles[order],
        seen.contexts[order],
        seen.chances[order],
        seen.chosen[order],
        seen.opened[order],
        order,
    )
    one, other = (learn_policy("v1", each, TABLE, TITLES) for each in (seen, mixed))
    assert one.weights == pytest.approx(other.weights, abs=1e-9)


def test_viewers_with_known_preferences_are_learned() -> None:
    """In simulation each way of choosing has an exact rate: the bandit's rises from the shares' towards the best."""
    rounds = simulate(make_world(3, titles=60, viewers=2_000), 3, rounds=3, shown_per_round=8_000)
    assert rounds[0].policy == pytest.approx(rounds[0].given_shares)
    assert rounds[0].part_of_possible < 0.01
    assert rounds[1].part_of_possible > 0.4
    assert rounds[3].part_of_possible > rounds[1].part_of_possible
    assert all(each.policy < each.best for each in rounds)


def test_the_gain_of_a_policy_is_estimated_from_a_log_of_another() -> None:
    """True rates are known: the interval of the gain holds the truth, and says that there is one."""
    seen, fresh = observe(6_000, 5, "palette p1"), observe(4_000, 6, "palette p1")
    policy = learn_policy("v1", seen, TABLE, TITLES)
    gain = gain_over_shares(policy, fresh, TABLE, INDEX)
    has = (TABLE.features[fresh.titles] == TABLE.names.index("palette p1")).any(axis=2)
    rates = np.where(fresh.titles < 2, 0.3, 0.05)[:, None] * (1 + has)
    target = propensities_of_rows(place_policy(policy, TABLE, INDEX), fresh.contexts, fresh.titles)
    truth = float(((target - TABLE.shares[fresh.titles]) * rates).sum(axis=1).mean())
    assert gain.difference.low <= truth <= gain.difference.high
    assert gain.difference.is_above_zero
    compared = compare_policies(policy, fresh, TABLE, INDEX)
    assert set(compared.gains) == {POLICY, SINGLE}
    assert compared.logged.mean == pytest.approx(fresh.opened.mean())
