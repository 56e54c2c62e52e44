"""Who calls a gRPC service: a viewer that the gateway vouches for, one of our own services, or nobody.

The signatures are verified here, once per call; a header that can't be verified ends the call instead of making the
caller anonymous, so that a broken token is never mistaken for none.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from common.clock import Clock, SystemClock
from common.errors import ErrorKind, ServiceError
from common.tokens import VIEWER_HEADER, TokenInvalid, TokenVerifier, Viewer

__all__ = [
    "AUTHORIZATION_KEY",
    "Caller",
    "CallerVerifier",
    "current_caller",
    "enter_caller",
    "require_scope_or_service",
    "require_service",
    "require_viewer",
    "require_viewer_or_service",
]

AUTHORIZATION_KEY = "authorization"
_BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class Caller:
    """At most one of the two is set; neither: anonymous. `service` is the calling service's name."""

    viewer: Viewer | None = None
    service: str | None = None


_caller: ContextVar[Caller] = ContextVar("caller")


def enter_caller(caller: Caller) -> None:
    """Make this the caller of the current call; only the interceptor does."""
    _caller.set(caller)


def current_caller() -> Caller:
    """The verified caller of the current call."""
    return _caller.get(Caller())


class CallerVerifier:
    """Verifies call metadata against the published keys; reads the key file again when it changes."""

    def __init__(self, jwks_path: Path, clock: Clock | None = None) -> None:
        self._jwks_path = jwks_path
        self._clock = clock or SystemClock()
        self._loaded_at_ns = -1
        self._viewer_verifier: TokenVerifier | None = None
        self._service_verifier: TokenVerifier | None = None

    def identify(self, metadata: Iterable[tuple[str, str | bytes]]) -> Caller:
        """The caller; raises ServiceError UNAUTHENTICATED when a token is there and can't be trusted."""
        texts = {key.lower(): value for key, value in metadata if isinstance(value, str)}
        viewer_token, authorization = texts.get(VIEWER_HEADER), texts.get(AUTHORIZATION_KEY)
        if viewer_token is None and authorization is None:
            return Caller()
        self._load_keys()
        try:
            if viewer_token is not None:
                assert self._viewer_verifier is not None
                return Caller(viewer=self._viewer_verifier.verify_viewer(viewer_token))
            assert authorization is not None
            assert self._service_verifier is not None
            if not authorization.lower().startswith(_BEARER):
                raise ServiceError(ErrorKind.UNAUTHENTICATED, "authorization must be 'Bearer <service token>'")
            claims = self._service_verifier.verify(authorization[len(_BEARER) :].strip())
            return Caller(service=str(claims.get("sub", "")))
        except TokenInvalid as error:
            raise ServiceError(ErrorKind.UNAUTHENTICATED, f"the call's token is not accepted: {error}") from error

    def _load_keys(self) -> None:
        try:
            changed_at_ns = self._jwks_path.stat().st_mtime_ns
        except FileNotFoundError as error:
            raise ServiceError(
                ErrorKind.UNAVAILABLE, "no key to verify callers with yet; start the gateway once, or create the key"
            ) from error
        if changed_at_ns != self._loaded_at_ns:
            self._viewer_verifier = TokenVerifier.for_viewer(self._jwks_path, self._clock)
            self._service_verifier = TokenVerifier.for_service(self._jwks_path, self._clock)
            self._loaded_at_ns = changed_at_ns


def require_viewer(caller: Caller) -> Viewer:
    """The signed-in viewer; raises ServiceError UNAUTHENTICATED."""
    if caller.viewer is None or caller.viewer.account_id is None:
        raise ServiceError(ErrorKind.UNAUTHENTICATED, f"this call needs a viewer context in metadata {VIEWER_HEADER}")
    return caller.viewer


def require_service(caller: Caller) -> str:
    """The calling service's name; raises ServiceError UNAUTHENTICATED or PERMISSION_DENIED."""
    if caller.service:
        return caller.service
    kind = ErrorKind.PERMISSION_DENIED if caller.viewer else ErrorKind.UNAUTHENTICATED
    raise ServiceError(kind, "this call needs a service token in metadata authorization: Bearer")


def require_viewer_or_service(caller: Caller) -> None:
    """Either will do; raises ServiceError UNAUTHENTICATED."""
    if not caller.service:
        require_viewer(caller)


def require_scope_or_service(caller: Caller, scope: str) -> None:
    """A viewer with the scope, or one of our services; raises ServiceError."""
    if caller.service:
        return
    viewer = require_viewer(caller)
    if scope not in viewer.scopes:
        raise ServiceError(ErrorKind.PERMISSION_DENIED, f"this call needs the scope {scope!r}, or a service token")
