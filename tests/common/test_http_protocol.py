"""What uvicorn writes leaves in fewer pieces, and is the same."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import uvicorn
import uvloop
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from common.http_protocol import JoiningProtocol, JoiningTransport


class Wire(asyncio.Transport):
    """Notes what is sent, each piece by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.writelines((data,))

    def writelines(self, pieces: Sequence[bytes]) -> None:
        assert not self.is_closed
        self.pieces.append(b"".join(pieces))

    def close(self) -> None:
        self.is_closed = True


@given(st.lists(st.lists(st.binary(min_size=1, max_size=3), max_size=5), max_size=6), st.booleans())
def test_the_bytes_are_the_same_and_none_is_held_beyond_its_turn(turns: list[list[bytes]], is_closed: bool) -> None:
    async def write() -> None:
        wire, sent = Wire(), b""
        transport = JoiningTransport(wire, asyncio.get_running_loop())
        for written in turns:
            before = len(wire.pieces)
            for piece in written:
                transport.write(piece)
                sent += piece
            await asyncio.sleep(0)
            assert b"".join(wire.pieces) == sent
            assert len(wire.pieces) - before == (len(written) + 1) // 2
        if is_closed:
            transport.write(b"last")
            transport.close()
            assert wire.is_closed
            assert b"".join(wire.pieces) == sent + b"last"

    asyncio.run(write())


async def _app(scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    if scope["path"] == "/stream":
        await send({"type": "http.response.body", "body": b"go", "more_body": True})
        await asyncio.Event().wait()
    await send({"type": "http.response.body", "body": b"gone"})


def test_a_server_sends_an_answer_whole_and_a_stream_as_it_comes() -> None:
    """Asked twice over one connection; the stream's answer never ends."""

    async def ask() -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            _app, http=JoiningProtocol, lifespan="off", log_config=None, timeout_graceful_shutdown=0
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve([listening]))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            answer = await reader.read(10_000)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answer.endswith(b"\r\n\r\ngone")
        writer.write(b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        assert await reader.readexactly(2) == b"go"
        writer.close()
        server.should_exit = True
        await serving

    uvloop.run(asyncio.wait_for(ask(), 10))
