"""The floor for a query that one subgraph answers: a plain Starlette application that hands it on with aiohttp.

Usage: proxy.py PORT SUBGRAPH_URL
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def create_proxy(url: str) -> Starlette:
    """Everything POSTed to /graphql goes to the address, with its Authorization, and the answer comes back."""
    sessions: list[aiohttp.ClientSession] = []

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            sessions.append(session)
            yield

    async def forward(request: Request) -> Response:
        headers = {"content-type": "application/json", "authorization": request.headers.get("authorization", "")}
        async with sessions[0].post(url, data=await request.body(), headers=headers) as answer:
            return Response(await answer.read(), status_code=answer.status, media_type="application/json")

    return Starlette(routes=[Route("/graphql", forward, methods=["POST"])], lifespan=lifespan)


if __name__ == "__main__":
    uvicorn.run(
        create_proxy(sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
