"""HTTP errors as problem+json (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

__all__ = ["problem"]


def problem(
    status: int, detail: str, *, problem_type: str = "about:blank", headers: Mapping[str, str] | None = None
) -> Response:
    """The answer to a request that can't be served. `detail` is for the caller: what was wrong and what to do."""
    title = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
    body = {"type": problem_type, "title": title, "status": status, "detail": detail}
    return Response(
        json.dumps(body),
        status_code=status,
        media_type="application/problem+json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
