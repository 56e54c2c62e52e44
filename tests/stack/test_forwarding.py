"""What the front hands on to a service behind it, and what it keeps to itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stack.forwarding import MAX_BODY_BYTES, Forwarding


async def _echo(request: Request) -> Response:
    body = (await request.body()).decode()
    seen = {"method": request.method, "path": request.url.path, "body": body, "names": sorted(request.headers.keys())}
    return JSONResponse(seen, 410, headers={"cache-control": "no-store", "set-cookie": "a=b"})


def front(port: int) -> httpx.AsyncClient:
    route = Route("/unsubscribe/{token}", Forwarding(f"http://127.0.0.1:{port}/").answer, methods=["GET", "POST"])
    return httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=[route])), base_url="http://front")


@pytest.fixture
async def service() -> AsyncIterator[int]:
    """A service that tells what it got; its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/unsubscribe/{token}", _echo, methods=["GET", "POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve([listening]))
    yield listening.getsockname()[1]
    server.should_exit = True
    await serving


async def test_path_method_type_and_body_pass(service: int) -> None:
    """And nothing else: no cookie, token or address of a client; nor a cookie back."""
    secrets = {"cookie": "session=1", "authorization": "Bearer x", "x-marquee-viewer": "forged"}
    async with front(service) as client:
        answer = await client.post("/unsubscribe/a.b.c", data={"List-Unsubscribe": "One-Click"}, headers=secrets)
    told: dict[str, Any] = answer.json()
    assert answer.status_code == 410
    assert (told["method"], told["path"], told["body"]) == (
        "POST",
        "/unsubscribe/a.b.c",
        "List-Unsubscribe=One-Click",
    )
    assert not secrets.keys() & set(told["names"])
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers


async def test_too_much_is_refused_and_nobody_there_is_said(service: int) -> None:
    """Without a trace of where the service would be."""
    async with front(service) as client:
        answer = await client.post("/unsubscribe/x", content=b"x" * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with front(port) as client:
        answer = await client.get("/unsubscribe/x")
    assert answer.status_code == 502
    assert str(port) not in answer.text
