"""A gateway in this process, in front of a transport: for tests that speak to it over HTTP without sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from common.settings import SharedSettings
from gateway.executor.transport.base import SubgraphTransport
from gateway.server.app import create_app
from gateway.settings import GatewaySettings

__all__ = ["gateway_client", "post"]


@asynccontextmanager
async def gateway_client(
    sdl: str, transport: SubgraphTransport | None, folder: Path, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running gateway that serves `sdl`; its file is `folder`/supergraph.graphql."""
    path = folder / "supergraph.graphql"
    path.write_text(sdl)
    app = create_app(
        GatewaySettings(
            supergraph=path,
            shared=SharedSettings(state_dir=folder / "state"),
            **{"access_log": False, "reload_interval_s": 0, **settings},
        ),
        transport=transport,
    )
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client,
    ):
        yield client


async def post(client: httpx.AsyncClient, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer's JSON; the errors are in it."""
    response = await client.post("/graphql", json={"query": query, "variables": variables})
    payload: dict[str, Any] = response.json()
    return payload
