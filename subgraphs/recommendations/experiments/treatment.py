"""What one page reads from experiments: values of parameters, and which experiments have had a say in the page.

A profile counts as exposed to an experiment only when the code read one of the experiment's parameters, in whichever
arm: also the control's. Who never came to where the arms differ would only make the difference smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from subgraphs.recommendations.domain.page import Exposure
from subgraphs.recommendations.experiments.assign import Assigned, hash_to, tracking_code
from subgraphs.recommendations.experiments.parameters import Parameter, ParameterValue, ValueT

__all__ = ["Drafting", "Treatment"]

SEED_RANGE = 2**62


@dataclass(frozen=True, slots=True)
class Drafting:
    """Two values of one parameter, each with what stands for it in tracking, to make one row of.

    `seed` decides who begins each round: another one every day, the same all day.
    """

    values: tuple[ParameterValue, ParameterValue]
    codes: tuple[str, str]
    seed: int


class Treatment:
    """For one page of one profile. Reading marks the experiment as used."""

    def __init__(self, assigned: Sequence[Assigned] = (), profile_id: str = "", now: datetime | None = None) -> None:
        self._by_parameter = {name: each for each in assigned for name in each.experiment.parameters}
        self._profile_id = profile_id
        self._day = "" if now is None else now.date().isoformat()
        # What sets nothing has its say in every page.
        self._used = {each.experiment.id: each for each in assigned if not each.experiment.parameters}

    def value(self, parameter: Parameter[ValueT]) -> ValueT:
        """The arm's, else the default."""
        assigned = self._by_parameter.get(parameter.name)
        if assigned is None or assigned.arm is None:
            return parameter.default
        self._used[assigned.experiment.id] = assigned
        return type(parameter.default)(assigned.arm.values.get(parameter.name, parameter.default))

    def alternatives(self, parameter: Parameter[ValueT]) -> frozenset[ValueT]:
        """All values that profiles of the same experiment read, whatever their arm; no reading."""
        assigned = self._by_parameter.get(parameter.name)
        if assigned is None:
            return frozenset((parameter.default,))
        arms = assigned.experiment.arms
        return frozenset(type(parameter.default)(arm.values.get(parameter.name, parameter.default)) for arm in arms)

    def drafting(self, parameter: Parameter[ValueT]) -> Drafting | None:
        """The two values of an interleaved experiment; None where there is none on this parameter."""
        assigned = self._by_parameter.get(parameter.name)
        if assigned is None or assigned.arm is not None:
            return None
        experiment = assigned.experiment
        self._used[experiment.id] = assigned
        first, second = experiment.arms
        return Drafting(
            values=(
                first.values.get(parameter.name, parameter.default),
                second.values.get(parameter.name, parameter.default),
            ),
            codes=(tracking_code(experiment, first.name), tracking_code(experiment, second.name)),
            seed=hash_to(f"draft:{experiment.key}:{self._day}", self._profile_id, SEED_RANGE),
        )

    @property
    def used(self) -> tuple[Exposure, ...]:
        """What has been read until now, by experiment."""
        return tuple(
            Exposure(
                experiment_id=each.experiment.id,
                version=each.experiment.version,
                arm="" if each.arm is None else each.arm.name,
                code=tracking_code(each.experiment, "" if each.arm is None else each.arm.name),
                is_counted=not each.is_override,
            )
            for _, each in sorted(self._used.items())
        )
