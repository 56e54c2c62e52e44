"""The page behind the link in a mail: GET asks, POST ends the mails. Mail programs POST by themselves (RFC 8058).

Opening must change nothing: programs that look for bad links open every one of a mail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from common.errors import ServiceError
from common.tokens import TokenInvalid

__all__ = ["UNSUBSCRIBE_PATH", "unsubscribe_route"]

log = structlog.get_logger(__name__)

UNSUBSCRIBE_PATH = "/unsubscribe/{token}"
ONE_CLICK = b"List-Unsubscribe=One-Click"
MAX_BODY_BYTES = 1_024
BODY_TIMEOUT_S = 5.0

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}
_ASK = (
    "<p>Stop the weekly mail about what is new, for all profiles of your account?</p>"
    '<form method="post"><button name="List-Unsubscribe" value="One-Click">Stop these mails</button></form>'
)
_DONE = "<p>You get no more of these mails. You can ask for them again in your account's settings.</p>"
_BAD_LINK = "<p>This link is too old, or was not copied whole. You can stop these mails in your account's settings.</p>"
_BAD_REQUEST = "<p>Press the button on the page of the link to stop these mails.</p>"
_AWAY = "<p>That did not work just now. Please try again in a minute.</p>"


def unsubscribe_route(
    check: Callable[[Request, str], object], stop: Callable[[Request, str], Awaitable[None]]
) -> Route:
    """Both raise TokenInvalid for a link that is not ours; `stop` may be repeated."""

    async def answer(request: Request) -> Response:
        token = request.path_params["token"]
        try:
            if request.method != "POST":
                check(request, token)
                return _page(_ASK)
            if ONE_CLICK not in await _read_body(request):
                return _page(_BAD_REQUEST, 400)
            await stop(request, token)
        except TokenInvalid as error:
            log.info("unsubscribe.refused", reason=error.reason)
            return _page(_BAD_LINK, 410 if error.reason == "expired" else 400)
        except (ServiceError, TimeoutError):
            return _page(_AWAY, 503)
        except ClientDisconnect:
            return Response(status_code=499)
        return _page(_DONE)

    return Route(UNSUBSCRIBE_PATH, answer, methods=["GET", "POST"])


async def _read_body(request: Request) -> bytes:
    """What fits; more is none of ours."""
    body = b""
    async with asyncio.timeout(BODY_TIMEOUT_S):
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return b""
    return body


def _page(content: str, status: int = 200) -> Response:
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Marquee</title><body><h1>Marquee</h1>{content}'
    return HTMLResponse(page + "</body></html>", status, headers=_HEADERS)
