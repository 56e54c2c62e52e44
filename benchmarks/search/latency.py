"""How long an answer takes: questions at a steady rate to the titles subgraph, over HTTP, on one core.

Open loop: a question is sent when its time has come, whether the ones before are answered or not, and its latency
counts from that time. No question is asked twice, so that no kept answer is measured.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import orjson

from benchmarks.search.engines import VIEWER
from common.settings import SharedSettings
from common.tokens import VIEWER_HEADER, ensure_key_file, sign_viewer_context
from subgraphs.kernel.sql import sqlite_url
from subgraphs.titles.adapters.sql import SqlTitleStore
from subgraphs.titles.domain.title import Title

__all__ = ["SEARCH", "SUGGEST", "Latency", "ask_at_rate", "fill_store", "searches", "typed_beginnings"]

SEARCH = (
    "query($q: String!) { search(query: $q, first: 20) { totalCount edges { node { id displayName releaseYear } } } }"
)
SUGGEST = "query($q: String!) { searchSuggestions(query: $q) { text kind } }"
CONTEXT_LIFE_S = 30.0
DEADLINE = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from when a question was due until its answer was read."""

    p50_ms: float
    p99_ms: float
    count: int


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


async def ask_at_rate(port: int, state_dir: Path, query: str, texts: Sequence[str], per_second: float) -> Latency:
    """One question per text; raises ValueError for an answer with errors."""
    key = ensure_key_file(SharedSettings(state_dir=state_dir).keys_dir / "viewer.pem")
    url = f"http://127.0.0.1:{port}/graphql"
    began = time.monotonic()
    latencies: list[float] = []
    headers: dict[str, str] = {}
    signed_at = -CONTEXT_LIFE_S

    async with aiohttp.ClientSession(timeout=DEADLINE, connector=aiohttp.TCPConnector(limit=256)) as session:

        async def ask(text: str, due: float, headers: dict[str, str]) -> None:
            body = orjson.dumps({"query": query, "variables": {"q": text}})
            async with session.post(url, data=body, headers=headers) as response:
                answer = orjson.loads(await response.read())
            if "errors" in answer:
                raise ValueError(f"{text!r}: {answer['errors']}")
            latencies.append(time.monotonic() - due)

        async with asyncio.TaskGroup() as asking:
            for number, text in enumerate(texts):
                due = began + number / per_second
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if time.monotonic() - signed_at > CONTEXT_LIFE_S:
                    signed_at = time.monotonic()
                    context = sign_viewer_context(key, VIEWER.to_claims(), datetime.now(UTC))
                    headers = {"content-type": "application/json", VIEWER_HEADER: context}
                asking.create_task(ask(text, due, headers))
    cuts = statistics.quantiles(latencies, n=100)
    return Latency(cuts[49] * 1e3, cuts[98] * 1e3, len(latencies))
