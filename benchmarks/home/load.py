"""Requests as clients send them: at the instants of an arrival process, or as fast as they are answered.

With arrivals the time of an answer counts from the instant at which the request was due, not from when a connection
was found for it: a server that stands still is not spared the requests that came meanwhile (coordinated omission).
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import aiohttp

from benchmarks.home.screens import Request

__all__ = ["Answer", "Loaded", "percentile", "send_at_rate", "send_one_by_one"]

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its body as it was sent, and the seconds from when it was due."""

    request: Request
    status: int
    body: bytes
    took_s: float


@dataclass(slots=True)
class Loaded:
    """What came back in `seconds`; `broken` requests had no answer at all."""

    answers: list[Answer] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def ms(self, share: float) -> float:
        """A percentile of the answers' times, in milliseconds."""
        return percentile([answer.took_s for answer in self.answers], share) * 1e3


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))] if ordered else 0.0


async def send_at_rate(url: str, requests: Sequence[Request], rate_per_s: float, seed: int) -> Loaded:
    """Every request once, at random instants of which there are `rate_per_s` on average (a Poisson process)."""
    instants = random.Random(seed)
    loaded, due = Loaded(), time.perf_counter() + 0.05
    began = due
    async with _session() as session, asyncio.TaskGroup() as group:
        for request in requests:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(_send(session, url, request, due, loaded))
            due += instants.expovariate(rate_per_s)
    loaded.seconds = time.perf_counter() - began
    return loaded


async def send_one_by_one(
    url: str, requests: Sequence[Request], seconds: float, connections: int, *, kept: int = 2_000
) -> Loaded:
    """Over and over, each connection sending its next request when the last is answered; `kept` bodies are kept."""
    loaded, turns = Loaded(), itertools.cycle(requests)
    began = time.perf_counter()
    async with _session() as session, asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_go_on(session, url, turns, began + seconds, loaded, kept))
    loaded.seconds = time.perf_counter() - began
    return loaded


async def _go_on(
    session: aiohttp.ClientSession, url: str, turns: Iterator[Request], until: float, loaded: Loaded, kept: int
) -> None:
    while (now := time.perf_counter()) < until:
        await _send(session, url, next(turns), now, loaded, keep=len(loaded.answers) < kept)


async def _send(
    session: aiohttp.ClientSession, url: str, request: Request, due: float, loaded: Loaded, *, keep: bool = True
) -> None:
    try:
        async with session.post(url, data=request.body, headers=request.headers) as response:
            body = await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        loaded.broken.append(f"{type(error).__name__}: {error}")
        return
    took_s = time.perf_counter() - due
    loaded.answers.append(Answer(request, response.status, body if keep else b"", took_s))


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
    )
