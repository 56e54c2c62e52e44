"""uvicorn's HTTP protocol, with the head and the body of an answer in one write.

The problem: uvicorn writes the head of an answer when it is told of it and the body behind it, and uvloop sends each
write at once. An answer was two system calls and two packets, and whoever waited for it was woken twice: for a head
that tells nothing, and for the rest.

The idea: between the protocol and its connection stands one that holds a write until the next one of the same turn of
the event loop, and sends both together. An answer that is told at once leaves whole.

Invariants, held by tests/common/test_http_protocol.py: the bytes and their order are what they were; nothing is held
longer than the turn in which it was written, so that a stream's head leaves before its body is there.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["JoiningProtocol", "JoiningTransport"]


class JoiningProtocol(HttpToolsProtocol):
    """For uvicorn's setting `http`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """See asyncio.Protocol."""
        super().connection_made(JoiningTransport(transport, self.loop))


class JoiningTransport(asyncio.Transport):
    """A connection as uvicorn uses it: two writes of one turn become one. Whatever else is asked, the connection is."""

    def __init__(self, connection: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._connection = connection
        self._loop = loop
        self._held: Any = None

    def write(self, data: Any) -> None:
        """Send it with the one before it, or at the end of this turn."""
        held = self._held
        if held is None:
            self._held = data
            self._loop.call_soon(self._send_held)
        else:
            self._held = None
            self._connection.writelines((held, data))

    def close(self) -> None:
        """When everything is sent."""
        self._send_held()
        self._connection.close()

    def is_closing(self) -> bool:
        """See asyncio.Transport."""
        return self._connection.is_closing()

    def pause_reading(self) -> None:
        """See asyncio.Transport."""
        self._connection.pause_reading()

    def resume_reading(self) -> None:
        """See asyncio.Transport."""
        self._connection.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """See asyncio.Transport."""
        return self._connection.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """See asyncio.Transport."""
        self._connection.set_protocol(protocol)

    def _send_held(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._connection.write(held)
