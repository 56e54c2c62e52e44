"""What an experiment shows: per arm and metric the value, its difference from the control, and how sure that is.

Profiles count from their first exposure on. Where the numbers of profiles in the arms do not fit their weights, what
made them differ may have made the metrics differ too: then nothing is compared until the cause is found.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from subgraphs.recommendations.experiments.definition import Experiment
from subgraphs.recommendations.experiments.metrics import METRICS, Metric
from subgraphs.recommendations.experiments.statistics import (
    Comparison,
    Doubles,
    Estimate,
    SignTest,
    compare,
    estimate_mean,
    estimate_ratio,
    minimum_detectable,
    sample_ratio_p,
    sign_test,
)

__all__ = [
    "SAMPLE_RATIO_LEVEL",
    "ArmFigures",
    "ExperimentResults",
    "InterleavedResult",
    "MetricResult",
    "Outlook",
    "ProfileFigures",
    "read_results",
]

SAMPLE_RATIO_LEVEL = 0.001
"""Below, numbers of profiles are no accident; low, as this is looked at again and again."""
FEW_PROFILES = 30
"""An arm below this says nothing: means are not normal yet."""


@dataclass(frozen=True, slots=True)
class ProfileFigures:
    """One exposed profile: its arm (empty in an interleaved experiment), and its figures by name; what lacks is 0.

    `points` of an interleaved experiment by arm: cards of that team's that it opened.
    """

    arm: str
    figures: Mapping[str, float]
    points: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """`comparison` with the control; None for the control itself, and while nothing may be compared."""

    arm: str
    estimate: Estimate
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of the arm that is known least.

    `detectable` now, as a part of the control's value; `days_needed` in all until the experiment's minimum effect can
    be seen, at the present rate; None: not to be foreseen.
    """

    detectable: float
    days_needed: int | None


@dataclass(frozen=True, slots=True)
class MetricResult:
    """`role` is "primary", "guardrail" or "". `harmed`: arms that do a guardrail harm beyond chance."""

    metric: Metric
    role: str
    arms: tuple[ArmFigures, ...]
    outlook: Outlook | None
    harmed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InterleavedResult:
    """Points by arm over all profiles, and which arm profiles preferred: more points than for the other."""

    points: Mapping[str, float]
    test: SignTest
    mean_preference: Estimate
    """Of (second - first) / (first + second) over the profiles with points: -1 to 1."""


@dataclass(frozen=True, slots=True)
class ExperimentResults:
    """`notes` say in words what a reader must know before the figures."""

    experiment: Experiment
    as_of: datetime
    days: float
    profile_counts: Mapping[str, int]
    sample_ratio_p: float
    metrics: tuple[MetricResult, ...]
    interleaved: InterleavedResult | None
    notes: tuple[str, ...]

    @property
    def is_withheld(self) -> bool:
        """Whether comparisons are, as the arms' numbers of profiles do not fit their weights."""
        return self.sample_ratio_p < SAMPLE_RATIO_LEVEL


def read_results(experiment: Experiment, profiles: Sequence[ProfileFigures], now: datetime) -> ExperimentResults:
    """From every exposed profile's figures."""
    names = [""] if experiment.is_interleaved else [arm.name for arm in experiment.arms]
    by_arm = {name: [each for each in profiles if each.arm == name] for name in names}
    counts = {name: len(found) for name, found in by_arm.items()}
    ratio_p = 1.0
    if not experiment.is_interleaved:
        ratio_p = sample_ratio_p(list(counts.values()), [arm.weight for arm in experiment.arms])
    days = _days(experiment, now)
    interleaved = _read_points(experiment, profiles) if experiment.is_interleaved else None
    metrics = (
        ()
        if experiment.is_interleaved
        else _read_metrics(experiment, by_arm, days, is_kept=ratio_p >= SAMPLE_RATIO_LEVEL)
    )
    return ExperimentResults(
        experiment=experiment,
        as_of=now,
        days=days,
        profile_counts=counts,
        sample_ratio_p=ratio_p,
        metrics=metrics,
        interleaved=interleaved,
        notes=tuple(_notes(experiment, counts, ratio_p, interleaved)),
    )


def _days(experiment: Experiment, now: datetime) -> float:
    if experiment.started_at is None:
        return 0.0
    begin = max(experiment.started_at, experiment.starts_at or experiment.started_at)
    end = min(each for each in (now, experiment.ends_at, experiment.stopped_at) if each is not None)
    return max(0.0, (end - begin) / timedelta(days=1))


def _read_metrics(
    experiment: Experiment, by_arm: Mapping[str, Sequence[ProfileFigures]], days: float, *, is_kept: bool
) -> tuple[MetricResult, ...]:
    results = []
    for metric in METRICS.values():
        estimates = {name: _estimate(metric, found) for name, found in by_arm.items()}
        control, *others = estimates.items()
        arms = [ArmFigures(*control, None)]
        arms += [ArmFigures(name, each, compare(control[1], each) if is_kept else None) for name, each in others]
        role = "primary" if metric.name == experiment.primary else ""
        harmed: list[str] = []
        if metric.name in experiment.guardrails:
            role = "guardrail"
            harmed = [each.arm for each in arms if each.comparison and _does_harm(metric, each.comparison)]
        outlook = _outlook(experiment, control[1], [each for _, each in others], days) if is_kept else None
        results.append(MetricResult(metric, role, tuple(arms), outlook, tuple(harmed)))
    order = {"primary": 0, "guardrail": 1, "": 2}
    return tuple(sorted(results, key=lambda result: order[result.role]))


def _estimate(metric: Metric, profiles: Sequence[ProfileFigures]) -> Estimate:
    values = _column(profiles, metric.figure) * metric.scale
    return estimate_mean(values) if metric.per is None else estimate_ratio(values, _column(profiles, metric.per))


def _column(profiles: Sequence[ProfileFigures], figure: str) -> Doubles:
    return np.array([each.figures.get(figure, 0.0) for each in profiles], np.float64)


def _does_harm(metric: Metric, comparison: Comparison) -> bool:
    return comparison.high < 0 if metric.is_more_better else comparison.low > 0


def _outlook(experiment: Experiment, control: Estimate, others: Sequence[Estimate], days: float) -> Outlook | None:
    """Profiles come at a steady rate, and scatter stays: then the detectable difference falls as one over the root."""
    found = [minimum_detectable(control, each) for each in others]
    if not control.value or any(math.isnan(each) for each in found):
        return None
    detectable = max(found) / abs(control.value)
    needed = days * (detectable / experiment.minimum_effect) ** 2
    return Outlook(detectable, math.ceil(needed) if 0 < needed < 3650 else None)


def _read_points(experiment: Experiment, profiles: Sequence[ProfileFigures]) -> InterleavedResult:
    first, second = (arm.name for arm in experiment.arms)
    points = np.array([[each.points.get(first, 0.0), each.points.get(second, 0.0)] for each in profiles], np.float64)
    points = points.reshape(-1, 2)
    totals = points.sum(axis=1)
    preferences = (points[:, 1] - points[:, 0])[totals > 0] / totals[totals > 0]
    return InterleavedResult(
        points={first: float(points[:, 0].sum()), second: float(points[:, 1].sum())},
        test=sign_test(preferences),
        mean_preference=estimate_mean(preferences),
    )


def _notes(
    experiment: Experiment, counts: Mapping[str, int], ratio_p: float, interleaved: InterleavedResult | None
) -> list[str]:
    if experiment.started_at is None:
        return [f"It never ran; `marquee experiments start {experiment.id}` starts it."]
    if not sum(counts.values()):
        return ["No profile has met it yet: only those count that agreed to analytics and personalisation."]
    notes = []
    if ratio_p < SAMPLE_RATIO_LEVEL:
        notes.append(
            f"The numbers of profiles do not fit the arms' weights (chi-square, p = {ratio_p:.2g}): something besides "
            "the hash decides who is counted. Nothing is compared; find the cause first."
        )
    if interleaved is not None and interleaved.test.first + interleaved.test.second < FEW_PROFILES:
        notes.append(f"Fewer than {FEW_PROFILES} profiles preferred either ranker: too few to believe.")
    if interleaved is None and min(counts.values()) < FEW_PROFILES:
        notes.append(f"An arm has fewer than {FEW_PROFILES} profiles: intervals are not to be believed yet.")
    return notes
