"""Verifies the viewer context that the gateway signed; a bare or forged header is never trusted."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import structlog

from common.clock import Clock
from common.tokens import TokenInvalid, TokenVerifier, Viewer

__all__ = ["ViewerVerifier"]

log = structlog.get_logger(__name__)

ANONYMOUS = Viewer()
CACHE_SIZE = 4_096
"""Verified tokens kept: the gateway signs one per client token and minute, and each comes with every fetch."""


@dataclass(frozen=True, slots=True)
class _Verified:
    viewer: Viewer
    expires_at_s: float


class ViewerVerifier:
    """Reads the gateway's public keys from a file, again when it changed: a restarted gateway may have a new key."""

    def __init__(self, jwks_path: Path, clock: Clock) -> None:
        self._jwks_path = jwks_path
        self._clock = clock
        self._verifier: TokenVerifier | None = None
        self._read_stamp: tuple[int, int] | None = None
        self._verified: OrderedDict[str, _Verified] = OrderedDict()

    def verify(self, token: str | None) -> Viewer:
        """The viewer; anonymous for no token. Raises TokenInvalid."""
        if token is None:
            return ANONYMOUS
        known = self._verified.get(token)
        if known is not None and self._clock.now().timestamp() < known.expires_at_s:
            self._verified.move_to_end(token)
            return known.viewer
        claims = self._current_verifier().verify(token)
        viewer = Viewer.from_claims(claims)
        self._verified[token] = _Verified(viewer, float(claims["exp"]))
        if len(self._verified) > CACHE_SIZE:
            self._verified.popitem(last=False)
        return viewer

    def _current_verifier(self) -> TokenVerifier:
        """The verifier for the file as it is now; one stat per unknown token."""
        try:
            stat = self._jwks_path.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino)
            if self._verifier is None or stamp != self._read_stamp:
                self._verifier = TokenVerifier.for_viewer(self._jwks_path, self._clock)
                self._read_stamp = stamp
                self._verified.clear()
        except (OSError, ValueError, json.JSONDecodeError) as error:
            # Keys that were read once stay good while the file is away; without any, nobody can be trusted.
            log.warning("viewer.keys_unreadable", path=str(self._jwks_path), error=str(error))
            if self._verifier is None:
                raise TokenInvalid("signature", "the gateway's public keys are not there yet; try again") from error
        return self._verifier
