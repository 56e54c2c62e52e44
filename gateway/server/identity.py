"""Who is asking: verifies a client's token once and vouches for it to subgraphs with a short-lived signed header.

Verified tokens are kept by their text until they expire, and the viewer context made from each until it has less than a
third of its life left: a known client costs a dictionary look-up.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from common.clock import Clock, SystemClock
from common.tokens import (
    MAX_TOKEN_LENGTH,
    VIEWER_CONTEXT_LIFE,
    SigningKey,
    TokenInvalid,
    TokenVerifier,
    Viewer,
    sign_viewer_context,
)
from gateway.errors import RequestInvalid, ResponseError
from gateway.server.documents import fetch_document
from gateway.server.revocations import RevokedSessions

__all__ = ["ContextSigner", "Identity", "KeySetSource", "fetch_key_set"]

_MAX_KNOWN_TOKENS = 20_000
_MAX_KEY_SET_BYTES = 100_000
_UNKNOWN_KEY_REFETCH_S = 30.0
_log = structlog.get_logger(__name__)

KeySetSource = Callable[[], Awaitable[Mapping[str, Any]]]


class ContextSigner(Protocol):
    """The key that signs viewer contexts, which may be another one at another time."""

    def signing_key(self) -> SigningKey:
        """The key that signs now."""
        ...


async def fetch_key_set(address: str) -> Mapping[str, Any]:
    """The key set at a URL or in a file; raises OSError or ValueError."""
    return await fetch_document(address, _MAX_KEY_SET_BYTES)


@dataclass(slots=True)
class _Known:
    """A verified token. Times are POSIX seconds."""

    claims: Mapping[str, Any]
    expires_at: float
    context: str = ""
    context_until: float = 0.0


class Identity:
    """Verifies tokens and signs viewer contexts.

    `signer` None: contexts are not forwarded. `revoked` None: a token is good until it expires.
    """

    def __init__(
        self,
        key_set_source: KeySetSource,
        signer: ContextSigner | None,
        *,
        refresh_s: float,
        revoked: RevokedSessions | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._key_set_source = key_set_source
        self._signer = signer
        self._refresh_s = refresh_s
        self._revoked = revoked
        self._clock = clock or SystemClock()
        self._verifier: TokenVerifier | None = None
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def viewer_context(self, authorization: str | None) -> str | None:
        """The header value that vouches for the sender; None for nobody. Raises RequestInvalid (401, or 503)."""
        if authorization is None:
            return None
        scheme, _, token = authorization.strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or " " in token or len(token) > MAX_TOKEN_LENGTH:
            raise _unauthenticated("malformed", "the Authorization header must be `Bearer <access token>`")
        now = self._clock.now().timestamp()
        known = self._known.get(token)
        if known is None or now >= known.expires_at:
            known = await self._verify(token)
            self._known[token] = known
            if len(self._known) > _MAX_KNOWN_TOKENS:
                self._known.popitem(last=False)
        if self._revoked is not None and known.claims.get("sid") in self._revoked.sessions:
            raise _unauthenticated("revoked", "the session has ended; log in again")
        if self._signer is None:
            return None
        if now >= known.context_until:
            life = VIEWER_CONTEXT_LIFE.total_seconds()
            known.context = sign_viewer_context(
                self._signer.signing_key(), known.claims, datetime.fromtimestamp(now, UTC)
            )
            known.context_until = now + life * 2 / 3
        return known.context

    async def aclose(self) -> None:
        """End a fetch that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    async def _verify(self, token: str) -> _Known:
        verifier = await self._current_verifier()
        try:
            claims = verifier.verify(token)
        except TokenInvalid as error:
            if error.reason != "signature" or not self._may_fetch_again():
                raise _unauthenticated(error.reason, str(error)) from error
            # The issuer may have a new key since we looked.
            await self._fetch()
            claims = self._verify_again(token)
        try:
            viewer = Viewer.from_claims(claims)
        except TokenInvalid as error:
            raise _unauthenticated(error.reason, str(error)) from error
        if not viewer.account_id:
            raise _unauthenticated("claims", "the token names nobody")
        return _Known(viewer.to_claims(), float(claims["exp"]))

    def _verify_again(self, token: str) -> dict[str, Any]:
        assert self._verifier is not None
        try:
            return self._verifier.verify(token)
        except TokenInvalid as error:
            raise _unauthenticated(error.reason, str(error)) from error

    async def _current_verifier(self) -> TokenVerifier:
        now = self._now()
        # While the issuer is away it is asked as rarely as for unknown keys, unless a refresh is due sooner anyway.
        may_try = now - self._tried_at > min(self._refresh_s, _UNKNOWN_KEY_REFETCH_S)
        if now - self._fetched_at > self._refresh_s and (self._verifier is None or may_try):
            await self._fetch()
        if self._verifier is None:
            raise RequestInvalid(
                [ResponseError("tokens can't be verified for the moment; try again", "UNAVAILABLE")], status=503
            )
        return self._verifier

    def _may_fetch_again(self) -> bool:
        return self._now() - self._tried_at > _UNKNOWN_KEY_REFETCH_S

    async def _fetch(self) -> None:
        """Fetch the key set; concurrent callers share one fetch, a failure leaves the keys that we have."""
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch_once())
        await asyncio.shield(self._fetching)

    async def _fetch_once(self) -> None:
        self._tried_at = self._now()
        try:
            self._verifier = TokenVerifier.for_access(await self._key_set_source(), self._clock)
        except (OSError, ValueError) as error:
            _log.warning("key set can't be read", error=str(error))
            return
        self._fetched_at = self._now()
        self._known.clear()

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _unauthenticated(reason: str, message: str) -> RequestInvalid:
    return RequestInvalid([ResponseError(message, "UNAUTHENTICATED", extensions={"reason": reason})], status=401)
