"""`marquee artwork`: learn which pictures are opened, compare policies, choose one and take it back."""

from __future__ import annotations

from typing import Annotated

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

__all__ = ["app"]

MAKER, LISTER = "marquee artwork learn", "marquee artwork list"

app = typer.Typer(
    help="Which pictures of a title whom are shown: policies that were learned, and which is in use.",
    no_args_is_help=True,
)
console = Console(highlight=False, soft_wrap=True)


@app.command()
def learn() -> None:
    """Learn from the pictures that were shown and opened in 90 days, and use the new policy where it is good enough.

    The services need not run, but their Valkey must: it knows which policy is in use.
    """
    from common.clock import SystemClock
    from subgraphs.recommendations.services.publish_versions import TrainingRefused
    from subgraphs.recommendations.trainer import learn_artwork

    try:
        version, is_used = run_or_fail(
            lambda: learn_artwork(recommendations_settings(), SystemClock(), progress=console.print)
        )
    except TrainingRefused as error:
        fail(str(error))
    console.print(
        f"{version.id}: {version.decision_count} pictures shown, {version.opened_count} opened, of "
        f"{version.title_count} titles; {version.took_s:.1f} s, {version.byte_count / 1e3:.0f} kB kept"
    )
    console.print(
        f"Opened more than by the given shares, by profiles that it did not learn from: {_lift(version.lift)}"
    )
    console.print(told_use(version, is_used=is_used, group="artwork"))


@app.command("list")
def list_policies() -> None:
    """Print every policy with its figures, the newest first."""
    from subgraphs.recommendations.trainer import open_policies

    versions, choice = read_versions(open_policies)
    if not versions:
        console.print(f"No policy was learned yet, so that variants have their given shares; `{MAKER}` makes one.")
        return
    table = Table("policy", "shown", "opened", "titles", "seconds", "opened more than by shares", "state")
    for version in versions:
        table.add_row(
            version.id,
            str(version.decision_count),
            str(version.opened_count),
            str(version.title_count),
            f"{version.took_s:.1f}",
            _lift(version.lift),
            state_of(version, choice),
        )
    console.print(table)


@app.command()
def use(
    policy: Annotated[str, typer.Argument(help=f"As `artwork list` shows it, or {NEWEST}: as learning says.")],
) -> None:
    """Choose by a policy from now on, in every process, and keep it when others are learned; newest ends that."""
    from subgraphs.recommendations.trainer import open_policies

    console.print(f"{choose_version(open_policies, policy, MAKER)} is in use within a second.")


@app.command()
def rollback() -> None:
    """Choose by the policy before the present one, in every process, and keep it when others are learned."""
    from subgraphs.recommendations.trainer import open_policies

    policy_id = roll_back(open_policies, LISTER)
    console.print(
        f"{policy_id} is in use within a second, and stays; `marquee artwork use {NEWEST}` follows learning again."
    )


def _lift(lift: tuple[float, float, float] | None) -> str:
    return "too little was opened to tell" if lift is None else f"{lift[0]:+.1%} [{lift[1]:+.1%}, {lift[2]:+.1%}]"
