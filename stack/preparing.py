"""What processes are still busy with after `marquee up` said ready, told on the console until all of it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import aiohttp
from rich.console import Console

from subgraphs.kernel.readiness import PREPARING

__all__ = ["tell_preparing"]

TELL_EVERY_S = 5.0
ASK_TIMEOUT_S = 2.0


async def tell_preparing(
    console: Console, health_urls: Mapping[str, str], pause: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """A line for each step of each process, by name; returns when nothing is being prepared.

    A process that does not answer just now is asked again when it was busy before.
    """
    busy: dict[str, str] = {}
    asked = dict(health_urls)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ASK_TIMEOUT_S)) as client:
        while asked:
            answers = await asyncio.gather(*(_preparing(client, url) for url in asked.values()))
            for name, said in zip(list(asked), answers, strict=True):
                if said is None and name in busy:
                    continue
                if not said:
                    del asked[name]
                    if busy.pop(name, None) is not None:
                        console.print(f"{name}: done", highlight=False)
                elif said != busy.get(name):
                    busy[name] = said
                    console.print(f"{name}: {said}", highlight=False)
            if asked:
                await pause(TELL_EVERY_S)


async def _preparing(client: aiohttp.ClientSession, url: str) -> str | None:
    """Empty when the process is busy with nothing, None when it does not say."""
    try:
        async with client.get(url) as answer:
            checks = (await answer.json(content_type=None)).get("checks", {})
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None
    outcomes = [outcome for outcome in checks.values() if isinstance(outcome, str)]
    return "; ".join(each.removeprefix(PREPARING) for each in outcomes if each.startswith(PREPARING))
