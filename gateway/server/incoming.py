"""From an HTTP request to the parts of a GraphQL request; everything that does not fit is refused by name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.types import Receive, Scope

from gateway.errors import RequestRefused

__all__ = ["ClientLeft", "Incoming", "check_headers", "read_body", "read_get", "read_post"]

_MAX_HEADERS = 100
_MAX_HEADER_BYTES = 65_536
_MAX_QUERY_STRING_BYTES = 32_768
_PREFLIGHT_HEADERS = frozenset({"x-graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name"})


@dataclass(frozen=True, slots=True)
class Incoming:
    """What the client sent, shapes checked."""

    query: str | None
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)
    document_id: str | None = None


class ClientLeft(Exception):
    """The connection ended before the request was whole."""


def check_headers(scope: Scope) -> dict[str, str]:
    """The headers by lower-case name, repeated ones joined by a comma; raises RequestRefused(431) above the limits."""
    raw = scope["headers"]
    if len(raw) > _MAX_HEADERS or sum(len(name) + len(value) for name, value in raw) > _MAX_HEADER_BYTES:
        raise RequestRefused(431, f"at most {_MAX_HEADERS} headers of {_MAX_HEADER_BYTES} bytes together are read")
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


async def read_body(receive: Receive, headers: Mapping[str, str], *, max_bytes: int, timeout_s: float) -> bytes:
    """The whole body; raises RequestRefused (408, 413) or ClientLeft."""
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > max_bytes:
        raise _too_large(max_bytes)
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientLeft
                piece: bytes = message.get("body", b"")
                size += len(piece)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                pieces.append(piece)
                if not message.get("more_body", False):
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    except TimeoutError as error:
        raise RequestRefused(
            408, f"the request body did not arrive within {timeout_s:g} s", headers={"connection": "close"}
        ) from error


def read_post(headers: Mapping[str, str], body: bytes) -> Incoming:
    """A POSTed JSON body; raises RequestRefused (400, 415)."""
    _check_content_type(headers.get("content-type"), what="body")
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", ""}:
        raise RequestRefused(415, f"content-encoding {encoding[:40]!r} is not read; send the JSON as it is")
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestRefused(400, f"the body is not JSON: {str(error)[:200]}") from error
    if isinstance(payload, list):
        raise RequestRefused(400, "batches are not taken; send one request per HTTP request")
    if not isinstance(payload, dict):
        raise RequestRefused(400, "the body must be a JSON object with `query`, `variables` and `operationName`")
    return _incoming(payload)


def read_get(scope: Scope, headers: Mapping[str, str], *, require_preflight_header: bool) -> Incoming:
    """A query in the URL; raises RequestRefused (400, 403, 414, 415)."""
    content_type = headers.get("content-type")
    if content_type is not None:
        _check_content_type(content_type, what="GET request")
    if require_preflight_header and content_type is None and _PREFLIGHT_HEADERS.isdisjoint(headers):
        raise RequestRefused(
            403,
            "GET needs the header x-graphql-require-preflight here, so that no foreign page can send it",
            code="PREFLIGHT_REQUIRED",
        )
    raw: bytes = scope["query_string"]
    if len(raw) > _MAX_QUERY_STRING_BYTES:
        raise RequestRefused(414, f"the query string has {len(raw)} bytes; at most {_MAX_QUERY_STRING_BYTES} are read")
    try:
        values = parse_qs(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as error:
        raise RequestRefused(400, "the query string is not URL-encoded UTF-8") from error
    payload: dict[str, Any] = {name: given[-1] for name, given in values.items()}
    for name in ("variables", "extensions"):
        text = payload.get(name)
        if text:
            try:
                payload[name] = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                raise RequestRefused(400, f"`{name}` is not JSON: {str(error)[:200]}") from error
        else:
            payload.pop(name, None)
    if payload.get("operationName") == "":
        payload["operationName"] = None
    return _incoming(payload)


def _incoming(payload: dict[str, Any]) -> Incoming:
    query, name = payload.get("query"), payload.get("operationName")
    variables, extensions = payload.get("variables"), payload.get("extensions")
    document_id = payload.get("documentId")
    for value, kind, what in (
        (query, str, "`query` must be a string"),
        (name, str, "`operationName` must be a string"),
        (variables, dict, "`variables` must be an object"),
        (extensions, dict, "`extensions` must be an object"),
        (document_id, str, "`documentId` must be a string"),
    ):
        if value is not None and not isinstance(value, kind):
            raise RequestRefused(400, f"{what}, got {type(value).__name__}")
    return Incoming(query, name or None, variables or {}, extensions or {}, document_id)


def _check_content_type(content_type: str | None, *, what: str) -> None:
    if content_type is None:
        raise RequestRefused(415, "the request has no content-type; send application/json")
    name, *parameters = (piece.strip().lower() for piece in content_type.split(";"))
    if name != "application/json":
        raise RequestRefused(415, f"a {what} of type {name[:60]!r} is not read; send application/json")
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "charset" and value.strip().strip('"') not in {"utf-8", "utf8"}:
            raise RequestRefused(415, f"charset {value[:40]!r} is not read; send UTF-8")


def _too_large(max_bytes: int) -> RequestRefused:
    return RequestRefused(
        413,
        f"the request body has more than {max_bytes} bytes",
        code="PAYLOAD_TOO_LARGE",
        headers={"connection": "close"},
    )
