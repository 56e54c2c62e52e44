"""`marquee train` and `marquee models`: make a version of the recommenders, compare versions, choose and take back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from stack.failing import fail
from stack.version_commands import (
    NEWEST,
    choose_version,
    read_versions,
    recommendations_settings,
    roll_back,
    run_or_fail,
    state_of,
    told_use,
)

if TYPE_CHECKING:
    from subgraphs.recommendations.domain.model_versions import ModelVersion

__all__ = ["app", "train"]

MAKER, LISTER = "marquee train", "marquee models list"

app = typer.Typer(help="Versions of the recommenders: which there are, and which is in use.", no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True)


def train() -> None:
    """Train the recommenders on what profiles watched and liked, and use the new version where it is good enough.

    The services need not run, but their Valkey must: it holds the tastes.
    """
    from common.clock import SystemClock
    from subgraphs.recommendations.services.train_models import TrainingRefused
    from subgraphs.recommendations.trainer import train_once

    try:
        version, is_used = run_or_fail(
            lambda: train_once(recommendations_settings(), SystemClock(), progress=console.print)
        )
    except TrainingRefused as error:
        fail(str(error))
    console.print(
        f"{version.id}: {version.like_count} likes of {version.profile_count} profiles in {version.title_count} "
        f"titles, {version.took_s:.1f} s, {version.peak_memory_bytes / 1e6:.0f} MB at its peak, "
        f"{version.byte_count / 1e6:.1f} MB kept"
    )
    if not version.metrics:
        console.print("Too few profiles to measure it: weights by judgement.")
    else:
        console.print(_metrics_table(version))
    console.print(told_use(version, is_used=is_used, group="models"))


@app.command("list")
def list_versions() -> None:
    """Print every version with its figures, the newest first."""
    from subgraphs.recommendations.trainer import open_versions

    versions, choice = read_versions(open_versions)
    if not versions:
        console.print(f"No version was trained yet; `{MAKER}` makes one.")
        return
    table = Table("version", "profiles", "likes", "titles", "seconds", "NDCG@100", "popularity's", "recall@20", "state")
    for version in versions:
        blend, popularity = version.metrics.get("blend", {}), version.metrics.get("popularity", {})
        table.add_row(
            version.id,
            str(version.profile_count),
            str(version.like_count),
            str(version.title_count),
            f"{version.took_s:.1f}",
            _figure(blend.get("NDCG@100")),
            _figure(popularity.get("NDCG@100")),
            _figure(blend.get("recall@20")),
            state_of(version, choice),
        )
    console.print(table)


@app.command()
def use(
    version: Annotated[str, typer.Argument(help=f"As `models list` shows it, or {NEWEST}: as training says.")],
) -> None:
    """Use a version from now on, in every process, and keep it when others are trained; newest ends that."""
    from subgraphs.recommendations.trainer import open_versions

    console.print(f"{choose_version(open_versions, version, MAKER)} is in use within a second.")


@app.command()
def rollback() -> None:
    """Use the version before the present one, in every process, and keep it when others are trained."""
    from subgraphs.recommendations.trainer import open_versions

    version_id = roll_back(open_versions, LISTER)
    console.print(
        f"{version_id} is in use within a second, and stays; `marquee models use {NEWEST}` follows training again."
    )


def _metrics_table(version: ModelVersion) -> Table:
    table = Table("on profiles left out", "NDCG@100", "recall@20")
    for name, metrics in version.metrics.items():
        table.add_row(name, *(_figure(metrics[metric]) for metric in ("NDCG@100", "recall@20")))
    return table


def _figure(value: tuple[float, float, float] | None) -> str:
    return "none" if value is None else f"{value[0]:.4f} [{value[1]:.4f}, {value[2]:.4f}]"
