"""Profiles in arms: evenly, independently between layers, one at a time within one, and for good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from common.tokens import Viewer
from subgraphs.recommendations.experiments.assign import (
    LAYER_HOLDOUT_SLOTS,
    Assigner,
    arm_of,
    give_slots,
    hash_to,
    holdout_of,
    slot_of,
    tracking_code,
)
from subgraphs.recommendations.experiments.definition import (
    HOLDOUT,
    SLOT_COUNT,
    Arm,
    Experiment,
    ExperimentState,
    Targeting,
)
from subgraphs.recommendations.experiments.parameters import Layer

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
PROFILES = [f"prof_{number:05}" for number in range(20_000)]
HERO = {"hero.film-bonus": 0.0}
Make = Callable[..., Experiment]


def viewer(profile_id: str | None, **changes: object) -> Viewer:
    made = Viewer(account_id="acc_1", country="US", plan="BASIC", profile_id=profile_id)
    return replace(made, **changes)  # type: ignore[arg-type]


def arms(assigner: Assigner, profile_id: str, form_factor: str = "TV", **changes: object) -> dict[str, str]:
    """Arms by experiment."""
    found = assigner.assign(viewer(profile_id, **changes), form_factor, NOW)
    return {
        each.experiment.id: each.arm.name for each in found if each.arm is not None and each.experiment.id != HOLDOUT
    }


def test_slots_and_arms_are_uniform(make_running: Make) -> None:
    """By chi-square, for sequential ids, which differ in a few digits only."""
    slots = Counter(slot_of(Layer.PAGE, profile_id) // 10 for profile_id in PROFILES)
    weighted = replace(make_running(), arms=(Arm("a", 2, HERO), Arm("b", 3, HERO), Arm("c", 5, HERO)))
    found = Counter(arm_of(weighted, profile_id).name for profile_id in PROFILES)

    assert stats.chisquare([slots[place] for place in range(SLOT_COUNT // 10)]).pvalue > 0.001
    expected = np.array([0.2, 0.3, 0.5]) * len(PROFILES)
    assert stats.chisquare([found[name] for name in "abc"], expected).pvalue > 0.001


@pytest.mark.parametrize(
    ("first", "second"), [("layer:PAGE", "layer:RANKING"), ("layer:PAGE", "arm:a:1"), ("arm:a:1", "arm:a:2")]
)
def test_salts_are_independent(first: str, second: str) -> None:
    """Layers of each other, arms of slots, a version of the one before: by chi-square over the table of both."""
    table = np.zeros((8, 8))
    for profile_id in PROFILES:
        table[hash_to(first, profile_id, 8), hash_to(second, profile_id, 8)] += 1

    assert stats.chi2_contingency(table).pvalue > 0.001


@given(st.text(min_size=1, max_size=30), st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_the_same_profile_is_in_the_same_arm(profile_id: str, version: int) -> None:
    """Whoever asks, whenever, and however the definition was read."""
    made = Experiment("x", "x", "AB", (Arm("a", 1, HERO), Arm("b", 1, HERO)), 10, "hours", version=version)  # type: ignore[arg-type]
    again = replace(made, description="other words")

    assert arm_of(made, profile_id) is arm_of(again, profile_id)
    assert slot_of(Layer.PAGE, profile_id) == slot_of(Layer.PAGE, profile_id)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 500)), max_size=12))
@settings(max_examples=60, deadline=None)
def test_starting_and_stopping_moves_nobody_else(steps: list[tuple[bool, int]]) -> None:
    """Slots of one layer are held once, never those of the holdout, and stay with who holds them until it stops."""
    running: dict[str, Experiment] = {}
    for number, (is_start, traffic) in enumerate(steps):
        before = {name: each.slots for name, each in running.items()}
        if is_start or not running:
            made = Experiment(f"e{number}", "x", "AB", (Arm("a", 1, HERO), Arm("b", 1, HERO)), traffic, "hours")  # type: ignore[arg-type]
            slots = give_slots(made, running.values(), NOW)
            taken = sum(map(len, before.values()))
            assert (slots is None) == (traffic > SLOT_COUNT - LAYER_HOLDOUT_SLOTS - taken)
            if slots is not None:
                running[made.id] = replace(made, state=ExperimentState.RUNNING, slots=slots, started_at=NOW)
        else:
            before.pop(min(running))
            running.pop(min(running))
        held = [slot for each in running.values() for slot in each.slots]
        assert len(held) == len(set(held))
        assert all(slot >= LAYER_HOLDOUT_SLOTS for slot in held)
        assert all(running[name].slots == slots for name, slots in before.items())


def test_layers_overlap_and_experiments_of_one_layer_do_not(make_running: Make) -> None:
    """Two of one layer share no profile; one of another layer is met by the same part of both."""
    first, second = make_running("one", tuple(range(50, 500))), make_running("two", tuple(range(500, 950)))
    hero = make_running("hero", tuple(range(50, 500)), control=HERO, treatment={"hero.film-bonus": 2.0})
    assigner = Assigner((first, second, hero), 0)
    found = [arms(assigner, profile_id) for profile_id in PROFILES[:4_000]]

    assert not [each for each in found if {"one", "two"} <= set(each)]
    table = [
        [sum((name in each) and ("hero" in each) is has for each in found) for has in (True, False)]
        for name in ("one", "two")
    ]
    assert min(min(row) for row in table) > 100
    assert stats.chi2_contingency(table).pvalue > 0.001


def test_holdouts_are_in_nothing(make_running: Make) -> None:
    """Neither those of everything nor those of the layer; about as many as wanted."""
    assigner = Assigner((make_running(),), holdout=100)
    out = [profile_id for profile_id in PROFILES[:4_000] if not arms(assigner, profile_id)]

    assert {each for each in PROFILES[:4_000] if assigner.is_held_out(each)} <= set(out)
    assert all(assigner.is_held_out(each) or slot_of(Layer.PAGE, each) < LAYER_HOLDOUT_SLOTS for each in out)
    assert 0.10 < len(out) / 4_000 < 0.19
    told = [assigner.assign(viewer(each), "TV", NOW)[0] for each in PROFILES[:200]]
    assert {each.experiment.id for each in told} == {HOLDOUT}
    assert [each.arm and each.arm.name == "held-out" for each in told] == [
        assigner.is_held_out(each) for each in PROFILES[:200]
    ]


def test_the_holdout_is_compared_while_anything_runs(make_running: Make, make_experiment: Make) -> None:
    """Since the first that runs; not with those that never started, nor without a holdout."""
    early = make_running("early", (50,), started_at=NOW - timedelta(days=3))
    found = holdout_of([make_running("late", (51,)), early, make_experiment("draft")], 10)

    assert found is not None
    assert (found.started_at, found.parameters) == (early.started_at, ())
    assert holdout_of([make_experiment("draft")], 10) is None
    assert holdout_of([early], 0) is None


def test_only_who_is_meant_while_it_runs(make_running: Make) -> None:
    """Country, form factor, plan; from starts_at to before ends_at; never without a profile."""
    target = Targeting(frozenset({"US"}), frozenset({"TV"}), frozenset({"BASIC"}))
    timed = make_running(targeting=target, starts_at=NOW, ends_at=NOW + timedelta(days=1))
    assigner = Assigner((timed,), 0)
    profile_id = next(each for each in PROFILES if arms(assigner, each))

    assert not arms(assigner, profile_id, country="DE")
    assert not arms(assigner, profile_id, plan="PREMIUM")
    assert not arms(assigner, profile_id, form_factor="PHONE")
    assert not assigner.assign(viewer(None), "TV", NOW)
    instants = [NOW - timedelta(seconds=1), NOW, NOW + timedelta(hours=23), NOW + timedelta(days=1)]
    assert [bool(assigner.assign(viewer(profile_id), "TV", each)) for each in instants] == [False, True, True, False]


def test_slots_of_one_that_is_over_are_the_next_one_s(make_running: Make) -> None:
    """Whatever their names: what has ended holds its slots on paper only."""
    over = make_running("z-over", ends_at=NOW - timedelta(hours=1), started_at=NOW - timedelta(days=9))
    assigner = Assigner((make_running("a-next"), over), 0)

    assert {name for each in PROFILES[:300] for name in arms(assigner, each)} == {"a-next"}


def test_testers_choose_in_place_of_their_layer(make_running: Make) -> None:
    """What is chosen counts for nothing, and other layers stay; an arm that is not there is not chosen."""
    page = make_running()
    hero = make_running("hero", control=HERO, treatment={"hero.film-bonus": 2.0})
    assigner = Assigner((hero, page), 0)
    profile_id = next(each for each in PROFILES if len(arms(assigner, each)) == 2)
    assigned = assigner.assign(viewer(profile_id), "TV", NOW)

    found = {each.experiment.id: each for each in assigner.override(assigned, {"variety": "more"}, NOW)}
    unknown = assigner.override(assigned, {"variety": "gone", "other": "more"}, NOW)

    assert found["variety"].arm is not None
    assert (found["variety"].arm.name, found["variety"].is_override) == ("more", True)
    assert not found["hero"].is_override
    assert list(unknown) == list(assigned)


def test_codes_say_nothing_and_differ(make_running: Make) -> None:
    """One for each arm of each version."""
    codes = {tracking_code(make_running(version=version), arm) for version in (1, 2) for arm in ("control", "more")}

    assert len(codes) == 4
    assert all("control" not in code and len(code) == 8 for code in codes)
