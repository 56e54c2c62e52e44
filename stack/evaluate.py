"""`marquee evaluate`: the recommenders measured offline on data sets that a person has, with tables, JSON and plots."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown

from stack.failing import fail
from stack.version_commands import recommendations_settings, run_or_fail

if TYPE_CHECKING:
    from subgraphs.recommendations.artwork.value import Comparison
    from subgraphs.recommendations.evaluation.movielens import DataSet
    from subgraphs.recommendations.evaluation.report import Summary
    from subgraphs.recommendations.evaluation.splits import Trial

__all__ = ["app"]

app = typer.Typer(help="Measure the recommenders offline.", no_args_is_help=True)
FOLDS = 5


class Split(StrEnum):
    """How the data are parted."""

    STRONG = "strong-generalisation"
    LAST = "leave-last-out"
    TEMPORAL = "temporal"


@app.command()
def models(
    data: Annotated[Path, typer.Argument(help="Folder with MovieLens' ratings, movies and tags (.csv.gz).")],
    split: Annotated[Split, typer.Option(help="How to part the data.")] = Split.STRONG,
    seeds: Annotated[int, typer.Option(min=1, max=20, help="Repetitions of strong generalisation.")] = 1,
    output: Annotated[Path | None, typer.Option(help="Folder for table, JSON and plots.")] = None,
) -> None:
    """Tune, train and compare popularity, content, item neighbours, ALS, EASE and their blend.

    Every model ranks all titles that a profile does not know. Some minutes for 600 profiles.
    """
    # Inside: numbers and matrices take half a second to load, which no other command should wait for.
    from subgraphs.recommendations.evaluation import report
    from subgraphs.recommendations.evaluation.compare import TrialResult, prepare, run_trial
    from subgraphs.recommendations.evaluation.movielens import DataSetMissing, read_movielens

    console = Console(highlight=False)
    try:
        data_set = read_movielens(data)
    except DataSetMissing as error:
        typer.echo(f"{error}; give the folder of a MovieLens data set", err=True)
        raise typer.Exit(1) from error
    comparison = prepare(data_set)
    results: list[TrialResult] = []
    with console.status("") as status:
        for trial, seed in _trials(data_set, split, seeds):
            results.append(run_trial(comparison, trial, seed=seed, progress=status.update))
            console.print(f"done: {trial.name}")
    summary = report.summarise(data_set.name, str(split), results)
    table = report.markdown(summary)
    console.print(Markdown(table))
    if output is not None:
        _write(summary, table, output)
        console.print(f"written to {output}")


@app.command()
def pages(
    data: Annotated[Path, typer.Argument(help="Folder with MovieLens' ratings, movies and tags (.csv.gz).")],
    seed: Annotated[int, typer.Option(help="Parts profiles and likes.")] = 0,
    output: Annotated[Path | None, typer.Option(help="Folder for the table.")] = None,
) -> None:
    """Compare whole pages: rows chosen together, and the best page of rows that know nothing of each other.

    Two-dimensional NDCG by strong generalisation. Some minutes for 600 profiles.
    """
    from subgraphs.recommendations.evaluation.movielens import DataSetMissing, read_movielens
    from subgraphs.recommendations.evaluation.page_report import page_table
    from subgraphs.recommendations.evaluation.pages import run_page_trial
    from subgraphs.recommendations.evaluation.splits import strong_generalisation

    console = Console(highlight=False)
    try:
        data_set = read_movielens(data)
    except DataSetMissing as error:
        typer.echo(f"{error}; give the folder of a MovieLens data set", err=True)
        raise typer.Exit(1) from error
    results = []
    with console.status("") as status:
        for trial in strong_generalisation(data_set.likes, folds=FOLDS, seed=seed):
            results.append(run_page_trial(data_set, trial, seed=seed, progress=status.update))
            console.print(f"done: {trial.name}")
    table = page_table(data_set.name, results)
    console.print(Markdown(table))
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / "pages.md").write_text(table, encoding="utf-8")
        console.print(f"written to {output}")


@app.command()
def training(
    titles: Annotated[int, typer.Option(min=50, max=100_000, help="Titles of the made-up catalogue.")] = 15_000,
    likes: Annotated[int, typer.Option(min=1_000, max=50_000_000, help="Likes of the made-up audience.")] = 10_000_000,
    ease_titles: Annotated[int, typer.Option(min=100, max=16_000, help="Most liked titles that EASE knows.")] = 6_000,
    output: Annotated[Path | None, typer.Option(help="JSON file for the figures.")] = None,
) -> None:
    """Show what training costs, step by step, and what serving does, on a generated audience.

    Zipf's popularity, clusters of taste. Reads and writes nothing else. The defaults take minutes on an idle machine.
    """
    import time

    import numpy as np

    from stack.step_costs import StepCosts
    from subgraphs.recommendations.evaluation.generated import generate_likes
    from subgraphs.recommendations.evaluation.serving_cost import measure_serving
    from subgraphs.recommendations.models.content import FoldedContent
    from subgraphs.recommendations.models.train import Training, TrainingSettings, train
    from subgraphs.recommendations.models.trained import write_trained

    console = Console(highlight=False)
    log = generate_likes(titles=titles, likes=likes)
    made = Training(log.matrix, np.zeros(len(log.profiles)))
    console.print(f"{len(log.profiles)} likes of {log.profile_count} profiles in {titles} titles")
    # Content has a cost of its own, by titles alone; here it only takes its place in the blend.
    content = FoldedContent(np.random.default_rng(2).normal(size=(titles, 8)).astype(np.float32))
    costs, started, cpu_started = StepCosts(), time.monotonic(), time.process_time()

    def begin(step: str) -> None:
        costs.begin(step)
        console.print(f"{time.process_time() - cpu_started:7.1f} s of processor time  {step}")

    title_ids = tuple(f"mov_{number:06}" for number in range(titles))
    outcome = train(made, title_ids, content, TrainingSettings(ease_titles=ease_titles), begin)
    costs.end()
    cpu_s, took_s = time.process_time() - cpu_started, time.monotonic() - started
    serving = measure_serving(outcome.trained, made.liked)
    figures = {
        "titles": titles,
        "profiles": log.profile_count,
        "likes": len(log.profiles),
        "ease_titles": ease_titles,
        "seconds": round(took_s, 1),
        "cpu_seconds": round(cpu_s, 1),
        "cpu_seconds_by_step": {name: round(spent, 1) for name, spent in costs.cpu_s.items()},
        "peak_memory_mb_by_step": costs.peak_mb,
        "model_mb": round(len(write_trained(outcome.trained)) / 1e6, 1),
        "serving": {
            "score_ms_by_model": {name: round(spent, 2) for name, spent in serving.score_ms.items()},
            "blend_ms": round(serving.blend_ms, 2),
            "join_ms": round(serving.join_ms),
            "memory_mb_by_model": {name: round(size, 1) for name, size in serving.memory_mb.items()},
        },
    }
    console.print_json(data=figures)
    if output is not None:
        output.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


@app.command()
def artwork(
    data: Annotated[
        Path | None, typer.Argument(help="Folder of the Open Bandit Dataset; without, the log of the running system.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for table, JSON and plot.")] = None,
) -> None:
    """Estimate what choices of artwork are worth from a log of other choices: IPS, SNIPS, doubly robust.

    With a data set, two policies are each estimated from the other's log, and compared with what they were really
    worth. Without one, the policy in use is compared with the given shares and with the best single variants.
    """
    from subgraphs.recommendations.artwork import report
    from subgraphs.recommendations.artwork.open_bandit import BanditDataMissing, cross_estimate, read_bandit_logs

    console = Console(highlight=False)
    if data is None:
        table = report.comparison_table(_compare_artwork())
        console.print(Markdown(table))
        if output is not None:
            output.mkdir(parents=True, exist_ok=True)
            (output / "artwork-log.md").write_text(table, encoding="utf-8")
        return
    try:
        found = cross_estimate(read_bandit_logs(data))
    except BanditDataMissing as error:
        fail(f"{error}; give the folder with obd_random_men.csv.xz and obd_bts_men.csv.xz")
    table = report.cross_table(found)
    console.print(Markdown(table))
    if output is not None:
        from subgraphs.recommendations.artwork.plots import plot_cross_estimates

        output.mkdir(parents=True, exist_ok=True)
        (output / "artwork-open-bandit.md").write_text(table, encoding="utf-8")
        figures = json.dumps(report.cross_json(found), indent=1)
        (output / "artwork-open-bandit.json").write_text(figures + "\n", encoding="utf-8")
        plot_cross_estimates(found, output / "artwork-open-bandit.svg")


@app.command("artwork-learning")
def artwork_learning(
    seeds: Annotated[int, typer.Option(min=1, max=20, help="Simulated audiences.")] = 3,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="Policies that are learned one after the other.")] = 10,
    shown: Annotated[int, typer.Option(min=100, max=100_000, help="Showings from one policy to the next.")] = 10_000,
    output: Annotated[Path | None, typer.Option(help="Folder for table and plot.")] = None,
) -> None:
    """Let the choice of artwork learn from simulated viewers whose preferences are known.

    Some ten seconds of one core for each audience of the defaults.
    """
    from subgraphs.recommendations.artwork.report import simulation_table
    from subgraphs.recommendations.artwork.simulate import make_world, simulate

    console = Console(highlight=False)
    runs = []
    for seed in range(seeds):
        runs.append(simulate(make_world(seed), seed, rounds, shown))
        console.print(f"done: audience {seed}")
    table = simulation_table(runs)
    console.print(Markdown(table))
    if output is not None:
        from subgraphs.recommendations.artwork.plots import plot_rounds

        output.mkdir(parents=True, exist_ok=True)
        (output / "artwork-learning.md").write_text(table, encoding="utf-8")
        plot_rounds(runs, output / "artwork-learning.svg")


def _compare_artwork() -> Comparison:
    from common.clock import SystemClock
    from subgraphs.recommendations.services.publish_versions import TrainingRefused
    from subgraphs.recommendations.trainer import evaluate_artwork

    try:
        return run_or_fail(lambda: evaluate_artwork(recommendations_settings(), SystemClock()))
    except TrainingRefused as error:
        fail(str(error))


@app.command("page-rules")
def page_rules(
    count: Annotated[int, typer.Option(min=1, max=10_000_000, help="Pages to make.")] = 100_000,
    seed: Annotated[int, typer.Option(help="Makes the worlds.")] = 0,
) -> None:
    """Make pages in generated worlds and count broken rules: rights, repetition, limits, what a device draws.

    Ends with 1 when there is any. About ten minutes for 100,000 pages.
    """
    from subgraphs.recommendations.evaluation.page_rules import check_generated_pages

    console = Console(highlight=False)
    with console.status("") as status:
        report = check_generated_pages(count, seed, lambda made: status.update(f"{made} pages"))
    kinds = ", ".join(f"{number} {kind.value}" for kind, number in report.kinds.items())
    console.print(f"seed {seed}: {report.pages} pages ({kinds}) with {report.cards} cards")
    console.print(f"violations of rules: {report.violations}")
    for example in report.examples:
        console.print(f"  {example}")
    if report.violations:
        raise typer.Exit(1)


def _trials(data: DataSet, split: Split, seeds: int) -> Iterator[tuple[Trial, int]]:
    from subgraphs.recommendations.evaluation.splits import leave_last_out, strong_generalisation, temporal

    match split:
        case Split.STRONG:
            for seed in range(seeds):
                for trial in strong_generalisation(data.likes, folds=FOLDS, seed=seed):
                    yield trial, seed
        case Split.LAST:
            yield leave_last_out(data.likes), 0
        case Split.TEMPORAL:
            yield temporal(data.likes), 0


def _write(summary: Summary, table: str, folder: Path) -> None:
    from subgraphs.recommendations.evaluation import report

    # Only whoever asks for plots needs what draws them, a development package.
    from subgraphs.recommendations.evaluation.plots import plot_differences, plot_models

    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"models-{summary.split}.md").write_text(table, encoding="utf-8")
    figures = json.dumps(report.to_json(summary), indent=1, sort_keys=True)
    (folder / f"models-{summary.split}.json").write_text(figures + "\n", encoding="utf-8")
    plot_models(summary, folder / f"models-{summary.split}.svg")
    plot_differences(summary, folder / f"blend-{summary.split}.svg")
