"""Reads a request's body up to a limit, so that nobody fills the memory."""

from __future__ import annotations

from starlette.requests import Request

__all__ = ["BodyTooLarge", "read_body"]


class BodyTooLarge(Exception):
    """The body is larger than this endpoint reads."""


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body; raises BodyTooLarge as soon as it is known to be too large."""
    announced = request.headers.get("Content-Length", "0")
    if announced.isdigit() and int(announced) > max_bytes:
        raise BodyTooLarge(f"the body has {announced} bytes, at most {max_bytes} are read")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise BodyTooLarge(f"the body has more than {max_bytes} bytes, which is what is read")
    return bytes(body)
