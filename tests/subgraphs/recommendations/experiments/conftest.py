"""Definitions of experiments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from subgraphs.recommendations.experiments.definition import Arm, Experiment, ExperimentKind, ExperimentState
from subgraphs.recommendations.experiments.parameters import ParameterValue

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)


def experiment(
    name: str = "variety",
    control: Mapping[str, ParameterValue] | None = None,
    treatment: Mapping[str, ParameterValue] | None = None,
    **changes: Any,
) -> Experiment:
    """Two arms of one weight on a parameter of the page, for the whole layer."""
    made = Experiment(
        id=name,
        description="More variety makes pages better.",
        kind=ExperimentKind.AB,
        arms=(
            Arm("control", 1, control or {"page.coverage-worth": 1.0}),
            Arm("more", 1, treatment or {"page.coverage-worth": 3.0}),
        ),
        traffic=950,
        primary="hours",
    )
    return replace(made, **changes)


@pytest.fixture(scope="session")
def make_experiment() -> Callable[..., Experiment]:
    return experiment


@pytest.fixture(scope="session")
def make_running() -> Callable[..., Experiment]:
    """As if it had been started at NOW with these slots."""

    def make(name: str = "variety", slots: tuple[int, ...] = tuple(range(50, 1_000)), **changes: Any) -> Experiment:
        running = experiment(name, **changes)
        started_at = running.started_at or NOW
        return replace(running, state=ExperimentState.RUNNING, slots=slots, traffic=len(slots), started_at=started_at)

    return make
