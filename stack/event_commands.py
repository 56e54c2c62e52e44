"""`marquee events`: how far every service is behind, and what to do with events that one of them could not digest."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, TypeVar

import typer
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table

from common.dead_letters import DeadLetter, DeadLetters, GroupLag, read_group_lags
from common.event_catalogue import TOPICS, write_event_reference
from common.settings import SettingsInvalid, SharedSettings
from common.valkey import open_valkey
from stack.failing import fail
from stack.valkey import running_valkey_url

__all__ = ["app"]

ResultT = TypeVar("ResultT")

MAX_LISTED = 1_000

app = typer.Typer(help="Events between services: lag and dead letters.", no_args_is_help=True)
dead_app = typer.Typer(help="Events that a service could not digest in three tries.", no_args_is_help=True)
app.add_typer(dead_app, name="dead")

console = Console(highlight=False, soft_wrap=True)

TopicArgument = Annotated[str, typer.Argument(help=f"One of {', '.join(TOPICS)}.")]


@app.command()
def lag() -> None:
    """Print how far every group is behind, topic by topic."""
    lags = _with_valkey(read_group_lags)
    if not lags:
        console.print("No service reads any topic yet; is Marquee running (make up)?")
        return
    table = Table("topic", "group", "consumers", "not delivered", "not finished")
    for row in lags:
        table.add_row(row.topic, row.group, str(row.consumer_count), _undelivered(row), str(row.lag.pending))
    console.print(table)


@app.command()
def catalogue() -> None:
    """Print every kind of event with its members, as Markdown."""
    print(write_event_reference(), end="")


@dead_app.command("list")
def list_dead(
    topic: Annotated[str | None, typer.Argument(help="Of one topic only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_LISTED, help="Letters per topic, newest first.")] = 50,
) -> None:
    """Print dead letters with the group that failed and its error."""
    for each in [_checked(topic)] if topic is not None else TOPICS:
        letters, total = _with_valkey(partial(_read_letters, topic=each, limit=limit))
        for letter in letters:
            console.print(f"{each} {letter.id}", style="bold", end="")
            # Errors and data are foreign text, which may hold what looks like markup.
            console.print(f" {letter.kind} for {letter.group}: {letter.error}", markup=False)
            console.print(f"  {letter.excerpt}", markup=False)
        if topic is not None or total:
            console.print(f"{each}: {total} dead, {len(letters)} shown")


@dead_app.command()
def retry(
    topic: TopicArgument, letter: Annotated[str, typer.Argument(help="Its id, as `dead list` shows it.")]
) -> None:
    """Give an event to the group that failed once more; after the cause was mended."""
    if not _with_valkey(lambda redis: DeadLetters(redis, _checked(topic)).retry(_checked_id(topic, letter))):
        fail(f"topic {topic} has no dead letter {letter}; see `marquee events dead list {topic}`")
    console.print(f"{letter} is back in topic {topic}; `marquee events lag` shows when it was taken.")


@dead_app.command()
def drop(topic: TopicArgument, letter: Annotated[str, typer.Argument(help="Its id, as `dead list` shows it.")]) -> None:
    """Forget a dead letter."""
    if not _with_valkey(lambda redis: DeadLetters(redis, _checked(topic)).drop(_checked_id(topic, letter))):
        fail(f"topic {topic} has no dead letter {letter}; see `marquee events dead list {topic}`")
    console.print(f"{letter} is gone.")


async def _read_letters(redis: Redis, *, topic: str, limit: int) -> tuple[Sequence[DeadLetter], int]:
    letters = DeadLetters(redis, topic)
    return await letters.list(limit), await letters.count()


def _undelivered(row: GroupLag) -> str:
    return "unknown" if row.lag.undelivered is None else str(row.lag.undelivered)


def _checked(topic: str) -> str:
    if topic not in TOPICS:
        fail(f"no topic is called {topic!r}; known are {', '.join(TOPICS)}")
    return topic


def _checked_id(topic: str, letter: str) -> str:
    if not re.fullmatch(r"\d+-\d+", letter, re.ASCII):
        fail(f"{letter!r} is no letter's id, such as 1763625600000-0; see `marquee events dead list {topic}`")
    return letter


def _with_valkey(read: Callable[[Redis], Awaitable[ResultT]]) -> ResultT:
    async def run() -> ResultT:
        async with open_valkey(running_valkey_url(SharedSettings.load())) as redis:
            return await read(redis)

    try:
        return asyncio.run(run())
    except SettingsInvalid as error:
        fail(str(error))
    except (RedisError, OSError) as error:
        fail(f"Valkey does not answer: {error}; is Marquee running (make up), or is MARQUEE_VALKEY_URL right?")
