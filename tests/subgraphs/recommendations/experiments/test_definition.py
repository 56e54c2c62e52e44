"""What may not be an experiment is named: field, value, what is wanted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from subgraphs.recommendations.experiments.definition import (
    Arm,
    Experiment,
    ExperimentKind,
    Targeting,
    check_experiment,
)
from subgraphs.recommendations.experiments.parameters import PARAMETERS

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
EASE, BLEND = {"top-picks.ranker": "EASE"}, {"top-picks.ranker": "BLEND"}


def arms(*values: Any, weight: int = 1) -> tuple[Arm, ...]:
    return tuple(Arm(f"arm-{number}", weight, each) for number, each in enumerate(values))


BAD: list[tuple[dict[str, Any], str]] = [
    ({"id": "Big Name"}, "id is 'Big Name'; send 1 to 48 small letters"),
    ({"id": "holdout"}, "which stands for those who are in no experiment"),
    ({"description": " "}, "description has 0 characters"),
    ({"arms": arms(EASE)}, "arms has 1 entries"),
    ({"arms": (Arm("a", 1, EASE), Arm("a", 1, BLEND))}, "arms names 'a' twice"),
    ({"arms": (Arm("A!", 1, EASE), Arm("b", 1, BLEND))}, "arms names 'A!'"),
    ({"arms": arms(EASE, BLEND, weight=0)}, "the weight of arm 'arm-0' is 0; send 1 to 1000"),
    ({"arms": arms({}, {})}, "no arm sets a parameter"),
    ({"arms": arms({"page.colour": "red"}, {})}, "sets 'page.colour', which nothing reads; known are page.coverage"),
    ({"arms": arms({"top-picks.ranker": "BEST"}, {})}, "top-picks.ranker is 'BEST'; send one of BLEND, EASE"),
    ({"arms": arms({"page.because-rows": 2.5}, {})}, "page.because-rows is '2.5'; send a whole number from 0 to 3"),
    ({"arms": arms({"page.row-discount": 2.0}, {})}, "page.row-discount is '2.0'; send a number from 0.5 to 1"),
    ({"arms": arms({"page.row-discount": "nan"}, {})}, "page.row-discount is 'nan'"),
    ({"arms": arms({**EASE, "hero.film-bonus": 1.0}, {})}, "several layers"),
    ({"kind": ExperimentKind.INTERLEAVED}, "an INTERLEAVED experiment has two arms with different values"),
    ({"kind": ExperimentKind.INTERLEAVED, "arms": arms(BLEND, {})}, "an INTERLEAVED experiment has two arms"),
    ({"kind": ExperimentKind.INTERLEAVED, "arms": arms(BLEND, EASE, {})}, "an INTERLEAVED experiment has two arms"),
    ({"traffic": 0}, "traffic is 0; send 1 to 1000"),
    ({"targeting": Targeting(countries=frozenset({"usa"}))}, "countries names 'usa'"),
    ({"targeting": Targeting(form_factors=frozenset({"FRIDGE"}))}, "formFactors names 'FRIDGE'; known are BROWSER"),
    ({"targeting": Targeting(plans=frozenset({"GOLD"}))}, "plans names 'GOLD'; known are BASIC"),
    ({"starts_at": datetime(2026, 3, 1)}, "names no time zone"),  # noqa: DTZ001
    ({"starts_at": NOW, "ends_at": NOW - timedelta(days=1)}, "endsAt is 2026-02-28"),
    ({"primary": "joy"}, "primaryMetric names 'joy'; known are hours"),
    ({"guardrails": ("refusals", "joy")}, "guardrailMetrics names 'joy'"),
    ({"guardrails": ("hours",)}, "or the primary one"),
    ({"minimum_effect": 0.0}, "minimumEffect is 0; send 0.001 to 1"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_what_is_wrong_is_named(make_experiment: Callable[..., Experiment], change: dict[str, Any], words: str) -> None:
    """One mistake at a time."""
    made = make_experiment(**{"name": change.get("id", "variety")} | {k: v for k, v in change.items() if k != "id"})

    assert words in (check_experiment(made) or "")


def test_good_ones_pass(make_experiment: Callable[..., Experiment]) -> None:
    """Both kinds; an arm may say nothing; an experiment of one value in all arms looks for faults of the machinery."""
    same = {"page.row-discount": 0.9}
    assert check_experiment(make_experiment()) is None
    assert check_experiment(make_experiment(arms=arms({}, EASE))) is None
    assert check_experiment(make_experiment(arms=arms(same, same))) is None
    assert check_experiment(make_experiment(kind=ExperimentKind.INTERLEAVED, arms=arms({}, EASE))) is None


def test_defaults_are_values_that_may_be_set() -> None:
    """Of every parameter, read back from its text as the same type."""
    for parameter in PARAMETERS.values():
        read = parameter.read(str(parameter.default))
        assert (read, type(read)) == (parameter.default, type(parameter.default))
