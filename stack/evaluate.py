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

if TYPE_CHECKING:
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
