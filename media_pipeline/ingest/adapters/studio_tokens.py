"""Who may upload: an account whose access token carries the scope "studio", or one of our own services."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import aiohttp

from common.clock import Clock, SystemClock
from common.errors import ErrorKind, ServiceError
from common.tokens import TokenInvalid, TokenVerifier, Viewer

__all__ = ["KeySetSource", "StudioTokens"]

STUDIO_SCOPE = "studio"
FRESH_S = 300.0
RETRY_S = 5.0
"""A token of an unknown key makes us ask for the key set again, at most this often."""
TIMEOUT_S = 3.0
MAX_KEY_SET_BYTES = 64 << 10


class KeySetSource:
    """A published key set, by URL or from a file. What was read is kept through an outage of its publisher."""

    def __init__(self, location: str, http: aiohttp.ClientSession) -> None:
        self._location = location
        self._http = http
        self._key_set: dict[str, Any] | None = None
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self, *, fresh: bool = False) -> dict[str, Any]:
        """The key set; `fresh`: read it again unless that was just done. Raises ServiceError UNAVAILABLE."""
        async with self._lock:
            age_s = time.monotonic() - self._read_at
            if self._key_set is None or age_s >= FRESH_S or (fresh and age_s >= RETRY_S):
                try:
                    self._key_set = json.loads(await self._read())
                    self._read_at = time.monotonic()
                except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                    if self._key_set is None:
                        raise ServiceError(
                            ErrorKind.UNAVAILABLE, "no key to verify access tokens with yet; try again"
                        ) from error
            return self._key_set

    async def _read(self) -> bytes:
        if not self._location.startswith(("http://", "https://")):
            return await asyncio.to_thread(Path(self._location).read_bytes)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with self._http.get(self._location, timeout=timeout, allow_redirects=False) as answer:
            answer.raise_for_status()
            return await answer.content.read(MAX_KEY_SET_BYTES)


class StudioTokens:
    """Verifies `Authorization: Bearer` against the published key sets."""

    def __init__(self, access_keys: KeySetSource, service_jwks_path: Path, clock: Clock | None = None) -> None:
        self._access_keys = access_keys
        self._service_jwks_path = service_jwks_path
        self._clock = clock or SystemClock()

    async def owner(self, authorization: str | None) -> str:
        """Who uploads, as the owner of what is uploaded; raises ServiceError."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise ServiceError(ErrorKind.UNAUTHENTICATED, "uploads need Authorization: Bearer <access token>")
        service = self._service(token)
        if service is not None:
            return f"service:{service}"
        viewer = await self._viewer(token)
        if viewer.account_id is None or STUDIO_SCOPE not in viewer.scopes:
            raise ServiceError(ErrorKind.PERMISSION_DENIED, f"uploads need an account with the scope {STUDIO_SCOPE!r}")
        return viewer.account_id

    def _service(self, token: str) -> str | None:
        """The service that signed a token; None when none did."""
        try:
            claims = TokenVerifier.for_service(self._service_jwks_path, self._clock).verify(token)
        except (TokenInvalid, FileNotFoundError):
            return None
        return str(claims.get("sub", ""))

    async def _viewer(self, token: str) -> Viewer:
        """The account of an access token; a signature that does not fit is tried again with fresh keys."""
        try:
            return self._verify(token, await self._access_keys.get())
        except TokenInvalid as error:
            if error.reason != "signature":
                raise _refused(error) from error
        try:
            return self._verify(token, await self._access_keys.get(fresh=True))
        except TokenInvalid as error:
            raise _refused(error) from error

    def _verify(self, token: str, key_set: dict[str, Any]) -> Viewer:
        return TokenVerifier.for_access(key_set, self._clock).verify_viewer(token)


def _refused(error: TokenInvalid) -> ServiceError:
    return ServiceError(ErrorKind.UNAUTHENTICATED, f"the access token is not accepted: {error}")
