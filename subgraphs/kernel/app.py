"""A subgraph as an ASGI application: GraphQL over HTTP for the gateway at /graphql, and /health.

`create_subgraph_app` takes the schema and one async context manager that opens what the subgraph needs (stores,
consumers) and yields how to make a request's context. Nothing is opened before the application starts.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import structlog
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from common.clock import Clock, SystemClock
from common.errors import KIND_TABLE, ErrorKind, ServiceError
from common.events import ConsumerLag
from common.telemetry import REQUEST_ID_HEADER, bind_request, request_id_from
from common.tokens import VIEWER_HEADER, TokenInvalid
from subgraphs.kernel.context import RequestContext, RequestHead
from subgraphs.kernel.entities import FederatedSchema
from subgraphs.kernel.execution import SharedAnswers
from subgraphs.kernel.graphql_http import (
    GraphQLRequest,
    RequestRefused,
    error_answer,
    json_answer,
    read_graphql_request,
    shape_result,
)
from subgraphs.kernel.personal_data import PersonalDataStore
from subgraphs.kernel.personal_data_route import PERSONAL_DATA_PATH, PersonalDataRoute
from subgraphs.kernel.readiness import PREPARING, StillPreparing
from subgraphs.kernel.settings import SubgraphSettings
from subgraphs.kernel.viewer_verifier import ViewerVerifier

__all__ = ["HealthCheck", "OpenSubgraph", "OpenedSubgraph", "create_subgraph_app"]

log = structlog.get_logger(__name__)

HEALTH_CHECK_TIMEOUT_S = 1.0
FORWARDED_FOR_HEADER = "x-forwarded-for"
GRAPHQL_PATH = "/graphql"
MAX_ADDRESS_LENGTH = 64
"""Characters; an IPv6 address with an IPv4 address in it has 45."""
MAX_ADDRESSES_KEPT = 4_096

HealthCheck = Callable[[], Awaitable[None]]
"""Returns when the thing answers; raises what is wrong otherwise."""


@dataclass(frozen=True, slots=True)
class OpenedSubgraph:
    """What a started subgraph gives the application.

    `resources` is for extra routes, which find it as `request.app.state.resources`. Readiness needs every check of
    `required`; those of `optional` are only reported, for what the subgraph can do without for a while.
    """

    make_context: Callable[[RequestHead], RequestContext]
    required: Mapping[str, HealthCheck] = field(default_factory=dict)
    optional: Mapping[str, HealthCheck] = field(default_factory=dict)
    resources: object = None
    personal_data: Sequence[PersonalDataStore] = ()
    event_lags: Callable[[], Awaitable[Mapping[str, ConsumerLag]]] | None = None


OpenSubgraph = Callable[[], AbstractAsyncContextManager[OpenedSubgraph]]


def create_subgraph_app(
    *,
    name: str,
    schema: FederatedSchema,
    settings: SubgraphSettings,
    open_subgraph: OpenSubgraph,
    clock: Clock | None = None,
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """The application; `open_subgraph` is entered at start-up and left at shutdown."""
    endpoint = _Endpoint(name, schema, settings, clock or SystemClock())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_subgraph() as opened:
            endpoint.opened = opened
            app.state.resources = opened.resources
            log.info("subgraph.ready", subgraph=name)
            try:
                yield
            finally:
                endpoint.opened = None

    return _Application(
        endpoint,
        lifespan=lifespan,
        routes=[
            Route(GRAPHQL_PATH, endpoint.graphql, methods=["POST"]),
            Route("/health", endpoint.health, methods=["GET"]),
            Route(PERSONAL_DATA_PATH, endpoint.personal_data.answer, methods=["POST"]),
            *routes,
        ],
    )


class _Endpoint:
    """The routes that every subgraph has."""

    def __init__(self, name: str, schema: FederatedSchema, settings: SubgraphSettings, clock: Clock) -> None:
        self.opened: OpenedSubgraph | None = None
        self._name = name
        self._schema = schema
        self._settings = settings
        self._clock = clock
        self._viewers = ViewerVerifier(settings.shared.viewer_jwks_path, clock)
        self._kept = SharedAnswers(settings.kept_answers) if settings.kept_answers else None
        self._running = 0
        self.personal_data = PersonalDataRoute(self._personal_stores, settings.shared.viewer_jwks_path, clock)

    async def graphql(self, request: Request) -> Response:
        """POST /graphql."""
        request_id = request_id_from(request.headers.get(REQUEST_ID_HEADER))
        bind_request(request_id)
        if self._running >= self._settings.max_concurrent_requests:
            answer = error_answer(ErrorKind.UNAVAILABLE, "too many requests at once; try again in a second")
            answer.headers["retry-after"] = "1"
        else:
            self._running += 1
            try:
                answer = await self._answer(request, request_id)
            finally:
                self._running -= 1
        answer.headers[REQUEST_ID_HEADER] = request_id
        return answer

    async def _answer(self, request: Request, request_id: str) -> Response:
        if self.opened is None:
            return error_answer(ErrorKind.UNAVAILABLE, f"{self._name} is starting or stopping; try again")
        try:
            # Who asks comes first: a stranger learns nothing about what is wrong with the rest.
            viewer_token = request.headers.get(VIEWER_HEADER)
            viewer = self._viewers.verify(viewer_token)
        except TokenInvalid as error:
            log.warning("viewer.refused", reason=error.reason, error=str(error))
            return error_answer(ErrorKind.UNAUTHENTICATED, "the viewer context can't be trusted", reason=error.reason)
        try:
            async with asyncio.timeout(self._settings.request_timeout_s):
                operation = await read_graphql_request(request, self._settings.max_body_bytes)
                context = self.opened.make_context(
                    RequestHead(
                        viewer=viewer,
                        clock=self._clock,
                        now=self._clock.now(),
                        request_id=request_id,
                        client_address=_client_address(request),
                        viewer_token=viewer_token,
                    )
                )
                return await self._execute(operation, context)
        except RequestRefused as error:
            return error_answer(ErrorKind.INVALID_ARGUMENT, error.message, status=error.status)
        except TimeoutError:
            log.warning("graphql.timeout", timeout_s=self._settings.request_timeout_s)
            return error_answer(
                ErrorKind.DEADLINE_EXCEEDED, f"{self._name} found no answer in {self._settings.request_timeout_s:g} s"
            )
        except ClientDisconnect:
            return Response(status_code=499)

    async def _execute(self, operation: GraphQLRequest, context: RequestContext) -> Response:
        result = await self._schema.execute(
            operation.query,
            variable_values=operation.variables,
            context_value=context,
            operation_name=operation.operation_name,
            kept=self._kept,
        )
        return json_answer(shape_result(result, context.request_id))

    def _personal_stores(self) -> Sequence[PersonalDataStore]:
        if self.opened is None:
            raise ServiceError(ErrorKind.UNAVAILABLE, f"{self._name} is starting or stopping; try again")
        return self.opened.personal_data

    async def health(self, _request: Request) -> Response:
        """GET /health: 200 when every required check holds, 503 otherwise; the process is alive either way."""
        opened = self.opened
        if opened is None:
            return json_answer({"status": "starting", "service": self._name, "live": True, "ready": False}, 503)
        checks = {**opened.required, **opened.optional}
        outcomes = dict(zip(checks, await asyncio.gather(*map(_outcome, checks.values())), strict=True))
        is_ready = all(outcomes[check] == "ok" for check in opened.required)
        is_whole = all(outcome == "ok" for outcome in outcomes.values())
        status = "ok" if is_whole else "degraded" if is_ready else "unavailable"
        body: dict[str, Any] = {
            "status": status,
            "service": self._name,
            "live": True,
            "ready": is_ready,
            "checks": outcomes,
        }
        if opened.event_lags is not None:
            body["events"] = await _lags(opened.event_lags)
        return json_answer(body, 200 if is_ready else KIND_TABLE[ErrorKind.UNAVAILABLE].http_status)


class _Application(Starlette):
    """Starlette, but operations go straight to the endpoint.

    There is no middleware but Starlette's own; the way through it and the routes is a seventh of a small answer's time.
    """

    def __init__(self, endpoint: _Endpoint, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == GRAPHQL_PATH and scope["method"] == "POST":
            answer = await self._endpoint.graphql(Request(scope, receive))
            await answer(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


async def _lags(read: Callable[[], Awaitable[Mapping[str, ConsumerLag]]]) -> dict[str, Any] | None:
    """By topic; None when the streams do not answer in time, which the checks tell."""
    try:
        async with asyncio.timeout(HEALTH_CHECK_TIMEOUT_S):
            lags = await read()
    except (RedisError, OSError) as error:
        log.warning("health.lags_unknown", error=str(error))
        return None
    return {topic: {"undelivered": lag.undelivered, "pending": lag.pending} for topic, lag in lags.items()}


async def _outcome(check: HealthCheck) -> str:
    try:
        async with asyncio.timeout(HEALTH_CHECK_TIMEOUT_S):
            await check()
    except StillPreparing as progress:
        return f"{PREPARING}{progress}"
    except Exception as error:  # noqa: BLE001  # a health report says what failed, whatever it was
        log.warning("health.failed", error=str(error), error_type=type(error).__name__)
        return type(error).__name__
    return "ok"


def _client_address(request: Request) -> str:
    """The address that the gateway saw: the last entry of x-forwarded-for, else the peer. Never free text."""
    forwarded = request.headers.get(FORWARDED_FOR_HEADER, "").rsplit(",", 1)[-1].strip()
    if len(forwarded) <= MAX_ADDRESS_LENGTH and (address := _address_in(forwarded)) is not None:
        return address
    return request.client.host if request.client is not None else "unknown"


@lru_cache(MAX_ADDRESSES_KEPT)
def _address_in(text: str) -> str | None:
    """The IP address that the text is, as it is usually written; to read one takes a tenth of a small answer's time."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
