"""How long an answer takes: questions at a steady rate, with the operations that the screens send.

Open loop: a question is sent when its time has come, whether the ones before are answered or not, and its latency
counts from that time. No question is asked twice, so that no kept answer is measured, but in the rows that say so: what
is typed letter by letter begins alike. Every answer is kept, to be compared with what an index in another process
finds.

The sender shares the processor with what it asks, as no client does. So it is as light as it can be: it waits and
writes as the gateway does when it asks a subgraph. And it says how late it was itself, which is in the latencies.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from yarl import URL

from benchmarks.heartbeats.servers import REPOSITORY
from benchmarks.search.serving import Door
from gateway.executor.transport.pool import ConnectionPool, Origin
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
    "typed_letter_by_letter",
]

FIRST = 20
"""Hits of one answer, as the operation has it where nothing is said."""
DEADLINE_S = 10
HEADER_LIFE_S = 30
MAX_ANSWER_BYTES = 10_000_000
MAX_CONNECTIONS = 256
TIMER_S = 0.0005
"""uvloop's timers count milliseconds, and are as much too early or too late; the rest is waited for in turns."""
_PROGRESS = re.compile(r"\s*progress \{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from when a question was due until its answer was read, in ascending order, and the answers.

    `sent_late` are milliseconds from when a question was due until it was sent, which the others include.
    """

    milliseconds: tuple[float, ...]
    answers: dict[str, Any]
    sent_late: tuple[float, ...]

    def quantile(self, share: float) -> float:
        """The latency that this share of all is not above."""
        return _quantile(self.milliseconds, share)

    def quantile_of_lateness(self, share: float) -> float:
        """How late this share of all was sent at most."""
        return _quantile(self.sent_late, share)


def _quantile(ascending: Sequence[float], share: float) -> float:
    return ascending[min(int(len(ascending) * share), len(ascending) - 1)]


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


def typed_letter_by_letter(titles: Sequence[Title], count: int) -> list[str]:
    """What is asked while names are typed, up to ten letters each; names as often as Zipf has it, by popularity."""
    chance = random.Random(6)
    by_popularity = sorted(titles, key=lambda title: -title.popularity)
    weights = [1 / rank for rank in range(1, len(by_popularity) + 1)]
    names = chance.choices([title.display_name for title in by_popularity], weights, k=count)
    return [name[:length] for name in names for length in range(1, min(10, len(name)) + 1)][:count]


def of_titles_alone(query: str) -> str:
    """The operation without what titles has from others, to be asked of titles itself."""
    return _PROGRESS.sub("", query)


async def ask_door(door: Door, query: str, texts: Sequence[str], per_second: float) -> Latency:
    """One question per text, over HTTP; raises ValueError for an answer with errors."""
    url = URL(door.url)
    origin = Origin(url.host or "", url.port or 80, is_secure=False)
    pool = ConnectionPool(origin, limit=MAX_CONNECTIONS, max_body_bytes=MAX_ANSWER_BYTES)
    header, since = door.header(), time.monotonic()

    async def ask(text: str) -> bytes:
        nonlocal header, since
        # The gateway sends one word for many questions, too, so that it is checked once.
        if time.monotonic() - since > HEADER_LIFE_S:
            header, since = door.header(), time.monotonic()
        body = orjson.dumps({"query": query, "variables": {"query": text}})
        return (await pool.exchange(_post(url, header, body), fresh=False)).body

    try:
        async with asyncio.timeout(len(texts) / per_second + DEADLINE_S):
            latency = await ask_at_rate(ask, texts, per_second)
    finally:
        await pool.aclose()
    answers = {text: orjson.loads(content) for text, content in latency.answers.items()}
    for text, answer in answers.items():
        if "errors" in answer:
            raise ValueError(f"{text!r}: {answer['errors']}")
    return replace(latency, answers={text: answer["data"] for text, answer in answers.items()})


def _post(url: URL, header: Mapping[str, str], body: bytes) -> bytes:
    headers = {
        "host": url.authority,
        "content-type": "application/json",
        "accept": "application/json",
        "content-length": str(len(body)),
        **header,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {url.raw_path} HTTP/1.1\r\n{lines}\r\n".encode() + body


async def ask_at_rate(ask: Callable[[str], Awaitable[Any]], texts: Sequence[str], per_second: float) -> Latency:
    """One question per text."""
    latencies: list[float] = []
    sent_late: list[float] = []
    answers: dict[str, Any] = {}

    async def take(text: str, due: float) -> None:
        sent_late.append((time.monotonic() - due) * 1e3)
        answers[text] = await ask(text)
        latencies.append((time.monotonic() - due) * 1e3)

    began = time.monotonic()
    async with asyncio.TaskGroup() as asking:
        for number, text in enumerate(texts):
            due = began + number / per_second
            await asyncio.sleep(max(0.0, due - time.monotonic() - TIMER_S))
            while time.monotonic() < due:  # noqa: ASYNC110  # an event would come from a timer, too
                await asyncio.sleep(0)
            asking.create_task(take(text, due))
    return Latency(tuple(sorted(latencies)), answers, tuple(sorted(sent_late)))
