"""Answers from a script instead of a server: for tests, and for replaying a recorded conversation."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from gateway.errors import SubgraphTimeout
from gateway.executor.transport.base import SubgraphAnswer, SubgraphRequest

__all__ = ["Exchange", "RecordedTransport", "Script"]

Script: TypeAlias = Callable[[str, dict[str, Any]], SubgraphAnswer | dict[str, Any] | Awaitable[Any]]
"""(subgraph name, request JSON) → an answer, or the JSON of a 200 answer; may raise a SubgraphError, may be awaited."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it was sent."""

    subgraph_name: str
    request: dict[str, Any]
    headers: dict[str, str]


class RecordedTransport:
    """Answers by calling `script` and remembers every request in `exchanges`; `in_flight` counts unanswered ones."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.exchanges: list[Exchange] = []
        self.in_flight = 0

    async def send(self, request: SubgraphRequest) -> SubgraphAnswer:
        """See SubgraphTransport.send."""
        payload = orjson.loads(request.body)
        self.exchanges.append(Exchange(request.subgraph_name, payload, dict(request.headers)))
        self.in_flight += 1
        try:
            async with asyncio.timeout_at(request.deadline):
                answer = self._script(request.subgraph_name, payload)
                if inspect.isawaitable(answer):
                    answer = await answer
        except TimeoutError as error:
            raise SubgraphTimeout(
                request.subgraph_name, f"subgraph '{request.subgraph_name}' did not answer in time"
            ) from error
        finally:
            self.in_flight -= 1
        return answer if isinstance(answer, SubgraphAnswer) else SubgraphAnswer(200, orjson.dumps(answer))

    async def aclose(self) -> None:
        """Nothing is held."""
