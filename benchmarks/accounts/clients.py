"""The load: people who log in, somebody who reads the plan table meanwhile, and the answers checked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from common.tokens import TokenVerifier

__all__ = ["PASSWORD", "Tally", "log_in_once", "report_for"]

PASSWORD = "correct horse battery"  # of every account of the measurement
LOG_IN = """mutation($email: String!, $password: String!) { logIn(input: {email: $email, password: $password}) {
  __typename ... on LogInSuccess { session { accessToken account { email } } } } }"""
PLANS = {"query": "{ plans { id priceCents } }"}
PLANS_ANSWER = {
    "plans": [
        {"id": "BASIC", "priceCents": 799},
        {"id": "STANDARD", "priceCents": 1549},
        {"id": "PREMIUM", "priceCents": 2299},
    ]
}
READ_EVERY_S = 0.02


@dataclass
class Tally:
    """What one load came to; `wrong` are answers that should have been others."""

    log_ins_s: list[float] = field(default_factory=list)
    reads_s: list[float] = field(default_factory=list)
    refused: int = 0
    wrong: list[object] = field(default_factory=list)


async def log_in_once(client: httpx.AsyncClient, email: str, password: str) -> dict[str, Any]:
    """The result of one log-in."""
    body = {"query": LOG_IN, "variables": {"email": email, "password": password}}
    answer: dict[str, Any] = (await client.post("/graphql", json=body)).json()
    return answer


async def report_for(port: int, emails: Sequence[str], people: int, seconds: float) -> Tally:
    """Log in over and over as `people` at once (0: nobody), and read every READ_EVERY_S."""
    tally, ends_at = Tally(), time.monotonic() + seconds
    limits = httpx.Limits(max_connections=people + 4)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=60) as client:
        verifier = TokenVerifier.for_access((await client.get("/.well-known/jwks.json")).json())
        async with asyncio.TaskGroup() as group:
            for number in range(people):
                mine = emails[number % len(emails)]
                group.create_task(_keep_logging_in(client, verifier, mine, ends_at, tally))
            group.create_task(_keep_reading(client, ends_at, tally))
    return tally


async def _keep_logging_in(
    client: httpx.AsyncClient, verifier: TokenVerifier, email: str, ends_at: float, tally: Tally
) -> None:
    while time.monotonic() < ends_at:
        began = time.monotonic()
        answer = await log_in_once(client, email, PASSWORD)
        took = time.monotonic() - began
        if answer.get("errors"):
            tally.refused += 1
            continue
        result = answer["data"]["logIn"]
        if result["__typename"] != "LogInSuccess" or result["session"]["account"]["email"] != email:
            tally.wrong.append(answer)
            continue
        verifier.verify_viewer(result["session"]["accessToken"])
        tally.log_ins_s.append(took)


async def _keep_reading(client: httpx.AsyncClient, ends_at: float, tally: Tally) -> None:
    # At fixed instants: a slow answer must not make the questions rarer, or the worst would be counted least.
    reads: list[asyncio.Task[None]] = []
    at = time.monotonic()
    while at < ends_at:
        reads.append(asyncio.create_task(_read(client, tally)))
        at += READ_EVERY_S
        await asyncio.sleep(max(0.0, at - time.monotonic()))
    await asyncio.gather(*reads)


async def _read(client: httpx.AsyncClient, tally: Tally) -> None:
    began = time.monotonic()
    answer = (await client.post("/graphql", json=PLANS)).json()
    tally.reads_s.append(time.monotonic() - began)
    if answer.get("data") != PLANS_ANSWER:
        tally.wrong.append(answer)
