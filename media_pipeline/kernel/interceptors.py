"""One guard around every gRPC method: identity, deadline, log line, and errors as statuses without a stack trace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import structlog

from common.errors import ErrorKind, ServiceError
from common.telemetry import REQUEST_ID_HEADER, bind_request, request_id_from
from grpc_protos.error_kinds import STATUS_BY_KIND
from media_pipeline.kernel.identity import CallerVerifier, enter_caller

__all__ = ["CallGuard"]

log = structlog.get_logger(__name__)

_UnaryBehaviour = Callable[[Any, grpc.aio.ServicerContext[Any, Any]], Awaitable[Any]]
_StreamBehaviour = Callable[[Any, grpc.aio.ServicerContext[Any, Any]], AsyncIterator[Any]]


class CallGuard(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in the stubs only
    """Wraps each method of our own services; health and reflection stay open.

    A unary call ends after the caller's deadline or `call_timeout_s`, whichever is sooner; a stream likewise with
    `watch_timeout_s`.
    """

    def __init__(self, verifier: CallerVerifier, *, call_timeout_s: float, watch_timeout_s: float) -> None:
        self._verifier = verifier
        self._call_timeout_s = call_timeout_s
        self._watch_timeout_s = watch_timeout_s

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """The method's handler with the guard around it."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith("/grpc."):
            return handler
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                self._guard_unary(method, handler.unary_unary),
                request_deserializer=handler.request_deserializer,
                response_serializer=handler.response_serializer,
            )
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(
                self._guard_stream(method, handler.unary_stream),
                request_deserializer=handler.request_deserializer,
                response_serializer=handler.response_serializer,
            )
        raise TypeError(f"{method} streams from the client, which no service of ours does; extend CallGuard first")

    def _guard_unary(self, method: str, behaviour: Any) -> _UnaryBehaviour:
        run: _UnaryBehaviour = behaviour

        async def guarded(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            started_at = time.monotonic()
            try:
                self._enter(context)
                async with asyncio.timeout(_limit(context, self._call_timeout_s)):
                    answer = await run(request, context)
            except Exception as error:  # noqa: BLE001  # the call's edge: everything becomes a status
                await _abort(method, context, error, started_at)
            log.info("grpc.call", method=method, status="OK", ms=_elapsed_ms(started_at))
            return answer

        return guarded

    def _guard_stream(self, method: str, behaviour: Any) -> _StreamBehaviour:
        run: _StreamBehaviour = behaviour

        async def guarded(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
            started_at = time.monotonic()
            try:
                self._enter(context)
                async with asyncio.timeout(_limit(context, self._watch_timeout_s)):
                    async for answer in run(request, context):
                        yield answer
            except Exception as error:  # noqa: BLE001  # the call's edge: everything becomes a status
                await _abort(method, context, error, started_at)
            log.info("grpc.stream", method=method, status="OK", ms=_elapsed_ms(started_at))

        return guarded

    def _enter(self, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        metadata = list(context.invocation_metadata() or ())
        request_id = next((value for key, value in metadata if key == REQUEST_ID_HEADER), None)
        bind_request(request_id_from(request_id if isinstance(request_id, str) else None))
        enter_caller(self._verifier.identify(metadata))


def _limit(context: grpc.aio.ServicerContext[Any, Any], ours_s: float) -> float:
    """Seconds that the call may take. Without a deadline gRPC reports None or a very large number."""
    theirs_s = context.time_remaining()
    return ours_s if theirs_s is None else max(0.0, min(theirs_s, ours_s))


def _elapsed_ms(started_at: float) -> float:
    return round((time.monotonic() - started_at) * 1000, 2)


async def _abort(method: str, context: grpc.aio.ServicerContext[Any, Any], error: Exception, started_at: float) -> None:
    """Ends the call with the status that the error stands for. Never returns."""
    match error:
        case grpc.aio.AbortError():
            raise error
        case ServiceError():
            kind, message = error.kind, error.message
        case TimeoutError():
            kind, message = ErrorKind.DEADLINE_EXCEEDED, f"{method} did not finish in time; it may still have happened"
        case _:
            kind, message = ErrorKind.INTERNAL, f"{method} failed inside; the log has it under this call's request id"
            log.error("grpc.failed", method=method, exc_info=error)
    log.info("grpc.call", method=method, status=kind.value, ms=_elapsed_ms(started_at), reason=message)
    await context.abort(STATUS_BY_KIND[kind], message)
