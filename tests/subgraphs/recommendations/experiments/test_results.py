"""From profiles' figures to a verdict: tables, guardrails, what is withheld, what is too little."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from subgraphs.recommendations.experiments.definition import Arm, Experiment, ExperimentKind
from subgraphs.recommendations.experiments.metrics import METRICS
from subgraphs.recommendations.experiments.results import ExperimentResults, MetricResult, ProfileFigures, read_results

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=10)
Make = Callable[..., Experiment]


def profiles(arm: str, count: int, hours: float, seed: int = 1, **figures: float) -> list[ProfileFigures]:
    random = np.random.default_rng(seed)
    return [
        ProfileFigures(arm, {"watched-s": float(random.exponential(hours * 3_600)), **figures}) for _ in range(count)
    ]


def metric(results: ExperimentResults, name: str) -> MetricResult:
    return next(each for each in results.metrics if each.metric.name == name)


def test_a_difference_is_found_and_told(make_running: Make) -> None:
    """The primary metric first, in hours; the control has no comparison; every metric has a row."""
    results = read_results(make_running(), [*profiles("control", 500, 2), *profiles("more", 510, 3, 2)], LATER)
    control, more = results.metrics[0].arms

    assert (results.metrics[0].metric.name, results.metrics[0].role) == ("hours", "primary")
    assert control.comparison is None
    assert 1.7 < control.estimate.value < 2.3
    assert more.comparison is not None
    assert more.comparison.is_certain
    assert more.comparison.relative_low < 0.5 < more.comparison.relative_high
    assert {each.metric.name for each in results.metrics} == set(METRICS)
    assert (results.days, results.notes, results.is_withheld) == (10.0, (), False)


def test_nothing_is_compared_where_profiles_got_lost(make_running: Make) -> None:
    """The ratio is told, the values are shown, the differences are not."""
    results = read_results(make_running(), [*profiles("control", 600, 2), *profiles("more", 450, 3)], LATER)

    assert results.is_withheld
    assert "do not fit" in results.notes[0]
    assert all(arm.comparison is None for each in results.metrics for arm in each.arms)
    assert all(each.outlook is None for each in results.metrics)


def test_guardrails_bark_in_their_own_direction(make_running: Make) -> None:
    """More refusals do harm, more of the others does not; only metrics that guard are looked at."""
    random = np.random.default_rng(4)

    def some(arm: str, refused: float, listed: float) -> list[ProfileFigures]:
        return [
            ProfileFigures(arm, {"refused": float(random.poisson(refused)), "listed": float(random.poisson(listed))})
            for _ in range(300)
        ]

    found = [*some("control", 0.2, 0.2), *some("more", 0.6, 0.6)]
    guarded = read_results(make_running(guardrails=("refusals", "list-adds")), found, LATER)
    unguarded = read_results(make_running(), found, LATER)

    assert metric(guarded, "refusals").harmed == ("more",)
    assert metric(guarded, "list-adds").harmed == ()
    assert metric(unguarded, "refusals").harmed == ()


def test_the_outlook_says_how_long(make_running: Make) -> None:
    """Four times the days for half the effect."""
    found = [*profiles("control", 500, 2), *profiles("more", 500, 2, 2)]
    days = []
    for effect in (0.10, 0.05):
        outlook = metric(read_results(make_running(minimum_effect=effect), found, LATER), "hours").outlook
        assert outlook is not None
        days.append(outlook.days_needed or 0)
    assert 3.8 < days[1] / days[0] < 4.2


def test_empty_states_say_what_to_do(make_running: Make, make_experiment: Make) -> None:
    """Never started, nobody exposed, too few."""
    never = read_results(make_experiment(), [], LATER)
    nobody = read_results(make_running(), [], LATER)
    few = read_results(make_running(), [*profiles("control", 3, 1), *profiles("more", 2, 1)], LATER)

    assert "marquee experiments start variety" in never.notes[0]
    assert "No profile has met it" in nobody.notes[0]
    assert "fewer than 30" in few.notes[0]
    assert few.profile_counts == {"control": 3, "more": 2}


def interleaved(make: Make) -> Experiment:
    arms: Any = (Arm("blend", 1, {"top-picks.ranker": "BLEND"}), Arm("ease", 1, {"top-picks.ranker": "EASE"}))
    return make(kind=ExperimentKind.INTERLEAVED, arms=arms)


def test_interleaved_rankers_are_compared_by_profile(make_running: Make) -> None:
    """Who opened a hundred cards has one vote."""
    one = [ProfileFigures("", {}, {"blend": 100.0, "ease": 0.0})]
    many = [ProfileFigures("", {}, {"blend": 0.0, "ease": 1.0}) for _ in range(40)]
    ties = [ProfileFigures("", {}, {"blend": 2.0, "ease": 2.0}), ProfileFigures("", {}, {})]

    results = read_results(interleaved(make_running), [*one, *many, *ties], LATER)

    assert results.interleaved is not None
    assert results.metrics == ()
    assert results.profile_counts == {"": 43}
    assert results.interleaved.points == {"blend": 102.0, "ease": 42.0}
    assert (results.interleaved.test.first, results.interleaved.test.second) == (1, 40)
    assert results.interleaved.test.p < 0.001
    assert results.interleaved.mean_preference.value > 0.8


def test_an_interleaved_one_without_clicks_says_so(make_running: Make) -> None:
    """Exposed, and nothing opened."""
    results = read_results(interleaved(make_running), [ProfileFigures("", {}, {})], LATER)

    assert "Fewer than 30" in results.notes[0]
