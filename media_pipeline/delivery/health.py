"""Liveness and readiness of delivery and what it leans on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

__all__ = ["HealthEndpoint"]

CHECK_TIMEOUT_S = 0.5


class HealthEndpoint:
    """`required` must work for anything to be served; without the `optional` ones something is missing."""

    def __init__(
        self,
        required: Mapping[str, Callable[[], Awaitable[object]]],
        optional: Mapping[str, Callable[[], Awaitable[object]]],
    ) -> None:
        self._required = required
        self._optional = optional

    async def serve(self, _request: Request) -> Response:
        """200 when ready, 503 when a required part is away; each part's state either way."""
        names = [*self._required, *self._optional]
        checks = [*self._required.values(), *self._optional.values()]
        states = dict(zip(names, await asyncio.gather(*(_state(check) for check in checks)), strict=True))
        ready = all(states[name] == "ok" for name in self._required)
        is_whole = all(state == "ok" for state in states.values())
        status = "ok" if is_whole else "degraded" if ready else "unavailable"
        body = {"status": status, "live": True, "ready": ready, "checks": states}
        return JSONResponse(body, status_code=200 if ready else 503, headers={"Cache-Control": "no-store"})


async def _state(check: Callable[[], Awaitable[object]]) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check()
    except Exception as error:  # noqa: BLE001  # whatever a part raises, it is away
        return f"away ({type(error).__name__})"
    return "ok"
