"""Listening, and leaving without losing a request.

The problem: who sends requests learns that a server is leaving only by asking its health, or by a connection that is
gone. Closing everything at SIGTERM loses the requests that are on their way at that moment.

The idea: after SIGTERM go on serving for a while, but say so in two ways. `/health` answers 503, so that balancers send
no more, and every answer carries `Connection: close`, so that clients let go of their connections themselves instead of
having them cut while they write. Only then the port is closed, after taking in what waits in its queue, and what was
taken in is answered. A second signal, and Ctrl-C of a person, ends the wait. tests/gateway/server/test_serving.py holds
it. Known limit: a connection that the kernel completes between the last look at the queue and the closing is reset.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.http_protocol import JoiningProtocol

__all__ = ["DrainingApp", "serve"]

KEEP_ALIVE_S = 75
"""Longer than the usual 60 s of balancers: the server never closes a connection that is about to be used."""
LISTEN_BACKLOG = 2048
SETTLE_S = 0.2
"""Time for the first request of connections that were taken in last; without it they would be closed unread."""

_DRAINING_BODY = json.dumps({"status": "draining", "live": True, "ready": False}).encode()


class DrainingApp:
    """An application that can be told that it is leaving; until then it is not in the way."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on; while draining, answer /health here and end each connection with its answer."""
        if not self.draining or scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [each for each in message.get("headers", ()) if each[0].lower() != b"connection"]
                message = {**message, "headers": [*headers, (b"connection", b"close")]}
            await send(message)

        if scope["path"] == "/health":
            await _say_draining(send_last)
        else:
            await self._app(scope, receive, send_last)


def serve(
    app: ASGIApp, listening: socket.socket, *, drain_s: float, finish_s: float, keep_alive_s: float = KEEP_ALIVE_S
) -> None:
    """Serve on a listening socket until SIGTERM or SIGINT; the socket is closed at the end.

    `drain_s`: how long to go on after SIGTERM while saying so (0: not at all). `finish_s`: how long requests under way
    may then take before they are cancelled. Ends the process by the signal that it got, as uvicorn does.
    """
    draining_app = DrainingApp(app)
    config = uvicorn.Config(
        draining_app,
        loop="uvloop",
        http=JoiningProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # No proxy is trusted to tell who asks: an X-Forwarded-For is somebody's claim.
        proxy_headers=False,
        timeout_keep_alive=int(keep_alive_s),
        timeout_graceful_shutdown=max(1, round(finish_s)),
    )
    _DrainingServer(config, draining_app, drain_s).run(sockets=[listening])


class _DrainingServer(uvicorn.Server):
    """uvicorn's server with a time between being told to stop and stopping."""

    def __init__(self, config: uvicorn.Config, app: DrainingApp, drain_s: float) -> None:
        super().__init__(config)
        self._app = app
        self._drain_s = drain_s
        self._stop_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig != signal.SIGTERM or not self.started or self._stop_at is not None or not self._drain_s:
            super().handle_exit(sig, frame)
            return
        self._captured_signals.append(sig)
        self._app.draining = True
        self._stop_at = time.monotonic() + self._drain_s

    async def on_tick(self, counter: int) -> bool:
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._app.draining:
            for listening in sockets or []:
                await self._take_in_waiting(listening)
            for server in self.servers:
                server.close()
            for listening in sockets or []:
                listening.close()
            await asyncio.sleep(SETTLE_S)
        await super().shutdown(sockets)

    async def _take_in_waiting(self, listening: socket.socket) -> None:
        """Accept what the kernel has completed already: closing the port would reset it."""
        loop = asyncio.get_running_loop()
        listening.settimeout(0)
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            await loop.connect_accepted_socket(self._create_protocol, connection)

    def _create_protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]  # as uvicorn itself calls it
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


async def _say_draining(send: Send) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"content-length", str(len(_DRAINING_BODY)).encode()),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": _DRAINING_BODY})
