"""Policies state every probability, and choices follow them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2s
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chi2, chisquare

from subgraphs.recommendations.artwork.choose import (
    EPOCH,
    ArtworkChooser,
    draw_numbers,
    draw_variants,
    epoch_of,
)
from subgraphs.recommendations.artwork.policy import (
    EXPLORATION,
    ArtworkPolicy,
    no_policy,
    place_policy,
    propensities,
    propensities_of_rows,
    read_policy,
    shares_to_propensities,
    write_policy,
)
from subgraphs.recommendations.domain.artwork_choice import ArtworkContext, Look
from subgraphs.recommendations.domain.artwork_looks import build_artwork_table
from subgraphs.recommendations.domain.artwork_sizes import VARIANTS, ArtworkRole
from subgraphs.recommendations.models.archive import ModelUnreadable

TITLES = [f"mov_{number}" for number in range(40)]
LOOKS = {
    title_id: tuple(
        Look(variant, 1 + (number + place) % 3, f"p{(number + place) % 5}", f"c{(number * 2 + place) % 4}")
        for place, variant in enumerate(VARIANTS)
    )
    for number, title_id in enumerate(TITLES)
}
TABLE = build_artwork_table(list(LOOKS.items()))
INDEX = {title_id: number for number, title_id in enumerate(TITLES)}
SHARES = arrays(np.float64, (4, 3), elements=st.integers(0, 3).map(float)).filter(lambda rows: rows.any(axis=1).all())


def policy(seed: int = 1) -> ArtworkPolicy:
    random = np.random.default_rng(seed)
    weights = random.normal(0, 0.05, (4, len(TABLE.names)))
    own = random.normal(0, 0.05, (10, 3))
    return ArtworkPolicy("v1", ("constant", "poster", "gen_a", "gen_b"), TABLE.names, weights, tuple(TITLES[:10]), own)


def chooser(profile_id: str = "prof_1", **context: Any) -> ArtworkChooser:
    return ArtworkChooser(
        place_policy(policy(), TABLE, INDEX), profile_id, ArtworkContext(3, {"gen_a": 0.8, **context})
    )


@settings(max_examples=60)
@given(weights=SHARES, estimates=arrays(np.float64, (4, 3), elements=st.floats(-1e6, 1e6, allow_nan=False, width=32)))
def test_probabilities_add_up_to_one_and_keep_their_floor(weights: Any, estimates: Any) -> None:
    """Whatever is estimated: what may not be shown has none, all else at least its part of the exploration."""
    shares = weights / weights.sum(axis=1, keepdims=True)
    chances = shares_to_propensities(shares, estimates)
    assert chances.sum(axis=1) == pytest.approx(1.0)
    assert ((chances == 0) == (shares == 0)).all()
    assert (chances >= EXPLORATION * shares - 1e-15).all()


def test_nothing_learned_is_the_given_shares() -> None:
    """By how the studio weighted the variants."""
    chances = propensities(place_policy(no_policy(), TABLE, INDEX), ArtworkContext(0), ArtworkRole.POSTER, np.arange(9))
    assert chances == pytest.approx(TABLE.shares[:9])


def test_choices_come_as_often_as_is_stated() -> None:
    """Chi-square over 5,000 profiles for each of ten titles; and two titles' numbers are independent."""
    count, titles = 5_000, np.arange(10)
    placed, context = place_policy(policy(), TABLE, INDEX), ArtworkContext(3, {"gen_a": 0.8})
    chances = propensities(placed, context, ArtworkRole.BACKDROP, titles)
    seeds = [blake2s(str(number).encode(), digest_size=8).digest() for number in range(count)]
    drawn = np.array(
        [draw_variants(chances, draw_numbers(TABLE.seeds[titles], int.from_bytes(seed, "little"))) for seed in seeds]
    )
    expected = chances * count
    statistic = sum(chisquare(np.bincount(drawn[:, title], minlength=3), expected[title]).statistic for title in titles)
    assert statistic < chi2.ppf(0.999, 2 * len(titles))
    pairs = np.bincount(drawn[:, 0] * 3 + drawn[:, 1], minlength=9)
    assert chisquare(pairs, (np.outer(chances[0], chances[1]) * count).ravel()).pvalue > 0.001


def test_a_chooser_is_deterministic_and_counts_each_title_for_itself() -> None:
    """The same question has the same answer, in any company and order."""
    titles = np.arange(len(TITLES))
    once = chooser().variants(titles, ArtworkRole.POSTER)
    assert chooser().variants(titles[::-1], ArtworkRole.POSTER) == once[::-1]
    assert [chooser().variants(titles[[at]], ArtworkRole.POSTER)[0] for at in titles] == once
    shown = chooser().shown(titles.tolist(), ArtworkRole.POSTER)
    assert [each.variant for each in shown] == once
    assert chooser("prof_2").variants(titles, ArtworkRole.POSTER) != once


def test_a_new_policy_moves_only_what_its_probabilities_move() -> None:
    """The draw does not know the policy: an equal one of another name chooses the same, and its tag differs."""
    same = replace(policy(), id="v2")
    before, after = chooser(), ArtworkChooser(place_policy(same, TABLE, INDEX), "prof_1", chooser().context)
    titles = np.arange(len(TITLES))
    assert after.variants(titles, ArtworkRole.BACKDROP) == before.variants(titles, ArtworkRole.BACKDROP)
    assert after.tag != before.tag


def test_epochs_end_on_different_days() -> None:
    """Every profile's lasts EPOCH; no day ends those of all."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    days = [start + timedelta(days=day) for day in range(29)]
    ends = set()
    for number in range(50):
        epochs = [epoch_of(f"prof_{number}", day) for day in days]
        changes = [day for day in range(28) if epochs[day] != epochs[day + 1]]
        assert len(changes) == 28 // EPOCH.days
        ends.add(changes[0])
    assert len(ends) > 10


def test_rows_have_the_probabilities_of_one_context() -> None:
    """Both ways of asking a policy are one policy."""
    placed, context = place_policy(policy(), TABLE, INDEX), ArtworkContext(3, {"gen_a": 0.8, "gen_unknown": 1.0})
    one = propensities(placed, context, ArtworkRole.POSTER, np.arange(8))
    rows = np.tile([1.0, 1.0, 0.8, 0.0], (8, 1))
    assert propensities_of_rows(placed, rows, np.arange(8)) == pytest.approx(one)


def test_a_policy_survives_writing_and_damage_is_told() -> None:
    """What is no policy of this form is refused."""
    known = policy()
    again = read_policy(write_policy(known))
    assert again.title_ids == known.title_ids
    assert again.weights == pytest.approx(known.weights)
    assert again.own == pytest.approx(known.own, abs=1e-6)
    broken = replace(known, weights=known.weights * np.nan)
    for content in (b"", b"PK\x03\x04", write_policy(known)[:-40], write_policy(broken)):
        with pytest.raises(ModelUnreadable):
            read_policy(content)


def test_a_policy_with_any_damaged_byte_is_refused_or_unchanged() -> None:
    """In whatever part of the archive: nothing but ModelUnreadable comes out of reading."""
    known = policy()
    written = write_policy(known)
    refused = 0
    for place in range(0, len(written), 3):
        damaged = bytearray(written)
        damaged[place] ^= 0xFF
        try:
            again = read_policy(bytes(damaged))
        except ModelUnreadable:
            refused += 1
        else:
            assert np.array_equal(again.weights, known.weights)
    assert refused > 100


def test_a_title_without_looks_is_shown_in_its_main_variant() -> None:
    """Its snapshot is from before looks were told, or the studio weighted nothing that is known."""
    table = build_artwork_table([("mov_a", ()), ("mov_b", (Look("second", 0, "p", "c"),))])
    assert table.shares.tolist() == [[1.0, 0.0, 0.0]] * 2
    placed = place_policy(no_policy(), table, {"mov_a": 0, "mov_b": 1})
    choose = ArtworkChooser(placed, "prof_1", ArtworkContext(0))
    assert choose.variants(np.arange(2), ArtworkRole.POSTER) == ["main", "main"]
