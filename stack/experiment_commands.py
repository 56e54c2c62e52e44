"""`marquee experiments`: which there are, start and stop them, and what they show."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from common.errors import ServiceError
from common.settings import SettingsInvalid, SharedSettings
from stack.failing import fail
from stack.valkey import running_valkey_url

if TYPE_CHECKING:
    from subgraphs.recommendations.experiments.definition import Experiment
    from subgraphs.recommendations.experiments.results import ExperimentResults, InterleavedResult, MetricResult
    from subgraphs.recommendations.experiments.statistics import Comparison
    from subgraphs.recommendations.ports import ExperimentMeasures
    from subgraphs.recommendations.services.edit_experiments import EditExperiments

__all__ = ["app"]

ResultT = TypeVar("ResultT")
Name = Annotated[str, typer.Argument(help="As `experiments list` shows it.")]

app = typer.Typer(
    help="Experiments with pages: definitions are saved by the mutation saveExperiment.", no_args_is_help=True
)
console = Console(highlight=False, soft_wrap=True)

SIMULATED_PROFILES = 40_000
"""Enough to tell the numbers needed to within a tenth."""


@app.command("list")
def list_experiments() -> None:
    """Print every experiment with its state."""

    async def read(definitions: EditExperiments, _measures: ExperimentMeasures) -> list[Experiment]:
        return list(await definitions.all_known())

    found = _with_experiments(read)
    if not found:
        console.print("There is no experiment yet; the mutation saveExperiment makes one.")
        return
    table = Table(
        Column("experiment", no_wrap=True),
        "version",
        "kind",
        "layer",
        "state",
        "traffic",
        "arms",
        "judged by",
        "started",
    )
    for each in found:
        table.add_row(
            each.id,
            str(each.version),
            each.kind.value,
            each.layer.value,
            _state(each),
            f"{each.traffic / 10:g} %",
            ", ".join(arm.name for arm in each.arms),
            each.primary,
            "" if each.started_at is None else f"{each.started_at:%Y-%m-%d %H:%M}",
        )
    console.print(table)


@app.command()
def show(name: Name) -> None:
    """Print one definition whole."""

    async def read(definitions: EditExperiments, _measures: ExperimentMeasures) -> Experiment:
        return await definitions.find(name)

    found = _with_experiments(read)
    console.print(f"{found.id}, version {found.version}, {_state(found)}: {escape(found.description)}")
    console.print(f"{found.kind}, layer {found.layer}, {found.traffic / 10:g} % of the layer's profiles")
    for what, named in (
        ("countries", found.targeting.countries),
        ("devices", found.targeting.form_factors),
        ("plans", found.targeting.plans),
    ):
        if named:
            console.print(f"only {what} {', '.join(sorted(named))}")
    for what, at in (("from", found.starts_at), ("until", found.ends_at)):
        if at is not None:
            console.print(f"{what} {at:%Y-%m-%d %H:%M} UTC")
    guards = f", guarded by {', '.join(found.guardrails)}" if found.guardrails else ""
    console.print(f"judged by {found.primary}{guards}; {found.minimum_effect:.1%} would matter")
    table = Table("arm", "weight", *found.parameters)
    for arm in found.arms:
        table.add_row(arm.name, str(arm.weight), *(str(arm.values.get(each, "default")) for each in found.parameters))
    console.print(table)


@app.command()
def parameters() -> None:
    """Print what an experiment can change."""
    from subgraphs.recommendations.experiments.parameters import PARAMETERS

    table = Table(Column("parameter", no_wrap=True), "layer", "default", "values", "meaning")
    for each in PARAMETERS.values():
        table.add_row(each.name, each.layer.value, str(each.default), each.values_in_words, each.meaning)
    console.print(table)


@app.command()
def start(name: Name) -> None:
    """Put profiles into its arms from now on; one that has run begins anew, as another version."""
    from subgraphs.recommendations.services.edit_experiments import OPERATOR

    async def begin(definitions: EditExperiments, _measures: ExperimentMeasures) -> Experiment:
        return await definitions.start(OPERATOR, name, datetime.now(UTC))

    started = _with_experiments(begin)
    console.print(f"{started.id}, version {started.version}, is {_state(started)}: on pages within seconds.")


@app.command()
def stop(name: Name) -> None:
    """Give everybody the defaults again; results stay."""
    from subgraphs.recommendations.services.edit_experiments import OPERATOR

    async def end(definitions: EditExperiments, _measures: ExperimentMeasures) -> Experiment:
        return await definitions.stop(OPERATOR, name, datetime.now(UTC))

    stopped = _with_experiments(end)
    console.print(
        f"{stopped.id}, version {stopped.version}, is {_state(stopped)}: pages have the defaults within seconds."
    )


@app.command()
def results(
    name: Name, *, as_json: Annotated[bool, typer.Option("--json", help="All figures, for programs.")] = False
) -> None:
    """Print what each arm's profiles did, and how sure the differences are."""
    from subgraphs.recommendations.experiments.results import read_results

    async def read(definitions: EditExperiments, measures: ExperimentMeasures) -> ExperimentResults:
        experiment = await definitions.find(name)
        profiles = [each async for each in measures.figures(experiment)]
        return read_results(experiment, profiles, datetime.now(UTC))

    found = _with_experiments(read)
    if as_json:
        typer.echo(_json(found))
        return
    experiment = found.experiment
    console.print(f"{experiment.id}, version {experiment.version}, {_state(experiment)}, {found.days:.1f} days")
    for note in found.notes:
        console.print(note)
    if not sum(found.profile_counts.values()):
        return
    if found.interleaved is not None:
        _print_interleaved(found, found.interleaved)
        return
    counts = ", ".join(f"{arm} {count}" for arm, count in found.profile_counts.items())
    console.print(f"profiles: {counts}; fit their weights with p = {found.sample_ratio_p:.3g}")
    console.print(_table(found))
    for metric in found.metrics:
        _print_verdict(experiment, metric)


@app.command()
def simulate(
    sizes: Annotated[list[int] | None, typer.Argument(help="Numbers of profiles.", min=10)] = None,
    repetitions: Annotated[int, typer.Option(min=1, max=10_000, help="For each number.")] = 100,
    better: Annotated[
        float, typer.Option(min=0.01, max=1, help="Noise in the better ranker's scores; the other's is 1.")
    ] = 0.9,
) -> None:
    """Print how often an A/B test and interleaving find the better of two rankers, on made-up profiles."""
    from subgraphs.recommendations.experiments.simulate import World, find_needed, simulate_power

    world = World(noise=(1.0, better))
    table = Table("profiles", "A/B test finds it", "interleaving finds it")
    for power in simulate_power(world, sizes or [250, 1_000, 4_000], repetitions):
        table.add_row(str(power.profile_count), f"{power.ab:.0%}", f"{power.interleaved:.0%}")
    console.print(table)
    needed = find_needed(world, SIMULATED_PROFILES)
    if needed is not None:
        console.print(
            f"The better one's cards are opened {needed.gain:.1%} more often. To find it four times of five takes "
            f"{needed.ab} profiles by A/B test and {needed.interleaved} by interleaving: "
            f"{needed.ab / needed.interleaved:.0f} times fewer."
        )


def _state(experiment: Experiment) -> str:
    now = datetime.now(UTC)
    if experiment.state.value != "RUNNING":
        return experiment.state.value.lower()
    if not experiment.holds_slots(now):
        return "over"
    return "running" if experiment.has_run_at(now) else "scheduled"


def _table(found: ExperimentResults) -> Table:
    table = Table("metric", "arm", "value", "difference [95 %]", "relative [95 %]", "p")
    for result in found.metrics:
        name = f"{result.metric.name} ({result.role})" if result.role else result.metric.name
        for arm in result.arms:
            told = ("", "", "") if arm.comparison is None else _compared(arm.comparison)
            table.add_row(name, arm.arm, _number(arm.estimate.value), *told)
            name = ""
    return table


def _compared(comparison: Comparison) -> tuple[str, str, str]:
    difference = f"{comparison.difference:+.4g} [{_number(comparison.low)}, {_number(comparison.high)}]"
    relative = (
        f"{_percent(comparison.relative)} [{_percent(comparison.relative_low)}, {_percent(comparison.relative_high)}]"
    )
    return difference, relative, _number(comparison.p)


def _print_verdict(experiment: Experiment, result: MetricResult) -> None:
    for arm in result.harmed:
        console.print(f"[red]{arm} does harm[/]: {result.metric.name} is worse beyond chance.")
    if result.role != "primary" or result.outlook is None:
        return
    outlook = result.outlook
    needed = "cannot be foreseen" if outlook.days_needed is None else f"takes {outlook.days_needed} days in all"
    console.print(
        f"Of {result.metric.name}, {outlook.detectable:.1%} would be found four times of five now; "
        f"to find {experiment.minimum_effect:.1%} {needed}."
    )


def _print_interleaved(found: ExperimentResults, result: InterleavedResult) -> None:
    first, second = (arm.name for arm in found.experiment.arms)
    test = result.test
    console.print(f"profiles: {sum(found.profile_counts.values())}")
    table = Table("arm", "cards opened", "profiles that preferred it")
    table.add_row(first, f"{result.points[first]:g}", str(test.first))
    table.add_row(second, f"{result.points[second]:g}", str(test.second))
    console.print(table)
    if math.isnan(test.p):
        console.print("No profile preferred either yet.")
        return
    console.print(
        f"{second} was preferred by {test.share:.1%} [{test.low:.1%}, {test.high:.1%}] of those that preferred one "
        f"({test.ties} did not), sign test p = {test.p:.3g}; mean preference "
        f"{result.mean_preference.value:+.3f} of -1 to 1."
    )


def _json(found: ExperimentResults) -> str:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(found)
    # Which slots it holds says nothing to anybody who reads results.
    del plain["experiment"]["slots"]
    plain["is_withheld"] = found.is_withheld
    return msgspec.json.encode(plain).decode()


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:+.1%}"


def _with_experiments(work: Callable[[EditExperiments, ExperimentMeasures], Awaitable[ResultT]]) -> ResultT:
    from subgraphs.recommendations.open_experiments import open_experiments
    from subgraphs.recommendations.services.edit_experiments import UnusableExperiment
    from subgraphs.recommendations.settings import RecommendationsSettings

    async def run() -> ResultT:
        shared = SharedSettings.load()
        settings = RecommendationsSettings.load(
            shared=shared.model_copy(update={"valkey_url": running_valkey_url(shared)})
        )
        async with open_experiments(settings) as (definitions, measures):
            return await work(definitions, measures)

    try:
        return asyncio.run(run())
    except (SettingsInvalid, UnusableExperiment, ValueError) as error:
        fail(str(error))
    except ServiceError as error:
        fail(f"{error.message}; is Marquee running (make up), or is MARQUEE_VALKEY_URL right?")
