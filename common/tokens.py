"""Tokens: ES256 signatures over claims, for three audiences that must never be mixed up.

- access tokens: profiles signs them for clients, the gateway verifies them (audience "marquee");
- viewer contexts: the gateway signs who is asking, for at most a minute; subgraphs and gRPC services verify
  (audience "marquee-viewer", header or metadata key VIEWER_HEADER);
- service tokens: one of our own processes or an operator calls an internal service (audience "marquee-internal").

A verifier names the audience and the issuer that it accepts, so a token made for one door opens no other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from common.clock import Clock, SystemClock
from common.signing_keys import KeyRing, SigningKey, ensure_key_file

__all__ = [
    "ACCESS_AUDIENCE",
    "INTERNAL_AUDIENCE",
    "VIEWER_AUDIENCE",
    "VIEWER_HEADER",
    "KeyRing",
    "SigningKey",
    "TokenInvalid",
    "TokenVerifier",
    "Viewer",
    "ensure_key_file",
    "sign_access_token",
    "sign_service_token",
    "sign_viewer_context",
]

ACCESS_AUDIENCE = "marquee"
VIEWER_AUDIENCE = "marquee-viewer"
INTERNAL_AUDIENCE = "marquee-internal"

ACCESS_ISSUER = "marquee-profiles"
GATEWAY_ISSUER = "marquee-gateway"
INTERNAL_ISSUER = "marquee-internal"

VIEWER_HEADER = "x-marquee-viewer"
"""HTTP header and gRPC metadata key that carries the viewer context."""

VIEWER_CONTEXT_LIFE = timedelta(seconds=60)
SERVICE_TOKEN_LIFE = timedelta(minutes=10)
MAX_TOKEN_LENGTH = 8192
"""Characters; longer ones are refused unread."""


class TokenInvalid(Exception):
    """The token can't be trusted. `reason` is "expired", "malformed", "signature", "audience" or "claims"."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking, as the gateway vouches for it. Anonymous: `account_id` is None and nothing else is set.

    `maturity` is the highest certificate age that the selected profile may see (0 to 18). `country` is an ISO 3166
    alpha-2 code. `device_id` is set when the client named its device at log-in.
    """

    account_id: str | None = None
    session_id: str | None = None
    country: str | None = None
    plan: str | None = None
    subscription: str | None = None
    scopes: frozenset[str] = frozenset()
    profile_id: str | None = None
    is_kids: bool = False
    maturity: int | None = None
    language: str | None = None
    device_id: str | None = None

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> Self:
        """The viewer in verified claims; raises TokenInvalid("claims") when a claim has the wrong shape."""
        try:
            maturity = claims.get("maturity")
            return cls(
                account_id=_text(claims, "sub"),
                session_id=_text(claims, "sid"),
                country=_text(claims, "country"),
                plan=_text(claims, "plan"),
                subscription=_text(claims, "subscription"),
                scopes=frozenset(str(scope) for scope in claims.get("scopes") or ()),
                profile_id=_text(claims, "profile"),
                is_kids=bool(claims.get("kids", False)),
                maturity=None if maturity is None else int(maturity),
                language=_text(claims, "language"),
                device_id=_text(claims, "device"),
            )
        except (TypeError, ValueError) as error:
            raise TokenInvalid("claims", f"a claim has the wrong shape: {error}") from error

    def to_claims(self) -> dict[str, Any]:
        """The claims that from_claims reads back; unset ones are left out."""
        claims: dict[str, Any] = {
            "sub": self.account_id,
            "sid": self.session_id,
            "country": self.country,
            "plan": self.plan,
            "subscription": self.subscription,
            "scopes": sorted(self.scopes) or None,
            "profile": self.profile_id,
            "kids": self.is_kids or None,
            "maturity": self.maturity,
            "language": self.language,
            "device": self.device_id,
        }
        return {name: value for name, value in claims.items() if value is not None}


@dataclass
class TokenVerifier:
    """Verifies one kind of token: signature by a key of the set, issuer, audience, time.

    `leeway` forgives clocks that differ between machines.
    """

    key_set: KeySet
    issuer: str
    audience: str
    clock: Clock = field(default_factory=SystemClock)
    leeway: timedelta = timedelta(seconds=5)

    @classmethod
    def from_jwks(cls, jwks: Mapping[str, Any], *, issuer: str, audience: str, clock: Clock | None = None) -> Self:
        """A verifier for a published key set; raises ValueError when the set holds no usable key."""
        keys = jwks.get("keys") or []
        if not keys:
            raise ValueError("the key set holds no keys")
        return cls(KeySet.import_key_set({"keys": list(keys)}), issuer, audience, clock or SystemClock())

    @classmethod
    def for_viewer(cls, jwks_path: Path, clock: Clock | None = None) -> Self:
        """The verifier of viewer contexts for subgraphs and gRPC services."""
        jwks = json.loads(jwks_path.read_text())
        return cls.from_jwks(jwks, issuer=GATEWAY_ISSUER, audience=VIEWER_AUDIENCE, clock=clock)

    @classmethod
    def for_service(cls, jwks_path: Path, clock: Clock | None = None) -> Self:
        """The verifier of service tokens; they are signed with the viewer key and differ by issuer and audience."""
        jwks = json.loads(jwks_path.read_text())
        return cls.from_jwks(jwks, issuer=INTERNAL_ISSUER, audience=INTERNAL_AUDIENCE, clock=clock)

    @classmethod
    def for_access(cls, jwks: Mapping[str, Any], clock: Clock | None = None) -> Self:
        """The verifier of access tokens."""
        return cls.from_jwks(jwks, issuer=ACCESS_ISSUER, audience=ACCESS_AUDIENCE, clock=clock)

    def verify(self, token: str) -> dict[str, Any]:
        """The claims; raises TokenInvalid with the first reason that holds."""
        if len(token) > MAX_TOKEN_LENGTH:
            raise TokenInvalid("malformed", f"token of {len(token)} characters; at most {MAX_TOKEN_LENGTH} are read")
        try:
            decoded = jwt.decode(token, self.key_set, algorithms=["ES256"])
        except (JoseError, ValueError, TypeError) as error:
            reason = "signature" if token.count(".") == 2 else "malformed"
            raise TokenInvalid(reason, f"token can't be verified: {error}") from error
        claims = decoded.claims
        self._check_claims(claims)
        return dict(claims)

    def verify_viewer(self, token: str) -> Viewer:
        """The viewer in a verified token; raises TokenInvalid."""
        return Viewer.from_claims(self.verify(token))

    def _check_claims(self, claims: Mapping[str, Any]) -> None:
        if claims.get("iss") != self.issuer:
            raise TokenInvalid("audience", f"token issued by {claims.get('iss')!r}, wanted {self.issuer!r}")
        audience = claims.get("aud")
        if audience != self.audience and not (isinstance(audience, list) and self.audience in audience):
            raise TokenInvalid("audience", f"token for audience {audience!r}, wanted {self.audience!r}")
        expires_at = claims.get("exp")
        if not isinstance(expires_at, int | float) or isinstance(expires_at, bool):
            raise TokenInvalid("claims", "token has no expiry")
        now = self.clock.now().timestamp()
        if now >= expires_at + self.leeway.total_seconds():
            raise TokenInvalid("expired", "token has expired; log in again or refresh the session")
        not_before = claims.get("nbf", claims.get("iat", 0))
        if not isinstance(not_before, int | float) or now + self.leeway.total_seconds() < not_before:
            raise TokenInvalid("claims", "token is not valid yet")


def sign_access_token(key: SigningKey, viewer: Viewer, now: datetime, life: timedelta) -> str:
    """A client's access token, as the profiles subgraph issues it."""
    return key.sign(_stamped(viewer.to_claims(), ACCESS_ISSUER, ACCESS_AUDIENCE, now, life))


def sign_viewer_context(key: SigningKey, viewer_claims: Mapping[str, Any], now: datetime) -> str:
    """The gateway's word on who is asking, valid for VIEWER_CONTEXT_LIFE; `viewer_claims` as in Viewer.to_claims."""
    return key.sign(_stamped(viewer_claims, GATEWAY_ISSUER, VIEWER_AUDIENCE, now, VIEWER_CONTEXT_LIFE))


def sign_service_token(key: SigningKey, service: str, now: datetime, life: timedelta = SERVICE_TOKEN_LIFE) -> str:
    """A token by which one of our processes (or an operator) calls an internal service; `service` is its name."""
    return key.sign(_stamped({"sub": service}, INTERNAL_ISSUER, INTERNAL_AUDIENCE, now, life))


def _stamped(claims: Mapping[str, Any], issuer: str, audience: str, now: datetime, life: timedelta) -> dict[str, Any]:
    issued_at = int(now.timestamp())
    return {
        **claims,
        "iss": issuer,
        "aud": audience,
        "iat": issued_at,
        "exp": issued_at + int(life.total_seconds()),
    }


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} is {type(value).__name__}, wanted a string")
    return value
