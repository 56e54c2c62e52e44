"""Clients of Valkey or Redis that never wait for ever: a server that hangs looks like one that is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from common.events import BLOCK_MS

__all__ = ["open_stream_valkey", "open_valkey"]

TIMEOUT_S = 2.0
"""For connecting, and for each reply; a healthy server on the same network needs about a millisecond."""


@asynccontextmanager
async def open_valkey(url: str, timeout_s: float = TIMEOUT_S) -> AsyncIterator[Redis]:
    """A client for commands that answer at once; it connects when first used and is closed at the block's end.

    Its calls raise redis.exceptions.TimeoutError or ConnectionError.
    """
    redis = Redis.from_url(url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s)
    try:
        yield redis
    finally:
        await redis.aclose()


@asynccontextmanager
async def open_stream_valkey(url: str) -> AsyncIterator[Redis]:
    """A client for EventConsumer, whose reads may take as long as they wait for a new event, and a little more."""
    async with open_valkey(url, BLOCK_MS / 1000 + TIMEOUT_S) as redis:
        yield redis
