"""Identical queries at the same time: executed once, answered to everybody who asked.

Two requests are identical when nothing that may decide the answer differs: the snapshot, the operation, the variables
and every header that subgraphs see, who is asking included. Headers that only name the request are left out of that.
The work belongs to all who wait: it goes on when the first one leaves, and ends when the last one does. The answer's
JSON is written once for all of them, which for a large page costs more than everything else that a request shares.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from gateway.errors import ResponseError
from gateway.executor.operation import Answer

__all__ = ["InFlight", "RequestKey", "SharedAnswer", "request_key"]

RequestKey: TypeAlias = tuple[Hashable, ...]

_NAMES_OF_REQUESTS = frozenset({"x-request-id", "traceparent", "tracestate"})
"""Headers that are different for every request and change nothing of its answer."""


@dataclass(frozen=True, slots=True)
class SharedAnswer:
    """An answer for everybody who waits for it; `data` is written JSON, or None when a null moved up to the root."""

    data: orjson.Fragment | dict[str, Any] | None
    errors: tuple[ResponseError, ...]
    requests_sent: int


@dataclass(slots=True)
class _Shared:
    task: asyncio.Task[SharedAnswer]
    waiting: int = 0


class InFlight:
    """The queries under way by what they are. Only the event loop's thread touches it."""

    def __init__(self) -> None:
        self._running: dict[RequestKey, _Shared] = {}

    async def share(self, key: RequestKey, start: Callable[[], Coroutine[Any, Any, Answer]]) -> SharedAnswer:
        """The answer of equal work that is under way, or of work that is started now."""
        shared = self._running.get(key)
        if shared is None:
            shared = self._running[key] = _Shared(asyncio.create_task(_write_once(start())))
            shared.task.add_done_callback(lambda _task: self._forget(key, shared))
        shared.waiting += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.waiting -= 1
            if not shared.waiting and not shared.task.done():
                # Forgotten at once: who comes now must not wait for work that is being cancelled.
                self._forget(key, shared)
                shared.task.cancel()

    def let_nobody_join(self) -> None:
        """Work that is under way goes on for those who wait, but who asks from now on may see what changed since."""
        self._running.clear()

    def _forget(self, key: RequestKey, shared: _Shared) -> None:
        if self._running.get(key) is shared:
            del self._running[key]


async def _write_once(work: Coroutine[Any, Any, Answer]) -> SharedAnswer:
    answer = await work
    try:
        data = None if answer.data is None else orjson.Fragment(orjson.dumps(answer.data))
    except TypeError:  # nested deeper than can be written: each of the requests is told
        return SharedAnswer(answer.data, answer.errors, answer.requests_sent)
    return SharedAnswer(data, answer.errors, answer.requests_sent)


def request_key(operation: object, encoded_variables: Mapping[str, bytes], headers: Mapping[str, str]) -> RequestKey:
    """What makes two requests identical. `operation`: the compiled operation, which belongs to one snapshot."""
    return (
        id(operation),
        tuple(sorted(encoded_variables.items())),
        tuple(sorted((name, value) for name, value in headers.items() if name not in _NAMES_OF_REQUESTS)),
    )
