"""GraphQL over HTTP between gateway and subgraph: reading a request, shaping a result, masking errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from strawberry.types import ExecutionResult

from common.errors import KIND_TABLE, ErrorKind, ServiceError

__all__ = ["GraphQLRequest", "RequestRefused", "error_answer", "json_answer", "read_graphql_request", "shape_result"]

log = structlog.get_logger(__name__)

JSON_MEDIA_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One operation as it was sent."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None


class RequestRefused(Exception):
    """Not a usable GraphQL-over-HTTP request; answered with `status`, and nothing was executed."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


async def read_graphql_request(request: Request, max_body_bytes: int) -> GraphQLRequest:
    """The operation in a request's body; raises RequestRefused naming what is wrong with it."""
    media_type = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if media_type != JSON_MEDIA_TYPE:
        raise RequestRefused(415, f"content-type is {media_type[:60]!r}; send {JSON_MEDIA_TYPE}")
    try:
        document = orjson.loads(await _read_body(request, max_body_bytes))
    except orjson.JSONDecodeError as error:
        raise RequestRefused(400, f"the body is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise RequestRefused(
            400, f"the body is a JSON {type(document).__name__}; send one object with query and variables"
        )
    query, variables, operation_name = (document.get(name) for name in ("query", "variables", "operationName"))
    if not isinstance(query, str) or not query.strip():
        raise RequestRefused(400, "query is missing; send the operation's text")
    if variables is not None and not isinstance(variables, dict):
        raise RequestRefused(400, f"variables is a {type(variables).__name__}; send an object or null")
    if operation_name is not None and not isinstance(operation_name, str):
        raise RequestRefused(400, f"operationName is a {type(operation_name).__name__}; send a string or null")
    return GraphQLRequest(query, variables, operation_name or None)


async def _read_body(request: Request, max_body_bytes: int) -> bytes:
    pieces = bytearray()
    async for piece in request.stream():
        pieces += piece
        if len(pieces) > max_body_bytes:
            raise RequestRefused(413, f"the body has more than {max_body_bytes} bytes; send smaller batches")
    return bytes(pieces)


def shape_result(result: ExecutionResult, request_id: str) -> dict[str, Any]:
    """The answer's object. Errors that were not meant for clients are logged whole and sent masked."""
    # A request that failed before execution has no data at all, which is not the same as data that is null.
    was_executed = result.data is not None or any(error.path is not None for error in result.errors or ())
    answer: dict[str, Any] = {"data": result.data} if was_executed else {}
    if result.errors:
        answer["errors"] = [_shape_error(error, request_id) for error in result.errors]
    return answer


def json_answer(body: Mapping[str, Any], status: int = 200) -> Response:
    """A JSON response."""
    return Response(orjson.dumps(body), status, media_type=JSON_MEDIA_TYPE)


def error_answer(kind: ErrorKind, message: str, *, status: int | None = None, **extensions: Any) -> Response:
    """A refusal of the whole request in GraphQL's error form, with the kind's HTTP status unless another is given."""
    error = {"message": message, "extensions": {"code": kind.value, **extensions}}
    return json_answer({"errors": [error]}, status or KIND_TABLE[kind].http_status)


def _shape_error(error: GraphQLError, request_id: str) -> dict[str, Any]:
    shaped: dict[str, Any] = {"message": error.message}
    if error.locations:
        shaped["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        shaped["path"] = error.path
    cause = error.original_error
    if isinstance(cause, ServiceError):
        shaped["message"] = cause.message
        shaped["extensions"] = {"code": cause.kind.value}
    elif cause is None or isinstance(cause, GraphQLError):
        # Syntax, validation and variables: graphql-core's own words, fit for whoever wrote the operation.
        shaped["extensions"] = {"code": "BAD_USER_INPUT", **(error.extensions or {})}
    else:
        log.error("graphql.unexpected_error", path=error.path, error=str(cause), exc_info=cause)
        shaped["message"] = f"internal error, request {request_id}"
        shaped["extensions"] = {"code": ErrorKind.INTERNAL.value}
    return shaped
