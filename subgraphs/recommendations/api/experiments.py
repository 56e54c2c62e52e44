# strawberry.field with arguments is typed as Any; the resolvers below it are typed in full.
# mypy: disable-error-code="untyped-decorator"
"""Experiments, for those who run them and those who test them."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

import strawberry

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.results import InvalidInput, NotPermitted, invalid_input
from subgraphs.recommendations.api.context import RecommendationsInfo
from subgraphs.recommendations.api.inputs import FormFactor
from subgraphs.recommendations.experiments import definition as domain
from subgraphs.recommendations.experiments.definition import ExperimentKind, ExperimentState
from subgraphs.recommendations.services.edit_experiments import (
    EXPERIMENTER_SCOPES,
    NotAnExperimenter,
    UnusableExperiment,
    experimenter,
    read_arm,
)
from subgraphs.recommendations.services.run_experiments import TESTER_SCOPES, NotATester

__all__ = ["ExperimentMutation", "ExperimentQuery"]

strawberry.enum(ExperimentKind, description="How arms are compared: each profile sees one, or one row of two.")
strawberry.enum(ExperimentState, description="What was done with it last.")


@strawberry.type(description="A parameter and its value as text; `marquee experiments parameters` lists all.")
class ExperimentValue:
    """Of an arm."""

    parameter: str
    value: str


@strawberry.type
class ExperimentArm:
    """What some of the profiles see; parameters that it does not name keep their defaults."""

    name: str
    weight: int
    values: list[ExperimentValue]


@strawberry.type(description="As experimenters see it; viewers see pages, and codes that say nothing to them.")
class Experiment:
    """The first arm is the control."""

    id: strawberry.ID
    description: str
    kind: ExperimentKind
    state: ExperimentState
    version: int
    layer: str
    arms: list[ExperimentArm]
    traffic: int = strawberry.field(description="Per mille of the profiles.")
    countries: list[str] = strawberry.field(description="ISO 3166 alpha-2; none: everywhere.")
    form_factors: list[FormFactor] = strawberry.field(description="None: all.")
    plans: list[str] = strawberry.field(description="None: all.")
    primary_metric: str
    guardrail_metrics: list[str]
    minimum_effect: float
    starts_at: datetime | None
    ends_at: datetime | None
    started_at: datetime | None
    stopped_at: datetime | None


@strawberry.input
class ExperimentValueInput:
    """As ExperimentValue."""

    parameter: str
    value: str


@strawberry.input
class ExperimentArmInput:
    """As ExperimentArm."""

    name: str
    weight: int = 1
    values: list[ExperimentValueInput] = strawberry.field(default_factory=list)


@strawberry.input
class ExperimentInput:
    """Replaces the experiment of its id unless it is running; a changed definition is another version."""

    id: strawberry.ID
    description: str
    kind: ExperimentKind = ExperimentKind.AB
    arms: list[ExperimentArmInput]
    traffic: int = strawberry.field(description="Per mille of the profiles, 1 to 1000.")
    primary_metric: str
    guardrail_metrics: list[str] = strawberry.field(default_factory=list)
    minimum_effect: float = strawberry.field(
        default=0.05, description="The smallest relative difference that would matter."
    )
    countries: list[str] = strawberry.field(default_factory=list)
    form_factors: list[FormFactor] = strawberry.field(default_factory=list)
    plans: list[str] = strawberry.field(default_factory=list)
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@strawberry.type(description="On pages within seconds.")
class ExperimentSuccess:
    """As it is kept."""

    experiment: Experiment


@strawberry.type(description="Its results can't be read any more.")
class RemoveExperimentSuccess:
    """wasThere: false when there was none of this id."""

    was_there: bool


@strawberry.type(description="For this profile alone, on its next page, for a week; such a profile counts nowhere.")
class ChooseExperimentArmSuccess:
    """arm: as chosen; null: as it would be without."""

    arm: str | None


ExperimentResult = Annotated[ExperimentSuccess | NotPermitted | InvalidInput, strawberry.union("ExperimentResult")]
RemoveExperimentResult = Annotated[
    RemoveExperimentSuccess | NotPermitted | InvalidInput, strawberry.union("RemoveExperimentResult")
]
ChooseExperimentArmResult = Annotated[
    ChooseExperimentArmSuccess | NotPermitted | InvalidInput, strawberry.union("ChooseExperimentArmResult")
]


@strawberry.type
class ExperimentQuery:
    """Reads of experimenters."""

    @strawberry.field(description="All experiments, at most 200. Needs scope experimenter or studio.")
    async def experiments(self, info: RecommendationsInfo) -> list[Experiment]:
        """In the order of their ids."""
        try:
            found = await info.context.services.definitions.all(info.context.viewer)
        except NotAnExperimenter as error:
            raise ServiceError(ErrorKind.PERMISSION_DENIED, _not_permitted().message) from error
        return [_experiment_of(each) for each in found]


@strawberry.type
class ExperimentMutation:
    """Writes of experimenters and testers."""

    @strawberry.mutation(description="Needs scope experimenter or studio; each edit is kept with who made it.")
    async def save_experiment(
        self,
        info: RecommendationsInfo,
        input: ExperimentInput,  # noqa: A002
    ) -> ExperimentResult:
        """Insert, or replace what does not run."""
        definitions, given = info.context.services.definitions, _definition_of(input)
        return await _change(info, "input", lambda account_id, now: definitions.save(account_id, given, now))

    @strawberry.mutation(description="Needs scope experimenter or studio. One that has run begins anew.")
    async def start_experiment(self, info: RecommendationsInfo, id: strawberry.ID) -> ExperimentResult:  # noqa: A002
        """Puts profiles into its arms."""
        definitions = info.context.services.definitions
        return await _change(info, "id", lambda account_id, now: definitions.start(account_id, id, now))

    @strawberry.mutation(description="Needs scope experimenter or studio. Everybody sees the defaults again.")
    async def stop_experiment(self, info: RecommendationsInfo, id: strawberry.ID) -> ExperimentResult:  # noqa: A002
        """Its results stay."""
        definitions = info.context.services.definitions
        return await _change(info, "id", lambda account_id, now: definitions.stop(account_id, id, now))

    @strawberry.mutation(description="Needs scope experimenter or studio; not while it runs.")
    async def remove_experiment(
        self,
        info: RecommendationsInfo,
        id: strawberry.ID,  # noqa: A002
    ) -> RemoveExperimentResult:
        """With its definition."""
        context = info.context
        try:
            was_there = await context.services.definitions.remove(experimenter(context.viewer), id, context.now)
        except NotAnExperimenter:
            return _not_permitted()
        except UnusableExperiment as error:
            return invalid_input({"id": str(error)})
        return RemoveExperimentSuccess(was_there=was_there)

    @strawberry.mutation(
        description="See an arm of a running experiment with the own profile. Needs scope tester, experimenter or "
        "studio. Without arm: as it would be without."
    )
    async def choose_experiment_arm(
        self,
        info: RecommendationsInfo,
        id: strawberry.ID,  # noqa: A002
        arm: str | None = None,
    ) -> ChooseExperimentArmResult:
        """For testers."""
        context = info.context
        try:
            await context.services.experiments.override(context.viewer, id, arm, context.now)
        except NotATester:
            scopes = " or ".join(sorted(TESTER_SCOPES))
            return NotPermitted(message=f"Only a profile of an account with scope {scopes} may choose an arm.")
        except UnusableExperiment as error:
            return invalid_input({"id" if arm is None else "arm": str(error)})
        return ChooseExperimentArmSuccess(arm=arm)


async def _change(
    info: RecommendationsInfo, path: str, change: Callable[[str, datetime], Awaitable[domain.Experiment]]
) -> ExperimentResult:
    """By the viewer's account and the request's instant; `path` is the argument that a refusal speaks of."""
    try:
        changed = await change(experimenter(info.context.viewer), info.context.now)
    except NotAnExperimenter:
        return _not_permitted()
    except UnusableExperiment as error:
        return invalid_input({path: str(error)})
    return ExperimentSuccess(experiment=_experiment_of(changed))


def _not_permitted() -> NotPermitted:
    scopes = " or ".join(sorted(EXPERIMENTER_SCOPES))
    return NotPermitted(message=f"Only an account with scope {scopes} may run experiments.")


def _definition_of(given: ExperimentInput) -> domain.Experiment:
    return domain.Experiment(
        id=given.id,
        description=given.description,
        kind=given.kind,
        arms=tuple(
            read_arm(arm.name, arm.weight, [(each.parameter, each.value) for each in arm.values]) for arm in given.arms
        ),
        traffic=given.traffic,
        primary=given.primary_metric,
        guardrails=tuple(given.guardrail_metrics),
        minimum_effect=given.minimum_effect,
        targeting=domain.Targeting(
            countries=frozenset(given.countries),
            form_factors=frozenset(each.value for each in given.form_factors),
            plans=frozenset(given.plans),
        ),
        starts_at=given.starts_at,
        ends_at=given.ends_at,
    )


def _experiment_of(experiment: domain.Experiment) -> Experiment:
    return Experiment(
        id=strawberry.ID(experiment.id),
        description=experiment.description,
        kind=experiment.kind,
        state=experiment.state,
        version=experiment.version,
        layer=experiment.layer.value,
        arms=[
            ExperimentArm(
                name=arm.name,
                weight=arm.weight,
                values=[
                    ExperimentValue(parameter=name, value=str(value)) for name, value in sorted(arm.values.items())
                ],
            )
            for arm in experiment.arms
        ],
        traffic=experiment.traffic,
        countries=sorted(experiment.targeting.countries),
        form_factors=[FormFactor(each) for each in sorted(experiment.targeting.form_factors)],
        plans=sorted(experiment.targeting.plans),
        primary_metric=experiment.primary,
        guardrail_metrics=list(experiment.guardrails),
        minimum_effect=experiment.minimum_effect,
        starts_at=experiment.starts_at,
        ends_at=experiment.ends_at,
        started_at=experiment.started_at,
        stopped_at=experiment.stopped_at,
    )
