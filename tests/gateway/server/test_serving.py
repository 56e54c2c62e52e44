"""A server that is told to stop says so first, and finishes what it has begun."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.server.serving import DrainingApp

SERVER = """
import asyncio, socket, sys
from gateway.server.serving import serve

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        print(listening.getsockname()[1], flush=True)
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/slow":
        print("in work", flush=True)
        await asyncio.sleep(1)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

listening = socket.create_server(("127.0.0.1", 0))
serve(app, listening, drain_s=float(sys.argv[1]), finish_s=10)
"""


@contextmanager
def running(drain_s: float) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process and its port."""
    with subprocess.Popen([sys.executable, "-c", SERVER, str(drain_s)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def ask(connection: http.client.HTTPConnection, path: str) -> tuple[int, str | None, bytes]:
    """Status, Connection header and body."""
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.getheader("connection"), response.read()


def test_after_sigterm_health_says_so_and_requests_are_still_answered() -> None:
    """Balancers see 503, clients an answer that ends the connection; a second signal ends the wait."""
    with running(drain_s=60) as (process, port):
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        assert ask(kept, "/") == (200, None, b"ok")

        process.send_signal(signal.SIGTERM)
        status = 200
        while status == 200:
            status, _, body = ask(http.client.HTTPConnection("127.0.0.1", port, timeout=10), "/health")

        assert status == 503
        assert json.loads(body) == {"status": "draining", "live": True, "ready": False}
        assert ask(kept, "/") == (200, "close", b"ok")
        assert ask(http.client.HTTPConnection("127.0.0.1", port, timeout=10), "/") == (200, "close", b"ok")

        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == -signal.SIGTERM


def test_a_request_under_way_is_answered_before_the_end() -> None:
    """The signal comes in the middle of a request that takes longer than the drain."""
    with running(drain_s=0.1) as (process, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/slow")
        assert process.stdout is not None
        assert process.stdout.readline() == "in work\n"

        process.send_signal(signal.SIGTERM)

        assert connection.getresponse().read() == b"ok"
        assert process.wait(20) == -signal.SIGTERM


async def test_an_application_that_is_not_leaving_is_not_touched() -> None:
    """Before the signal, /health is the application's own."""
    seen: list[str] = []

    async def app(scope: object, _receive: object, send: object) -> None:
        seen.append(f"{scope} {send}")

    draining_app = DrainingApp(app)
    await draining_app({"type": "http", "path": "/health"}, None, "send")  # type: ignore[arg-type]

    assert seen == ["{'type': 'http', 'path': '/health'} send"]
