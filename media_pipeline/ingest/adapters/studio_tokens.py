"""Who may upload: an account whose access token carries the scope "studio", or one of our own services."""

from __future__ import annotations

import json
from pathlib import Path

from common.clock import Clock, SystemClock
from common.errors import ErrorKind, ServiceError
from common.tokens import TokenInvalid, TokenVerifier, Viewer

__all__ = ["StudioTokens"]

STUDIO_SCOPE = "studio"


class StudioTokens:
    """Verifies `Authorization: Bearer` against the published key sets; they are read anew when they change."""

    def __init__(self, access_jwks_path: Path, service_jwks_path: Path, clock: Clock | None = None) -> None:
        self._access_jwks_path = access_jwks_path
        self._service_jwks_path = service_jwks_path
        self._clock = clock or SystemClock()

    def owner(self, authorization: str | None) -> str:
        """Who uploads, as the owner of what is uploaded; raises ServiceError."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise ServiceError(ErrorKind.UNAUTHENTICATED, "uploads need Authorization: Bearer <access token>")
        try:
            return f"service:{self._service_verifier().verify(token)['sub']}"
        except (TokenInvalid, FileNotFoundError):
            pass  # not one of our services; then it must be an account
        try:
            viewer = Viewer.from_claims(self._access_verifier().verify(token))
        except FileNotFoundError as error:
            raise ServiceError(ErrorKind.UNAVAILABLE, "no key to verify access tokens with yet; try again") from error
        except TokenInvalid as error:
            raise ServiceError(ErrorKind.UNAUTHENTICATED, f"the access token is not accepted: {error}") from error
        if viewer.account_id is None or STUDIO_SCOPE not in viewer.scopes:
            raise ServiceError(ErrorKind.PERMISSION_DENIED, f"uploads need an account with the scope {STUDIO_SCOPE!r}")
        return viewer.account_id

    def _service_verifier(self) -> TokenVerifier:
        return TokenVerifier.for_service(self._service_jwks_path, self._clock)

    def _access_verifier(self) -> TokenVerifier:
        return TokenVerifier.for_access(json.loads(self._access_jwks_path.read_text()), self._clock)
