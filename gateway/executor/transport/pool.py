"""Connections to one origin: kept while idle, bounded in number, opened when needed."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import NamedTuple, TypeAlias

import aiohappyeyeballs

from gateway.executor.transport.connection import HttpConnection, RawAnswer

__all__ = ["KEEP_ALIVE_S", "ConnectionPool", "Origin"]

KEEP_ALIVE_S = 55.0
"""Below the idle time of usual servers and balancers (60 s), so that we close first."""
_CONNECT_TIMEOUT_S = 2.0
_NEXT_ADDRESS_AFTER_S = 0.25
"""How long one address of a host has before the next one is tried beside it (RFC 8305)."""
_ADDRESSES_GOOD_FOR_S = 60.0
_ADDRESSES_IN_DOUBT_FOR_S = 1.0
"""Once there was no connection to be had: a subgraph that moved is found soon, and a name is not looked up for each."""

_AddressInfo: TypeAlias = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]


class Origin(NamedTuple):
    """Where connections go to."""

    host: str
    port: int
    is_secure: bool


class ConnectionPool:
    """Use it on one event loop. Whoever exchanges waits while `limit` exchanges are under way, in order of arrival."""

    def __init__(self, origin: Origin, *, limit: int, max_body_bytes: int) -> None:
        self._origin = origin
        self._max_body_bytes = max_body_bytes
        self._slots = asyncio.Semaphore(limit)
        self._idle: list[HttpConnection] = []
        self._in_use: set[HttpConnection] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._addresses: list[_AddressInfo] = []
        self._addresses_until = float("-inf")
        self._tls = ssl.create_default_context() if origin.is_secure else None

    async def exchange(self, request: bytes, *, fresh: bool) -> RawAnswer:
        """One request and its answer; `fresh`: on a connection that was not idle before.

        Raises what HttpConnection.exchange does, and OSError or TimeoutError when no connection can be made.
        """
        async with self._slots:
            connection = (None if fresh else self._take_idle()) or await self._connect()
            self._in_use.add(connection)
            try:
                answer = await connection.exchange(request)
            except BaseException:
                connection.abort()
                raise
            finally:
                self._in_use.discard(connection)
            if connection.is_reusable:
                self._keep(connection)
            else:
                connection.abort()
            return answer

    async def aclose(self) -> None:
        """End every connection, those in use included."""
        if self._sweep is not None:
            self._sweep.cancel()
        connections = [*self._idle, *self._in_use]
        self._idle.clear()
        for connection in connections:
            connection.abort()
        await asyncio.gather(*(connection.wait_lost() for connection in connections))

    def _take_idle(self) -> HttpConnection | None:
        """The one that was used last, so that the others grow old together."""
        too_old = asyncio.get_running_loop().time() - KEEP_ALIVE_S
        while self._idle:
            connection = self._idle.pop()
            if connection.is_reusable and connection.idle_since > too_old:
                return connection
            connection.abort()
        return None

    def _keep(self, connection: HttpConnection) -> None:
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(KEEP_ALIVE_S, self._close_old)

    def _close_old(self) -> None:
        loop = asyncio.get_running_loop()
        too_old = loop.time() - KEEP_ALIVE_S
        for connection in self._idle:
            if connection.idle_since <= too_old:
                connection.abort()
        self._idle = [each for each in self._idle if each.is_reusable]
        # The oldest that stays decides when to look again.
        self._sweep = loop.call_at(self._idle[0].idle_since + KEEP_ALIVE_S, self._close_old) if self._idle else None

    async def _connect(self) -> HttpConnection:
        try:
            return await self._connect_to_known()
        except OSError:  # TimeoutError is one
            in_doubt_until = asyncio.get_running_loop().time() + _ADDRESSES_IN_DOUBT_FOR_S
            self._addresses_until = min(self._addresses_until, in_doubt_until)
            raise

    async def _connect_to_known(self) -> HttpConnection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            connected = await aiohappyeyeballs.start_connection(
                await self._resolve(), happy_eyeballs_delay=_NEXT_ADDRESS_AFTER_S, interleave=1
            )
            try:
                _, connection = await loop.create_connection(
                    lambda: HttpConnection(self._max_body_bytes),
                    sock=connected,
                    ssl=self._tls,
                    server_hostname=self._origin.host if self._tls is not None else None,
                )
            except BaseException:
                connected.close()
                raise
        return connection

    async def _resolve(self) -> list[_AddressInfo]:
        loop = asyncio.get_running_loop()
        if loop.time() >= self._addresses_until:
            found = await loop.getaddrinfo(self._origin.host, self._origin.port, type=socket.SOCK_STREAM)
            self._addresses = [(int(family), int(kind), number, name, at) for family, kind, number, name, at in found]  # type: ignore[misc]  # no address of another family comes for a TCP port
            self._addresses_until = loop.time() + _ADDRESSES_GOOD_FOR_S
        return self._addresses
