"""Hands requests of a browser or a mail program on to a service that only the front can reach, one path at a time."""

from __future__ import annotations

import aiohttp
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

__all__ = ["Forwarding"]

log = structlog.get_logger(__name__)

TIMEOUT_S = 10.0
MAX_BODY_BYTES = 4_096
MAX_ANSWER_BYTES = 65_536
PASSED_HEADERS = ("content-type", "cache-control", "content-security-policy", "referrer-policy", "x-robots-tag")
"""Of the service's answer, besides what every answer of the front has."""


class Forwarding:
    """`origin` is the service's address. What a client sends besides path, method, type and body stays outside."""

    def __init__(self, origin: str) -> None:
        self._origin = origin.rstrip("/")

    async def answer(self, request: Request) -> Response:
        """The service's answer; 502 when it gives none, 413 for a body that no form of ours has."""
        try:
            body = await _read_body(request)
        except ClientDisconnect:
            return Response(status_code=499)
        if body is None:
            return PlainTextResponse(f"the body has more than {MAX_BODY_BYTES} bytes", 413)
        headers = {name: request.headers[name] for name in ("content-type",) if name in request.headers}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as client,
                client.request(
                    request.method,
                    f"{self._origin}{request.url.path}",
                    data=body or None,
                    headers=headers,
                    allow_redirects=False,
                ) as answer,
            ):
                content = await answer.content.read(MAX_ANSWER_BYTES)
                passed = {name: answer.headers[name] for name in PASSED_HEADERS if name in answer.headers}
                return Response(content, answer.status, {**passed, "x-content-type-options": "nosniff"})
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("front.not_forwarded", error_type=type(error).__name__)
            return PlainTextResponse("this page can't be reached just now; try again in a minute", 502)


async def _read_body(request: Request) -> bytes | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return body
