"""A server that hangs is an error, never a wait without end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from redis.exceptions import TimeoutError as RedisTimeoutError

from common.events import BLOCK_MS
from common.valkey import open_stream_valkey, open_valkey


@pytest.fixture
async def silent_server() -> AsyncIterator[tuple[str, list[object]]]:
    """A port that takes connections and never says a word; and the connections that came."""
    taken: list[object] = []

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, family=socket.AF_INET)
    port = server.sockets[0].getsockname()[1]
    yield f"redis://127.0.0.1:{port}/0", taken
    for writer in taken:
        assert isinstance(writer, asyncio.StreamWriter)
        writer.close()
    server.close()
    await server.wait_closed()


async def test_a_silent_server_is_a_timeout_and_asked_once(silent_server: tuple[str, list[object]]) -> None:
    """One try: the limit is the caller's whole wait, not a part of it."""
    url, taken = silent_server
    async with open_valkey(url, timeout_s=0.05) as redis:
        with pytest.raises(RedisTimeoutError):
            await redis.ping()
    assert len(taken) == 1


async def test_a_consumer_may_wait_for_as_long_as_its_reads_block() -> None:
    """Its limit lies above the time that a quiet stream makes it wait."""
    async with open_stream_valkey("redis://127.0.0.1:1/0") as redis:
        limit_s = redis.connection_pool.connection_kwargs["socket_timeout"]
    assert limit_s > BLOCK_MS / 1000
