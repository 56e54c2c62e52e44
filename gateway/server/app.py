"""The gateway's application: /graphql, /health and GraphiQL's files, with every resource owned by the lifespan."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from gateway.executor.transport.base import SubgraphTransport
from gateway.executor.transport.in_process import AsgiApplication
from gateway.server.endpoint import EndpointOptions, GraphQLEndpoint
from gateway.server.graphiql import graphiql_routes
from gateway.server.runtime import GatewayRuntime
from gateway.settings import GatewaySettings

__all__ = ["create_app"]

GRAPHQL_PATH = "/graphql"


def create_app(
    settings: GatewaySettings,
    *,
    in_process: Mapping[str, AsgiApplication] | None = None,
    transport: SubgraphTransport | None = None,
) -> Starlette:
    """The gateway as an ASGI application.

    `in_process`: subgraphs by name that are called without sockets; the others are called at their addresses.
    `transport` replaces all of that. The lifespan raises SupergraphInvalid or OSError where the supergraph is unusable.
    """
    endpoint = GraphQLEndpoint(
        EndpointOptions(
            max_body_bytes=settings.max_body_bytes,
            body_timeout_s=settings.body_timeout_s,
            request_timeout_s=settings.request_timeout_s,
            max_concurrent_requests=settings.max_concurrent_requests,
            forwarded_headers=settings.forwarded_headers,
            require_preflight_header=settings.require_preflight_header,
            gzip_minimum_bytes=settings.gzip_minimum_bytes,
            gzip_level=settings.gzip_level,
            server_timing=settings.server_timing,
            access_log=settings.access_log,
            graphiql_dir=settings.graphiql_dir if settings.graphiql else None,
        )
    )
    runtime = GatewayRuntime(settings, endpoint, in_process or {}, transport)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with runtime.run():
            yield

    async def health(_request: Request) -> Response:
        body = {"status": "ok" if runtime.is_ready else "unavailable", "live": True, "ready": runtime.is_ready}
        return JSONResponse(
            {**body, "supergraph": runtime.version},
            status_code=200 if runtime.is_ready else 503,
            headers={"cache-control": "no-store"},
        )

    # Route, never Mount: a redirect to a trailing slash makes some TV stacks lose the body.
    routes: list[BaseRoute] = [Route(GRAPHQL_PATH, endpoint), Route("/health", health, methods=["GET"])]
    if settings.graphiql:
        routes += graphiql_routes(settings.graphiql_dir, settings.graphiql_query)
    return _Application(endpoint, routes=routes, middleware=_middleware(settings), lifespan=lifespan)


class _Application(Starlette):
    """Starlette, but operations go straight to the endpoint unless there is middleware for them."""

    def __init__(self, endpoint: GraphQLEndpoint, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == GRAPHQL_PATH and not self.user_middleware:
            await self._endpoint(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _middleware(settings: GatewaySettings) -> list[Middleware]:
    if not settings.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            allow_credentials="*" not in settings.cors_origins,
            expose_headers=["x-request-id", "server-timing"],
            max_age=600,
        )
    ]
