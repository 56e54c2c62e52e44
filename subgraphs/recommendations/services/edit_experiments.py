"""Experiments: saved, started, stopped and read by those who may; on pages of all processes within seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from common.errors import ServiceError
from common.tokens import Viewer
from subgraphs.recommendations.experiments.assign import Assigner, give_slots, holdout_of
from subgraphs.recommendations.experiments.definition import (
    HOLDOUT,
    MAX_EXPERIMENTS,
    Arm,
    Experiment,
    ExperimentState,
    check_experiment,
)
from subgraphs.recommendations.experiments.parameters import PARAMETERS
from subgraphs.recommendations.ports import ExperimentStore

__all__ = [
    "EXPERIMENTER_SCOPES",
    "OPERATOR",
    "EditExperiments",
    "NotAnExperimenter",
    "UnusableExperiment",
    "experimenter",
    "read_arm",
]

log = structlog.get_logger(__name__)

EXPERIMENTER_SCOPES = frozenset({"experimenter", "studio"})
OPERATOR = "operator"
"""Who edits from a command line of the machine."""
GOOD_FOR = timedelta(seconds=5)

_Decision = Callable[[Sequence[Experiment]], Experiment]


class NotAnExperimenter(Exception):
    """The viewer has none of the scopes."""


class UnusableExperiment(Exception):
    """The message names the thing, the value and what is wanted."""


@dataclass(frozen=True, slots=True)
class _Known:
    found: Sequence[Experiment]
    assigner: Assigner
    good_until: datetime


class EditExperiments:
    """`holdout`: per mille of all profiles that are in no experiment."""

    def __init__(self, store: ExperimentStore, holdout: int) -> None:
        self._store = store
        self._holdout = holdout
        self._known = _Known((), Assigner((), holdout), datetime.min.replace(tzinfo=UTC))

    async def assigner(self, now: datetime) -> Assigner:
        """By the definitions of a few seconds ago at most; by the last known ones while the store is away."""
        known = self._known
        if now < known.good_until:
            return known.assigner
        try:
            found = tuple(await self._store.all_experiments())
        except ServiceError as error:
            log.warning("experiments.unread", error=error.message)
            return known.assigner
        assigner = known.assigner
        if found != known.found:
            assigner = Assigner(tuple(each for each in found if _is_usable(each)), self._holdout)
        self._known = _Known(found, assigner, now + GOOD_FOR)
        return assigner

    async def all(self, viewer: Viewer) -> Sequence[Experiment]:
        """In the order of their ids; raises NotAnExperimenter."""
        experimenter(viewer)
        return await self.all_known()

    async def all_known(self) -> Sequence[Experiment]:
        """For who has the machine's command line."""
        return await self._store.all_experiments()

    async def save(self, account_id: str, experiment: Experiment, now: datetime) -> Experiment:
        """Insert, or replace what does not run. Raises UnusableExperiment."""
        named = replace(experiment, description=experiment.description.strip())
        problem = check_experiment(named)
        if problem is not None:
            raise UnusableExperiment(problem)
        # What profiles did in one that was removed is kept by its version: another of its name must not go on with it.
        fresh = replace(named, version=await self._store.removed_version(named.id) + 1)

        def decide(known: Sequence[Experiment]) -> Experiment:
            before = _find(known, named.id)
            if before is None:
                if len(known) >= MAX_EXPERIMENTS:
                    raise UnusableExperiment(f"there are {MAX_EXPERIMENTS} experiments, which is the most; remove one")
                return fresh
            if before.holds_slots(now):
                raise UnusableExperiment(f"{named.id} is running; stop it first, as a changed definition begins anew")
            same = replace(
                named,
                version=before.version,
                state=before.state,
                slots=before.slots,
                started_at=before.started_at,
                stopped_at=before.stopped_at,
            )
            return before if same == before else replace(named, version=before.version + 1)

        return await self._change(named.id, account_id, now, decide)

    async def start(self, account_id: str, experiment_id: str, now: datetime) -> Experiment:
        """Give it free slots of its layer; one that has run begins anew, as another version.

        Raises UnusableExperiment.
        """

        def decide(known: Sequence[Experiment]) -> Experiment:
            experiment = _require(known, experiment_id)
            if experiment.holds_slots(now):
                return experiment
            problem = check_experiment(experiment)
            if problem is None and experiment.ends_at is not None and experiment.ends_at <= now:
                problem = f"endsAt is {experiment.ends_at.isoformat()}, which is over; save it with a later one"
            if problem is not None:
                raise UnusableExperiment(problem)
            has_run = experiment.started_at is not None
            fresh = replace(experiment, version=experiment.version + has_run, stopped_at=None, slots=())
            slots = give_slots(fresh, known, now)
            if slots is None:
                raise UnusableExperiment(_no_room(fresh, known, now))
            return replace(fresh, state=ExperimentState.RUNNING, slots=slots, started_at=now)

        return await self._change(experiment_id, account_id, now, decide)

    async def stop(self, account_id: str, experiment_id: str, now: datetime) -> Experiment:
        """Everybody sees the defaults again, and its slots are free. Raises UnusableExperiment."""

        def decide(known: Sequence[Experiment]) -> Experiment:
            experiment = _require(known, experiment_id)
            if experiment.state is not ExperimentState.RUNNING:
                return experiment
            return replace(experiment, state=ExperimentState.STOPPED, slots=(), stopped_at=now)

        return await self._change(experiment_id, account_id, now, decide)

    async def remove(self, account_id: str, experiment_id: str, now: datetime) -> bool:
        """Whether it was there. Raises UnusableExperiment for one that runs."""
        was_there = False

        def decide(known: Sequence[Experiment]) -> None:
            nonlocal was_there
            found = _find(known, experiment_id)
            was_there = found is not None
            if found is not None and found.holds_slots(now):
                raise UnusableExperiment(f"{experiment_id} is running; stop it first")

        await self._store.change(experiment_id, account_id, now, decide)
        return was_there

    async def find(self, experiment_id: str) -> Experiment:
        """Also the holdout while experiments run. Raises UnusableExperiment naming what there is."""
        known = await self._store.all_experiments()
        holdout = holdout_of(known, self._holdout) if experiment_id == HOLDOUT else None
        return holdout or _require(known, experiment_id)

    async def _change(self, experiment_id: str, account_id: str, now: datetime, decide: _Decision) -> Experiment:
        changed = await self._store.change(experiment_id, account_id, now, decide)
        self._known = replace(self._known, good_until=datetime.min.replace(tzinfo=UTC))
        assert changed is not None  # no decision above takes one away
        return changed


def experimenter(viewer: Viewer) -> str:
    """The account; raises NotAnExperimenter."""
    if viewer.account_id is None or not EXPERIMENTER_SCOPES & viewer.scopes:
        raise NotAnExperimenter
    return viewer.account_id


def read_arm(name: str, weight: int, values: Sequence[tuple[str, str]]) -> Arm:
    """An arm of values as texts; those that can't be read stay texts, and the check of the whole names them."""
    read: dict[str, int | float | str] = {}
    for parameter, text in values:
        try:
            read[parameter] = PARAMETERS[parameter].read(text)
        except (KeyError, ValueError):
            read[parameter] = text
    return Arm(name, weight, read)


def _is_usable(experiment: Experiment) -> bool:
    """Another version of this program may know parameters that this one does not: nobody is in such an experiment."""
    problem = check_experiment(experiment)
    if problem is not None:
        log.warning("experiment.unusable", experiment=experiment.id, problem=problem)
    return problem is None


def _find(known: Sequence[Experiment], experiment_id: str) -> Experiment | None:
    return next((each for each in known if each.id == experiment_id), None)


def _require(known: Sequence[Experiment], experiment_id: str) -> Experiment:
    found = _find(known, experiment_id)
    if found is None:
        names = ", ".join(each.id for each in known) or "none; save one first"
        raise UnusableExperiment(f"there is no experiment {experiment_id[:60]!r}; known are {names}")
    return found


def _no_room(experiment: Experiment, known: Sequence[Experiment], now: datetime) -> str:
    holders = [each for each in known if each.holds_slots(now) and each.layer is experiment.layer]
    held = ", ".join(f"{each.id} ({len(each.slots)})" for each in holders) or "none"
    return (
        f"traffic is {experiment.traffic}, more than layer {experiment.layer} has left; "
        f"running there: {held}; stop one or take less"
    )
