"""What an experiment is: arms that set parameters, whom it is for, when it runs, and what it is judged by.

A definition changes only while it is not running, and each change is another version with another parting of the
profiles and results of its own: arms that people know from before would carry that into the new ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from subgraphs.recommendations.domain.devices import FormFactor
from subgraphs.recommendations.experiments.metrics import METRICS
from subgraphs.recommendations.experiments.parameters import PARAMETERS, TOP_PICKS_RANKER, Layer, ParameterValue

__all__ = [
    "HOLDOUT",
    "MAX_EXPERIMENTS",
    "SLOT_COUNT",
    "Arm",
    "Experiment",
    "ExperimentKind",
    "ExperimentState",
    "Targeting",
    "check_experiment",
]

HOLDOUT = "holdout"
"""The name of what is compared with all experiments together."""
SLOT_COUNT = 1_000
"""A layer's traffic in parts: per mille of the profiles."""
MAX_EXPERIMENTS = 200
MAX_ARMS = 8
MAX_WEIGHT = 1_000
MAX_COUNTRIES = 60
MAX_DESCRIPTION = 500
PLANS = frozenset({"BASIC", "STANDARD", "PREMIUM"})
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?")
NAME_IN_WORDS = "1 to 48 small letters, digits and dashes, as picks-by-ease"


class ExperimentKind(StrEnum):
    """How arms are compared."""

    AB = "AB"
    """Each profile sees one arm."""
    INTERLEAVED = "INTERLEAVED"
    """Each profile sees one row drafted from two arms' rankers."""


class ExperimentState(StrEnum):
    """What was done with it last; starts_at and ends_at bound RUNNING further."""

    DRAFT = "DRAFT"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class Arm:
    """`weight` is its share among the arms' weights; `values` by parameter, the others keep their defaults."""

    name: str
    weight: int
    values: Mapping[str, ParameterValue]


@dataclass(frozen=True, slots=True)
class Targeting:
    """Nothing named: everybody. `form_factors` and `plans` by their names."""

    countries: frozenset[str] = frozenset()
    form_factors: frozenset[str] = frozenset()
    plans: frozenset[str] = frozenset()

    def includes(self, country: str | None, form_factor: str, plan: str | None) -> bool:
        """Whether somebody is meant."""
        return (
            (not self.countries or country in self.countries)
            and (not self.form_factors or form_factor in self.form_factors)
            and (not self.plans or plan in self.plans)
        )


@dataclass(frozen=True, slots=True)
class Experiment:
    """The first arm is the control. `traffic` and `slots` are parts of SLOT_COUNT of its layer's profiles.

    `minimum_effect`: the smallest relative difference of the primary metric that would matter. `slots` is empty unless
    it runs. `started_at` and `stopped_at` are those of this version.
    """

    id: str
    description: str
    kind: ExperimentKind
    arms: tuple[Arm, ...]
    traffic: int
    primary: str
    guardrails: tuple[str, ...] = ()
    minimum_effect: float = 0.05
    targeting: Targeting = field(default_factory=Targeting)
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    version: int = 1
    state: ExperimentState = ExperimentState.DRAFT
    slots: tuple[int, ...] = ()
    started_at: datetime | None = None
    stopped_at: datetime | None = None

    @property
    def key(self) -> str:
        """Of this version."""
        return f"{self.id}:{self.version}"

    @property
    def is_interleaved(self) -> bool:
        """Whether its profiles meet both arms."""
        return self.kind is ExperimentKind.INTERLEAVED

    @property
    def parameters(self) -> tuple[str, ...]:
        """All that any arm sets, in order of their names."""
        return tuple(sorted({name for arm in self.arms for name in arm.values}))

    @property
    def layer(self) -> Layer:
        """That of its parameters; of those alone that are known, should another version of the program have more."""
        return next((PARAMETERS[name].layer for name in self.parameters if name in PARAMETERS), Layer.PAGE)

    def has_run_at(self, at: datetime) -> bool:
        """Whether profiles are, or were, in its arms then."""
        if self.started_at is None or at < max(self.started_at, self.starts_at or self.started_at):
            return False
        return (self.ends_at is None or at < self.ends_at) and (self.stopped_at is None or at < self.stopped_at)

    def holds_slots(self, now: datetime) -> bool:
        """Whether its profiles are not free for others: also before it starts, and no more when its time is over."""
        return self.state is ExperimentState.RUNNING and (self.ends_at is None or now < self.ends_at)


def check_experiment(experiment: Experiment) -> str | None:
    """What is wrong with a definition, naming the field, the value and what is wanted; None when nothing is."""
    return (
        _check_words(experiment)
        or _check_arms(experiment)
        or _check_values(experiment)
        or _check_reach(experiment)
        or _check_metrics(experiment)
    )


def _check_words(experiment: Experiment) -> str | None:
    if experiment.id == HOLDOUT:
        return f"id is {HOLDOUT!r}, which stands for those who are in no experiment; choose another"
    if not _NAME.fullmatch(experiment.id):
        return f"id is {experiment.id[:60]!r}; send {NAME_IN_WORDS}"
    if not 1 <= len(experiment.description.strip()) <= MAX_DESCRIPTION:
        length = len(experiment.description.strip())
        return f"description has {length} characters; send 1 to {MAX_DESCRIPTION}: what is tried and why"
    return None


def _check_arms(experiment: Experiment) -> str | None:
    arms = experiment.arms
    if not 2 <= len(arms) <= MAX_ARMS:
        return f"arms has {len(arms)} entries; send 2 to {MAX_ARMS}, the control first"
    names = [arm.name for arm in arms]
    bad = next((name for name in names if not _NAME.fullmatch(name)), None)
    if bad is not None:
        return f"arms names {bad[:60]!r}; send {NAME_IN_WORDS}"
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        return f"arms names {twice!r} twice; name each arm once"
    heavy = next((arm for arm in arms if not 1 <= arm.weight <= MAX_WEIGHT), None)
    if heavy is not None:
        return f"the weight of arm {heavy.name!r} is {heavy.weight}; send 1 to {MAX_WEIGHT}"
    return None


def _check_values(experiment: Experiment) -> str | None:
    if not experiment.parameters:
        return f"no arm sets a parameter; known are {', '.join(PARAMETERS)}"
    for arm in experiment.arms:
        for name, value in arm.values.items():
            if name not in PARAMETERS:
                return f"arm {arm.name!r} sets {name[:60]!r}, which nothing reads; known are {', '.join(PARAMETERS)}"
            try:
                PARAMETERS[name].read(str(value))
            except ValueError as error:
                return f"arm {arm.name!r}: {error}"
    layers = {name: PARAMETERS[name].layer for name in experiment.parameters}
    if len(set(layers.values())) > 1:
        words = ", ".join(f"{name} in {layer}" for name, layer in layers.items())
        return f"the arms set parameters of several layers ({words}); make one experiment for each layer"
    if experiment.kind is ExperimentKind.INTERLEAVED:
        drafted = [arm.values.get(TOP_PICKS_RANKER.name, TOP_PICKS_RANKER.default) for arm in experiment.arms]
        if len(drafted) != 2 or experiment.parameters != (TOP_PICKS_RANKER.name,) or drafted[0] == drafted[1]:
            return (
                f"an INTERLEAVED experiment has two arms with different values of {TOP_PICKS_RANKER.name}, nothing else"
            )
    return None


def _check_reach(experiment: Experiment) -> str | None:
    targeting = experiment.targeting
    if not 1 <= experiment.traffic <= SLOT_COUNT:
        return f"traffic is {experiment.traffic}; send 1 to {SLOT_COUNT}, per mille of the profiles"
    if len(targeting.countries) > MAX_COUNTRIES:
        return f"countries has {len(targeting.countries)} entries; send at most {MAX_COUNTRIES}, or none for everywhere"
    bad = next((each for each in sorted(targeting.countries) if not re.fullmatch("[A-Z]{2}", each)), None)
    if bad is not None:
        return f"countries names {bad[:20]!r}; send ISO 3166 alpha-2 codes such as US"
    for what, named, known in (
        ("formFactors", targeting.form_factors, {each.value for each in FormFactor}),
        ("plans", targeting.plans, PLANS),
    ):
        unknown = next(iter(sorted(named - known)), None)
        if unknown is not None:
            return f"{what} names {unknown[:20]!r}; known are {', '.join(sorted(known))}"
    naive = next((each for each in (experiment.starts_at, experiment.ends_at) if each and each.tzinfo is None), None)
    if naive is not None:
        return f"{naive.isoformat()} names no time zone; send an instant such as {naive.isoformat()}Z"
    if experiment.starts_at and experiment.ends_at and experiment.ends_at <= experiment.starts_at:
        return f"endsAt is {experiment.ends_at.isoformat()}; send an instant after startsAt"
    return None


def _check_metrics(experiment: Experiment) -> str | None:
    for what, named in (("primaryMetric", (experiment.primary,)), ("guardrailMetrics", experiment.guardrails)):
        unknown = next((each for each in named if each not in METRICS), None)
        if unknown is not None:
            return f"{what} names {unknown[:40]!r}; known are {', '.join(METRICS)}"
    if len(set(experiment.guardrails)) != len(experiment.guardrails) or experiment.primary in experiment.guardrails:
        return "guardrailMetrics names a metric twice, or the primary one; name each once"
    if not 0.001 <= experiment.minimum_effect <= 1.0:
        return f"minimumEffect is {experiment.minimum_effect:g}; send 0.001 to 1, a part of the control's value"
    return None
