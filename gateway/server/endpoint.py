"""GraphQL over HTTP at one path: POST and GET, answers as graphql-response+json or json.

A plain ASGI callable, since the hot path is here: a known operation costs header checks, one JSON read, the pipeline
and one JSON write. A client that leaves cancels what it started.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from common.telemetry import REQUEST_ID_HEADER, request_id_from
from common.tokens import VIEWER_HEADER
from gateway.errors import InternalError, RequestInvalid, RequestRefused, ResponseError
from gateway.pipeline.handle import Pipeline
from gateway.pipeline.request import Executed, GatewayRequest, Outcome, RefusedRequest, RequestError
from gateway.server.compression import compress
from gateway.server.graphiql import graphiql_page
from gateway.server.identity import Identity
from gateway.server.incoming import ClientLeft, Incoming, check_headers, read_body, read_get, read_post
from gateway.server.negotiation import MediaType, negotiate, prefers_html, status_of

__all__ = ["EndpointOptions", "GraphQLEndpoint", "encode_answer"]

_LEAVE_WATCH_AFTER_S = 0.05
"""Requests that end sooner are not worth watching for a client that goes away."""
_COMPRESS_IN_THREAD_BYTES = 200_000
_ALLOWED = "GET, POST, OPTIONS"
_ADDRESS_HEADER = "x-forwarded-for"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EndpointOptions:
    """What the endpoint needs of the settings. `graphiql_dir` None: no page for browsers."""

    max_body_bytes: int
    body_timeout_s: float
    request_timeout_s: float
    max_concurrent_requests: int
    forwarded_headers: tuple[str, ...]
    require_preflight_header: bool
    gzip_minimum_bytes: int
    gzip_level: int
    server_timing: bool
    access_log: bool
    graphiql_dir: Path | None


@dataclass(frozen=True, slots=True)
class _HttpAnswer:
    """An outcome on its way out; `began` is the event loop's time when the request came."""

    outcome: Outcome
    status: int
    media_type: MediaType
    began: float


class GraphQLEndpoint:
    """The ASGI callable. `pipeline` and `identity` are set while the application runs; before that, 503."""

    def __init__(self, options: EndpointOptions) -> None:
        self._options = options
        names = {name.lower(): None for name in options.forwarded_headers}
        self._forwards_address = _ADDRESS_HEADER in names
        # Of these two the gateway's own word is sent; a client's would be a forgery.
        self._forwarded = tuple(name for name in names if name not in {VIEWER_HEADER, _ADDRESS_HEADER})
        self._in_work = 0
        self.pipeline: Pipeline | None = None
        self.identity: Identity | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={"allow": _ALLOWED})(scope, receive, send)
            return
        self._in_work += 1
        try:
            await self._answer(scope, receive, send)
        except ClientLeft:
            return
        finally:
            self._in_work -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = asyncio.get_running_loop().time()
        media_type: MediaType | None = MediaType.JSON
        headers: dict[str, str] = {}
        incoming: Incoming | None = None
        outcome: Outcome
        try:
            headers = check_headers(scope)
            accept = headers.get("accept")
            if self._wants_page(scope, accept):
                assert self._options.graphiql_dir is not None
                await graphiql_page(self._options.graphiql_dir)(scope, receive, send)
                return
            media_type = negotiate(accept)
            incoming = await self._read(scope, receive, headers, media_type)
            request_id = request_id_from(headers.get(REQUEST_ID_HEADER))
            headers[REQUEST_ID_HEADER] = request_id
            outcome = await self._run(scope, receive, headers, incoming)
        except RequestRefused as error:
            outcome = RefusedRequest(error.status, error.error, error.headers)
        except RequestInvalid as error:
            outcome = RequestError(error.errors, error.status)
        media_type = media_type or MediaType.JSON
        answer = _HttpAnswer(outcome, status_of(outcome, media_type), media_type, began)
        size = await self._send(send, headers, answer)
        if self._options.access_log:
            self._write_log(headers, incoming, answer, size)

    def _wants_page(self, scope: Scope, accept: str | None) -> bool:
        return (
            scope["method"] == "GET"
            and self._options.graphiql_dir is not None
            and b"query=" not in scope["query_string"]
            and prefers_html(accept)
        )

    async def _read(
        self, scope: Scope, receive: Receive, headers: Mapping[str, str], media_type: MediaType | None
    ) -> Incoming:
        """The GraphQL request in the HTTP request; raises RequestRefused."""
        options = self._options
        if scope["method"] not in {"GET", "POST"}:
            raise RequestRefused(
                405,
                f"{scope['method']} is not answered here; use POST",
                code="METHOD_NOT_ALLOWED",
                headers={"allow": _ALLOWED},
            )
        if media_type is None:
            raise RequestRefused(
                406,
                "answers are application/graphql-response+json or application/json; accept one of them",
                code="NOT_ACCEPTABLE",
            )
        if self._in_work > options.max_concurrent_requests:
            raise RequestRefused(
                503, "too many requests at once; try again", code="OVERLOADED", headers={"retry-after": "1"}
            )
        if scope["method"] == "GET":
            return read_get(scope, headers, require_preflight_header=options.require_preflight_header)
        body = await read_body(receive, headers, max_bytes=options.max_body_bytes, timeout_s=options.body_timeout_s)
        return read_post(headers, body)

    async def _run(self, scope: Scope, receive: Receive, headers: Mapping[str, str], incoming: Incoming) -> Outcome:
        pipeline = self.pipeline
        if pipeline is None:
            raise RequestRefused(
                503, "the gateway is starting or stopping; try again", code="UNAVAILABLE", headers={"retry-after": "1"}
            )
        forwarded = {name: headers[name] for name in self._forwarded if name in headers}
        if self._forwards_address and scope.get("client"):
            forwarded[_ADDRESS_HEADER] = scope["client"][0]
        if self.identity is not None:
            context = await self.identity.viewer_context(headers.get("authorization"))
            if context is not None:
                forwarded[VIEWER_HEADER] = context
        loop = asyncio.get_running_loop()
        request = GatewayRequest(
            query=incoming.query,
            operation_name=incoming.operation_name,
            variables=incoming.variables,
            extensions=incoming.extensions,
            document_id=incoming.document_id,
            headers=forwarded,
            allow_mutation=scope["method"] == "POST",
            deadline=loop.time() + self._options.request_timeout_s,
        )
        watch = _LeaveWatch(receive)
        timer = loop.call_later(_LEAVE_WATCH_AFTER_S, watch.start)
        try:
            return await pipeline.handle(request)
        except asyncio.CancelledError as error:
            if not watch.has_left:
                raise
            watch.settle()
            raise ClientLeft from error
        finally:
            timer.cancel()
            watch.stop()

    async def _send(self, send: Send, headers: Mapping[str, str], answer: _HttpAnswer) -> int:
        """Write the answer; returns the body's bytes as sent."""
        body = encode_answer(answer.outcome)
        raw: list[tuple[bytes, bytes]] = [
            (b"content-type", answer.media_type.encode()),
            (b"vary", b"accept, accept-encoding"),
            (b"cache-control", b"private, no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if REQUEST_ID_HEADER in headers:
            raw.append((REQUEST_ID_HEADER.encode(), headers[REQUEST_ID_HEADER].encode("latin-1")))
        match answer.outcome:
            case RefusedRequest():
                raw += [(name.encode(), value.encode("latin-1")) for name, value in answer.outcome.headers.items()]
            case RequestError() if answer.status == 401:
                raw.append((b"www-authenticate", b'Bearer error="invalid_token"'))
            case Executed() if self._options.server_timing:
                times = answer.outcome.times
                timing = f"prepare;dur={times.prepare_s * 1e3:.2f}, execute;dur={times.execute_s * 1e3:.2f}"
                raw.append((b"server-timing", timing.encode()))
        if len(body) >= self._options.gzip_minimum_bytes and _accepts_gzip(headers.get("accept-encoding", "")):
            raw.append((b"content-encoding", b"gzip"))
            if len(body) > _COMPRESS_IN_THREAD_BYTES:
                body = await asyncio.to_thread(compress, body, self._options.gzip_level)
            else:
                body = compress(body, self._options.gzip_level)
        raw.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await send({"type": "http.response.body", "body": body})
        return len(body)

    @staticmethod
    def _write_log(headers: Mapping[str, str], incoming: Incoming | None, answer: _HttpAnswer, size: int) -> None:
        outcome = answer.outcome
        _log.info(
            "request",
            request_id=headers.get(REQUEST_ID_HEADER),
            operation_name=None if incoming is None else incoming.operation_name,
            outcome=type(outcome).__name__,
            status=answer.status,
            errors=1 if isinstance(outcome, RefusedRequest) else len(outcome.errors),
            subgraph_requests=outcome.requests_sent if isinstance(outcome, Executed) else 0,
            bytes=size,
            milliseconds=round((asyncio.get_running_loop().time() - answer.began) * 1e3, 2),
        )


def encode_answer(outcome: Outcome) -> bytes:
    """The outcome as a GraphQL response in JSON."""
    match outcome:
        case RefusedRequest():
            return _encode_errors((outcome.error,))
        case RequestError():
            return _encode_errors(outcome.errors)
        case Executed():
            payload: dict[str, Any] = {}
            if outcome.errors:
                payload["errors"] = [error.to_json() for error in outcome.errors]
            payload["data"] = outcome.data
            try:
                return orjson.dumps(payload)
            except TypeError:  # a custom scalar nested deeper than can be written
                deep = ResponseError("the answer is nested too deeply to be written", InternalError.code)
                return orjson.dumps({"errors": [deep.to_json()], "data": None})


def _encode_errors(errors: tuple[ResponseError, ...]) -> bytes:
    return orjson.dumps({"errors": [error.to_json() for error in errors]})


def _accepts_gzip(accept_encoding: str) -> bool:
    for part in accept_encoding.split(","):
        name, _, parameters = part.strip().lower().partition(";")
        if name.strip() == "gzip":
            return parameters.replace(" ", "") not in {"q=0", "q=0.", "q=0.0", "q=0.00", "q=0.000"}
    return False


class _LeaveWatch:
    """Cancels the task that made it when the client's connection ends."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task = asyncio.current_task()
        self._watch: asyncio.Task[None] | None = None
        self.has_left = False

    def start(self) -> None:
        self._watch = asyncio.create_task(self._wait())

    def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    def settle(self) -> None:
        """Take back the cancellation: the task ends by returning."""
        if self._task is not None:
            self._task.uncancel()

    async def _wait(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.has_left = True
                if self._task is not None:
                    self._task.cancel()
                return
