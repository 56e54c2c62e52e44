"""How long an answer takes: questions at a steady rate, with the operations that the screens send.

Open loop: a question is sent when its time has come, whether the ones before are answered or not, and its latency
counts from that time. No question is asked twice, so that no kept answer is measured. Every answer is kept, to be
compared with what an index in another process finds.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from benchmarks.heartbeats.servers import REPOSITORY
from benchmarks.search.serving import Door
from subgraphs.kernel.sql import sqlite_url
from subgraphs.titles.adapters.sql import SqlTitleStore
from subgraphs.titles.domain.title import Title

__all__ = [
    "FIRST",
    "Latency",
    "ask_at_rate",
    "ask_door",
    "fill_store",
    "of_titles_alone",
    "operation",
    "searches",
    "typed_beginnings",
]

FIRST = 20
"""Hits of one answer, as the operation has it where nothing is said."""
DEADLINE = aiohttp.ClientTimeout(total=10)
HEADER_LIFE_S = 30
_PROGRESS = re.compile(r"\s*progress \{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from when a question was due until its answer was read, in ascending order, and the answers."""

    milliseconds: tuple[float, ...]
    answers: dict[str, Any]

    def quantile(self, share: float) -> float:
        """The latency that this share of all is not above."""
        return self.milliseconds[min(int(len(self.milliseconds) * share), len(self.milliseconds) - 1)]


def operation(name: str) -> str:
    """The text of one of the screens' operations, as shared/search."""
    return (REPOSITORY / "schema" / "operations" / f"{name}.graphql").read_text("utf-8")


async def fill_store(state_dir: Path, titles: Sequence[Title]) -> None:
    """The embedded store below a state folder; the subgraph makes its index when it starts."""
    folder = state_dir / "titles"
    folder.mkdir(parents=True, exist_ok=True)
    store = await SqlTitleStore.open(sqlite_url(folder / "titles.sqlite"))
    for start in range(0, len(titles), 1_000):
        await store.save(titles[start : start + 1_000])
    await store.aclose()


def searches(titles: Sequence[Title], count: int) -> list[str]:
    """What people type: names, names with a typo, people, people with a genre, genres with a decade."""
    chance = random.Random(4)
    texts: dict[str, None] = {}
    while len(texts) < count:
        title = chance.choice(titles)
        name = title.display_name
        people = [credit.person.display_name for credit in title.credits] or [name]
        genre = chance.choice(title.genres).display_name if title.genres else "drama"
        place = chance.randrange(len(name))
        texts[
            chance.choice(
                (
                    name,
                    name[:place] + name[place + 1 :],
                    chance.choice(people),
                    f"{chance.choice(people)} {genre}",
                    f"{(title.release_year or 1990) // 10 * 10}s {genre} {name.split()[-1]}",
                )
            )
        ] = None
    return list(texts)


def typed_beginnings(titles: Sequence[Title], count: int) -> list[str]:
    """Two to ten letters of names of titles and people."""
    chance = random.Random(5)
    texts: dict[str, None] = {}
    while len(texts) < count:
        title = chance.choice(titles)
        names = [title.display_name, *(credit.person.display_name for credit in title.credits)]
        texts[chance.choice(names)[: chance.randint(2, 10)]] = None
    return list(texts)


def of_titles_alone(query: str) -> str:
    """The operation without what titles has from others, to be asked of titles itself."""
    return _PROGRESS.sub("", query)


async def ask_door(door: Door, query: str, texts: Sequence[str], per_second: float) -> Latency:
    """One question per text, over HTTP; raises ValueError for an answer with errors."""
    header, since = door.header(), time.monotonic()

    async with aiohttp.ClientSession(
        timeout=DEADLINE,
        headers={"content-type": "application/json"},
        connector=aiohttp.TCPConnector(limit=256),
    ) as session:

        async def ask(text: str) -> Any:
            nonlocal header, since
            # The gateway sends one word for many questions, too, so that it is checked once.
            if time.monotonic() - since > HEADER_LIFE_S:
                header, since = door.header(), time.monotonic()
            body = orjson.dumps({"query": query, "variables": {"query": text}})
            async with session.post(door.url, data=body, headers=header) as response:
                return await response.read()

        latency = await ask_at_rate(ask, texts, per_second)
    answers = {text: orjson.loads(content) for text, content in latency.answers.items()}
    for text, answer in answers.items():
        if "errors" in answer:
            raise ValueError(f"{text!r}: {answer['errors']}")
    return Latency(latency.milliseconds, {text: answer["data"] for text, answer in answers.items()})


async def ask_at_rate(ask: Callable[[str], Awaitable[Any]], texts: Sequence[str], per_second: float) -> Latency:
    """One question per text."""
    latencies: list[float] = []
    answers: dict[str, Any] = {}

    async def take(text: str, due: float) -> None:
        answers[text] = await ask(text)
        latencies.append((time.monotonic() - due) * 1e3)

    began = time.monotonic()
    async with asyncio.TaskGroup() as asking:
        for number, text in enumerate(texts):
            due = began + number / per_second
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            asking.create_task(take(text, due))
    return Latency(tuple(sorted(latencies)), answers)
