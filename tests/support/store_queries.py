"""Counts what one operation asks of the stores: SQL statements, Valkey commands, gRPC calls and requests to subgraphs.

Only what happens on behalf of the operation is counted, however many consumers and relays run beside it: the count
travels with the operation's context, which background tasks do not have.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

import grpc.aio
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from sqlalchemy import Engine, event

from gateway.executor.transport.in_process import InProcessTransport

__all__ = ["counted_stores", "counting"]

_COUNT: ContextVar[Counter[str] | None] = ContextVar("store_queries", default=None)


def _add(what: str) -> None:
    count = _COUNT.get()
    if count is not None:
        count[what] += 1


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """What is asked within the block, by this task and what it starts; inside of `counted_stores`."""
    count: Counter[str] = Counter()
    token = _COUNT.set(count)
    try:
        yield count
    finally:
        _COUNT.reset(token)


@contextmanager
def counted_stores() -> Iterator[None]:
    """The clients of all stores count while the block lasts."""

    def on_statement(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        # However many keys are looked up together, it is the same statement.
        shown = " ".join(re.sub(r"\(\?(, \?)*\)", "(…)", statement).split())
        _add(f"sql {shown[:110]}")

    event.listen(Engine, "before_cursor_execute", on_statement)
    try:
        with (
            patch.object(Redis, "execute_command", _counted(Redis.execute_command, lambda _, name: f"valkey {name}")),
            patch.object(Pipeline, "execute", _counted(Pipeline.execute, lambda *_: "valkey pipeline")),
            patch.object(
                grpc.aio.UnaryUnaryMultiCallable,
                "__call__",
                _counted(grpc.aio.UnaryUnaryMultiCallable.__call__, _method),
            ),
            patch.object(
                InProcessTransport,
                "send",
                _counted(InProcessTransport.send, lambda _, request: f"request to {request.subgraph_name}"),
            ),
        ):
            yield
    finally:
        event.remove(Engine, "before_cursor_execute", on_statement)


def _counted(call: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
    def counted(self: Any, *arguments: Any, **options: Any) -> Any:
        _add(name(self, *arguments[:1]))
        return call(self, *arguments, **options)

    return counted


def _method(call: Any, *_: Any) -> str:
    return f"grpc {getattr(call, '_method', b'').decode()}"
