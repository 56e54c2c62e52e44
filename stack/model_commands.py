"""`marquee train` and `marquee models`: make a version of the recommenders, compare versions, choose and take back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from common.errors import ServiceError
from common.settings import SettingsInvalid, SharedSettings
from stack.valkey import running_valkey_url

if TYPE_CHECKING:
    from subgraphs.recommendations.domain.model_versions import Choice, ModelVersion
    from subgraphs.recommendations.ports import ModelChoice, ModelStore
    from subgraphs.recommendations.settings import RecommendationsSettings

__all__ = ["app", "train"]

ResultT = TypeVar("ResultT")

NEWEST = "newest"

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
        version, is_used = asyncio.run(train_once(_settings(), SystemClock(), progress=console.print))
    except (TrainingRefused, SettingsInvalid, ValueError) as error:
        _fail(str(error))
    except ServiceError as error:
        _fail(f"{error.message}; is Marquee running (make up), or is MARQUEE_VALKEY_URL right?")
    console.print(
        f"{version.id}: {version.like_count} likes of {version.profile_count} profiles in {version.title_count} "
        f"titles, {version.took_s:.1f} s, {version.peak_memory_bytes / 1e6:.0f} MB at its peak, "
        f"{version.byte_count / 1e6:.1f} MB kept"
    )
    if not version.metrics:
        console.print("Too few profiles to measure it: weights by judgement.")
    else:
        console.print(_metrics_table(version))
    if is_used:
        console.print("In use from now on; `marquee models rollback` takes it back.")
    elif version.unfit_because is not None:
        console.print(f"Not used: {version.unfit_because}.")
    else:
        console.print(f"Not used: another version is pinned; `marquee models use {version.id}` changes that.")


@app.command("list")
def list_versions() -> None:
    """Print every version with its figures, the newest first."""

    async def read(store: ModelStore, choice: ModelChoice) -> tuple[list[ModelVersion], Choice]:
        return list(await store.versions()), await choice.choice()

    versions, choice = _with_versions(read)
    if not versions:
        console.print("No version was trained yet; `marquee train` makes one.")
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
            _state(version, choice),
        )
    console.print(table)


@app.command()
def use(
    version: Annotated[str, typer.Argument(help=f"As `models list` shows it, or {NEWEST}: as training says.")],
) -> None:
    """Use a version from now on, in every process, and keep it when others are trained; newest ends that."""
    from subgraphs.recommendations.domain.model_versions import newest_fit

    async def choose(store: ModelStore, choice: ModelChoice) -> str:
        versions = await store.versions()
        if version == NEWEST:
            found = newest_fit(versions)
        else:
            found = next((each for each in versions if each.id == version), None)
        if found is None:
            known = ", ".join(each.id for each in versions) or "none; `marquee train` makes one"
            _fail(f"there is no version {version} that may serve; known are {known}")
        await choice.choose(found.id, is_pinned=version != NEWEST)
        return found.id

    console.print(f"{_with_versions(choose)} is in use within a second.")


@app.command()
def rollback() -> None:
    """Use the version before the present one, in every process, and keep it when others are trained."""

    async def go_back(_store: ModelStore, choice: ModelChoice) -> str | None:
        return await choice.go_back()

    version_id = _with_versions(go_back)
    if version_id is None:
        _fail("no other version was in use before; `marquee models list` shows what there is")
    console.print(
        f"{version_id} is in use within a second, and stays; `marquee models use {NEWEST}` follows training again."
    )


def _state(version: ModelVersion, choice: Choice) -> str:
    if version.id == choice.version_id:
        return "in use, pinned" if choice.is_pinned else "in use"
    return "" if version.unfit_because is None else f"unfit: {version.unfit_because}"


def _metrics_table(version: ModelVersion) -> Table:
    table = Table("on profiles left out", "NDCG@100", "recall@20")
    for name, metrics in version.metrics.items():
        table.add_row(name, *(_figure(metrics[metric]) for metric in ("NDCG@100", "recall@20")))
    return table


def _figure(value: tuple[float, float, float] | None) -> str:
    return "none" if value is None else f"{value[0]:.4f} [{value[1]:.4f}, {value[2]:.4f}]"


def _settings() -> RecommendationsSettings:
    from subgraphs.recommendations.settings import RecommendationsSettings

    shared = SharedSettings.load()
    return RecommendationsSettings.load(shared=shared.model_copy(update={"valkey_url": running_valkey_url(shared)}))


def _with_versions(work: Callable[[ModelStore, ModelChoice], Awaitable[ResultT]]) -> ResultT:
    from subgraphs.recommendations.trainer import open_versions

    async def run() -> ResultT:
        async with open_versions(_settings()) as (store, choice):
            return await work(store, choice)

    try:
        return asyncio.run(run())
    except (SettingsInvalid, ValueError) as error:
        _fail(str(error))
    except ServiceError as error:
        _fail(f"{error.message}; is Marquee running (make up), or is MARQUEE_VALKEY_URL right?")


def _fail(message: str) -> NoReturn:
    Console(stderr=True, highlight=False).print(f"[red]error:[/] {message}", soft_wrap=True)
    raise typer.Exit(1)
