"""Sessions that ended before their tokens expired: the issuer tells them, the gateway asks every few seconds.

A token lives for minutes and is verified without asking anybody; who signs out everywhere, or changes a stolen
password, wants it dead sooner. The list is short: it names the sessions that ended within a token's life. While the
issuer is away the last list holds, and what it does not name expires by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog

from common.background import background
from gateway.server.documents import fetch_document

__all__ = ["RevokedSessions", "fetch_revoked_sessions"]

_MAX_BYTES = 4_000_000
_log = structlog.get_logger(__name__)


async def fetch_revoked_sessions(address: str) -> Mapping[str, Any]:
    """`{"sessions": ["…"]}` at a URL or in a file; raises OSError or ValueError."""
    return await fetch_document(address, _MAX_BYTES)


class RevokedSessions:
    """The list as it was last told."""

    def __init__(self, source: Callable[[], Awaitable[Mapping[str, Any]]], refresh_s: float) -> None:
        self.sessions: frozenset[str] = frozenset()
        self._source = source
        self._refresh_s = refresh_s

    async def refresh(self) -> None:
        """Ask once; a failure leaves the list that we have."""
        try:
            told = (await self._source()).get("sessions")
            if not isinstance(told, list):
                raise ValueError(f"sessions is {type(told).__name__}, wanted a list")  # noqa: TRY004, TRY301  # bad data
        except (OSError, ValueError) as error:
            _log.warning("revoked sessions can't be read", error=str(error))
            return
        self.sessions = frozenset(str(session) for session in told)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ask again and again until the block ends."""
        async with background(self._run(), "revoked-sessions"):
            yield

    async def _run(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(self._refresh_s)
