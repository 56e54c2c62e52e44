"""Which profile is in which arm: a hash and nothing else, so that it is the same in every process, day and restart.

Each layer parts all profiles into SLOT_COUNT slots by a hash with the layer's salt. A running experiment holds some of
its layer's slots; a profile is in the experiment when it holds the profile's slot, and in the arm that another hash,
with the experiment's version as its salt, finds by weight. What follows:

- experiments of one layer share no profile, those of different layers share them independently;
- starting or stopping one moves no profile of another: slots are given once, and given back;
- the profiles of an experiment that is over are spread evenly over the arms of what comes into their slots.

Two holdouts stay out of everything: a part of all profiles (by a hash of its own), and a part of each layer's slots
that no experiment is given. The first is compared with everybody else as if it were an experiment, as long as any runs:
what all changes together do is seen there.

The unit is the profile. An account would bind people of different taste into one arm; a device or a request would show
one person two variants.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from common.tokens import Viewer
from subgraphs.recommendations.experiments.definition import (
    HOLDOUT,
    SLOT_COUNT,
    Arm,
    Experiment,
    ExperimentKind,
    ExperimentState,
)
from subgraphs.recommendations.experiments.parameters import Layer

__all__ = [
    "LAYER_HOLDOUT_SLOTS",
    "NOBODY",
    "Assigned",
    "Assigner",
    "arm_of",
    "give_slots",
    "hash_to",
    "holdout_of",
    "tracking_code",
]

LAYER_HOLDOUT_SLOTS = 50
"""Of each layer's slots, the first ones: five of a hundred profiles see the defaults of that layer for good."""
HELD_OUT, NOT_HELD_OUT = "held-out", "everybody-else"


def hash_to(salt: str, profile_id: str, count: int) -> int:
    """A number below `count`, the same for the same profile and salt, as good as independent for different salts."""
    # 64 bits: with a thousand places none is more likely than another by 1e-16.
    digest = blake2b(f"{salt}\x00{profile_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % count


def slot_of(layer: Layer, profile_id: str) -> int:
    """The profile's place in the layer, for good."""
    return hash_to(f"layer:{layer.value}", profile_id, SLOT_COUNT)


def arm_of(experiment: Experiment, profile_id: str) -> Arm:
    """By weight."""
    place = hash_to(f"arm:{experiment.key}", profile_id, sum(arm.weight for arm in experiment.arms))
    for arm in experiment.arms:
        if place < arm.weight:
            return arm
        place -= arm.weight
    raise AssertionError("the place is below the sum of the weights")


def give_slots(experiment: Experiment, others: Iterable[Experiment], now: datetime) -> tuple[int, ...] | None:
    """Free slots of its layer, as many as it wants, drawn by its name and version; None when there are not enough."""
    taken = {
        slot
        for other in others
        if other.id != experiment.id and other.layer is experiment.layer and other.holds_slots(now)
        for slot in other.slots
    }
    free = [slot for slot in range(LAYER_HOLDOUT_SLOTS, SLOT_COUNT) if slot not in taken]
    if len(free) < experiment.traffic:
        return None
    return tuple(sorted(random.Random(experiment.key).sample(free, experiment.traffic)))


@dataclass(frozen=True, slots=True)
class Assigned:
    """One experiment that somebody is in. `arm` is None in an interleaved one: the profile meets both.

    `is_override`: a tester chose the arm; it counts for nothing.
    """

    experiment: Experiment
    arm: Arm | None
    is_override: bool = False

    @property
    def key(self) -> tuple[str, str, bool]:
        """Two of the same key make the same page."""
        return self.experiment.key, "" if self.arm is None else self.arm.name, self.is_override


NOBODY: Sequence[Assigned] = ()
"""For who is in no experiment."""


def holdout_of(experiments: Iterable[Experiment], holdout: int) -> Experiment | None:
    """The holdout as an experiment since the first of those that run; None where there is no holdout or none runs."""
    started = [each.started_at for each in experiments if each.slots and each.started_at is not None]
    if not holdout or not started:
        return None
    return Experiment(
        id=HOLDOUT,
        description="What all experiments together do: everybody else against those who are in none.",
        kind=ExperimentKind.AB,
        arms=(Arm(HELD_OUT, holdout, {}), Arm(NOT_HELD_OUT, SLOT_COUNT - holdout, {})),
        traffic=SLOT_COUNT,
        primary="hours",
        # Another size parts the profiles otherwise.
        version=holdout,
        state=ExperimentState.RUNNING,
        started_at=min(started),
    )


@dataclass(frozen=True)
class Assigner:
    """The definitions as tables for quick reading; `holdout` is the part of SLOT_COUNT that is held out everywhere."""

    experiments: tuple[Experiment, ...]
    holdout: int
    _by_layer: tuple[tuple[Layer, Mapping[int, Experiment]], ...] = field(init=False, repr=False)
    _holdout: Experiment | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Who holds which slot: where two do, the time of the one that was started first is over."""
        by_layer: dict[Layer, dict[int, Experiment]] = {}
        started = [(each.started_at, each) for each in self.experiments if each.started_at is not None]
        for _, each in sorted(started, key=lambda pair: pair[0]):
            for slot in each.slots:
                by_layer.setdefault(each.layer, {})[slot] = each
        object.__setattr__(self, "_by_layer", tuple(sorted(by_layer.items())))
        object.__setattr__(self, "_holdout", holdout_of(self.experiments, self.holdout))

    @property
    def counted(self) -> Sequence[Experiment]:
        """All whose profiles are counted: the definitions, and the holdout."""
        return self.experiments if self._holdout is None else (*self.experiments, self._holdout)

    def assign(self, viewer: Viewer, form_factor: str, now: datetime) -> Sequence[Assigned]:
        """The experiments that the viewer's profile is in, by layer; whether it may be is for the caller to know."""
        profile_id = viewer.profile_id
        if profile_id is None or not self._by_layer:
            return NOBODY
        found: list[Assigned] = []
        is_held_out = self.is_held_out(profile_id)
        if self._holdout is not None and self._holdout.has_run_at(now):
            found.append(Assigned(self._holdout, self._holdout.arms[0 if is_held_out else 1]))
        if is_held_out:
            return found
        for layer, by_slot in self._by_layer:
            experiment = by_slot.get(slot_of(layer, profile_id))
            if (
                experiment is not None
                and experiment.has_run_at(now)
                and experiment.targeting.includes(viewer.country, form_factor, viewer.plan)
            ):
                found.append(Assigned(experiment, _arm_for(experiment, profile_id)))
        return found

    def is_held_out(self, profile_id: str) -> bool:
        """Whether the profile is in no experiment, ever."""
        return hash_to(HOLDOUT, profile_id, SLOT_COUNT) < self.holdout

    def override(self, assigned: Sequence[Assigned], chosen: Mapping[str, str], now: datetime) -> Sequence[Assigned]:
        """With the arms that a tester chose by experiment, each in place of what its layer would give."""
        forced = []
        for experiment in self.experiments:
            arm = next((arm for arm in experiment.arms if arm.name == chosen.get(experiment.id)), None)
            if arm is not None and experiment.has_run_at(now):
                forced.append(Assigned(experiment, arm, is_override=True))
        # Who sees an arm by choice is no example of anything.
        assigned = [each for each in assigned if not forced or each.experiment.id != HOLDOUT]
        layers = {each.experiment.layer for each in forced}
        # Two choices in one layer would set one parameter twice: the first by name holds.
        first = {each.experiment.layer: each for each in reversed(forced)}
        return [*(each for each in assigned if each.experiment.layer not in layers), *first.values()]


def tracking_code(experiment: Experiment, arm_name: str) -> str:
    """What stands for an arm where clients see it: 32 bits that say nothing to them."""
    return blake2b(f"{experiment.key}\x00{arm_name}".encode(), digest_size=4).hexdigest()


def _arm_for(experiment: Experiment, profile_id: str) -> Arm | None:
    return None if experiment.is_interleaved else arm_of(experiment, profile_id)
