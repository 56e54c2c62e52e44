"""Forged, stolen and broken tokens at both doors: the gateway's Authorization and a subgraph's viewer context.

Every form is tried on the real verifiers with real keys. Whatever is wrong, the gateway answers 401 with code
UNAUTHENTICATED, the subgraph refuses, and nothing else is ever raised.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from common.clock import FakeClock
from common.signing_keys import KeyRing, SigningKey
from common.tokens import TokenInvalid, TokenVerifier, Viewer
from gateway.errors import RequestInvalid
from gateway.server.identity import Identity
from subgraphs.kernel.viewer_verifier import ViewerVerifier

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
OTHER = SigningKey.generate()


class Door:
    """One door: its key, whom it believes, and the forms that go through or not."""

    def __init__(self, ring: KeyRing, issuer: str, audience: str) -> None:
        self.ring, self.key = ring, ring.signing_key()
        self.claims: dict[str, Any] = {
            "iss": issuer,
            "aud": audience,
            "sub": "acc_1",
            "sid": "ses_1",
            "iat": NOW_S,
            "exp": NOW_S + 60,
        }

    @property
    def public_pem(self) -> bytes:
        raw = self.key.key.raw_value
        public = raw.public_key() if isinstance(raw, ec.EllipticCurvePrivateKey) else raw
        assert isinstance(public, ec.EllipticCurvePublicKey)
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def signed(self, key: SigningKey | None = None, **changes: Any) -> str:
        claims = {**self.claims, **changes}
        return (key or self.key).sign({name: value for name, value in claims.items() if value is not None})

    def with_header(self, signer: ECKey | None = None, **header: Any) -> str:
        """Signed by ES256 over a header of one's own; `alg` in it may lie about that."""
        parts = [_encoded({"alg": "ES256", "kid": self.key.key_id, **header}), _encoded(self.claims)]
        honest = jwt.encode({"alg": "ES256"}, self.claims, signer or self.key.key, algorithms=["ES256"])
        return ".".join([*parts, honest.rpartition(".")[2]])

    def hmac_signed(self, secret: bytes, algorithm: str = "HS256", **header: Any) -> str:
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
        head = {"alg": algorithm, "kid": self.key.key_id, **header}
        text = f"{_encoded(head)}.{_encoded(self.claims)}"
        return f"{text}.{_base64(hmac.new(secret, text.encode(), digest).digest())}"

    def unsigned(self, algorithm: Any, signature: str = "") -> str:
        return f"{_encoded({'alg': algorithm, 'kid': self.key.key_id})}.{_encoded(self.claims)}.{signature}"

    def embedded(self, **header: Any) -> str:
        """Signed by another's key, which the header brings along or points to, really over that header."""
        return jwt.encode(
            {"alg": "ES256", "kid": self.key.key_id, **header}, self.claims, OTHER.key, algorithms=["ES256"]
        )

    def rsa_signed(self) -> str:
        key = RSAKey.import_key(rsa.generate_private_key(65537, 2048))
        return jwt.encode({"alg": "RS256", "kid": self.key.key_id}, self.claims, key, algorithms=["RS256"])

    def changed(self, **claims: Any) -> str:
        """The good signature under other claims."""
        head, _, signature = self.signed().split(".")
        return f"{head}.{_encoded({**self.claims, **claims})}.{signature}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _encoded(part: Mapping[str, Any]) -> str:
    return _base64(json.dumps(part).encode())


def _stripped(token: str) -> str:
    return token.rpartition(".")[0] + "."


ATTACKS: dict[str, Callable[[Door], str]] = {
    # --- no signature, or another algorithm's
    "alg none": lambda door: door.unsigned("none"),
    "alg None": lambda door: door.unsigned("None"),
    "alg NONE with a signature": lambda door: door.unsigned("NONE", door.signed().rpartition(".")[2]),
    "alg empty": lambda door: door.unsigned(""),
    "alg null": lambda door: door.unsigned(None),
    "alg a number": lambda door: door.unsigned(256),
    "alg a list": lambda door: door.unsigned(["ES256"]),
    "signature stripped": lambda door: _stripped(door.signed()),
    "signature and dot stripped": lambda door: door.signed().rpartition(".")[0],
    "signature of zeros": lambda door: f"{_stripped(door.signed())}{_base64(bytes(64))}",
    "signature of another token": lambda door: _stripped(door.signed(sid="x")) + door.signed().rpartition(".")[2],
    "signature cut short": lambda door: door.signed()[:-8],
    "HS256 with the public key": lambda door: door.hmac_signed(door.public_pem),
    "HS256 with the public key without its last line end": lambda door: door.hmac_signed(door.public_pem.strip()),
    "HS512 with the public key": lambda door: door.hmac_signed(door.public_pem, "HS512"),
    "HS256 with the key set": lambda door: door.hmac_signed(json.dumps(door.ring.public_jwks()).encode()),
    "HS256 with an empty secret": lambda door: door.hmac_signed(b""),
    "RS256 under the key's id": lambda door: door.rsa_signed(),
    "ES384 named, ES256 signed": lambda door: door.with_header(alg="ES384"),
    # --- keys that the token brings along or points to
    "another key": lambda door: door.signed(OTHER),
    "another key under the known id": lambda door: door.embedded(),
    "jwk in the header": lambda door: door.embedded(jwk=OTHER.public_jwks()["keys"][0]),
    "jku in the header": lambda door: door.embedded(jku="https://evil.example/jwks.json"),
    "x5u in the header": lambda door: door.embedded(x5u="https://evil.example/cert.pem"),
    "x5c in the header": lambda door: door.embedded(x5c=[base64.b64encode(b"certificate").decode()]),
    "kid of another key": lambda door: door.with_header(OTHER.key, kid=OTHER.key_id),
    "kid that climbs": lambda door: door.hmac_signed(b"", kid="../../../../dev/null"),
    "kid of SQL": lambda door: door.hmac_signed(b"x", kid="x' UNION SELECT 'x"),
    "kid a list": lambda door: door.with_header(kid=[door.key.key_id]),
    "kid a number": lambda door: door.with_header(kid=7),
    "kid of 5,000 letters": lambda door: door.with_header(kid="k" * 5_000),
    "crit that nobody knows": lambda door: door.with_header(crit=["exp2"], exp2=1),
    "b64 false": lambda door: door.with_header(crit=["b64"], b64=False),
    # --- a good key under the wrong claims
    "expired": lambda door: door.signed(iat=NOW_S - 3600, exp=NOW_S - 60),
    "no expiry": lambda door: door.signed(exp=None),
    "expiry a text": lambda door: door.signed(exp=str(NOW_S + 60)),
    "expiry true": lambda door: door.signed(exp=True),
    "not yet valid": lambda door: door.signed(nbf=NOW_S + 600),
    "issued in the future": lambda door: door.signed(iat=NOW_S + 600),
    "another issuer": lambda door: door.signed(iss="evil"),
    "no issuer": lambda door: door.signed(iss=None),
    "another audience": lambda door: door.signed(aud="other"),
    "no audience": lambda door: door.signed(aud=None),
    "other claims under the signature": lambda door: door.changed(sub="acc_2"),
    "scopes under the signature": lambda door: door.changed(scopes=["studio", "admin"]),
    "subject a number": lambda door: door.signed(sub=7),
    "subject a list": lambda door: door.signed(sub=["acc_1"]),
    # --- no token at all
    "empty parts": lambda _: "..",
    "one letter": lambda _: "a",
    "a refresh token": lambda _: "kq3v0n8xJ5tQm1u7y2wZ4b6c9d0e1f2g3h4i5j6k7l8",
    "not base64": lambda door: door.signed().replace("e", "!", 1),
    "a null byte": lambda door: door.signed() + "\x00",
    "encrypted (five parts)": lambda door: door.signed() + ".a.b",
    "9,000 letters": lambda door: door.signed() + "A" * 9_000,
    "header no object": lambda door: f"{_base64(b'[]')}.{_encoded(door.claims)}.{_base64(bytes(64))}",
    "claims no object": lambda door: f"{door.signed().split('.')[0]}.{_base64(b'[1]')}.{_base64(bytes(64))}",
    "nested 10,000 deep": lambda door: f"{_base64(b'[' * 5_000)}.{_encoded(door.claims)}.x",
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def gateway_door(tmp_path: Path, clock: FakeClock) -> Door:
    return Door(KeyRing(tmp_path / "access.pem", clock=clock), "marquee-profiles", "marquee")


@pytest.fixture
def subgraph_door(tmp_path: Path, clock: FakeClock) -> Door:
    return Door(KeyRing(tmp_path / "viewer.pem", clock=clock), "marquee-gateway", "marquee-viewer")


@pytest.fixture
def identity(gateway_door: Door, subgraph_door: Door, clock: FakeClock) -> Identity:
    async def key_set() -> Mapping[str, Any]:
        return gateway_door.ring.public_jwks()

    return Identity(key_set, subgraph_door.ring, refresh_s=300, clock=clock)


async def test_the_good_token_goes_through_both_doors(
    gateway_door: Door, subgraph_door: Door, identity: Identity, tmp_path: Path, clock: FakeClock
) -> None:
    """Else the refusals below would say nothing."""
    context = await identity.viewer_context(f"Bearer {gateway_door.signed()}")
    subgraph = ViewerVerifier(tmp_path / "viewer.jwks.json", clock)
    expected = Viewer(account_id="acc_1", session_id="ses_1")
    assert subgraph.verify(context) == subgraph.verify(subgraph_door.signed()) == expected


@pytest.mark.parametrize("attack", ATTACKS)
async def test_the_gateway_refuses(attack: str, gateway_door: Door, identity: Identity) -> None:
    """With 401 and code UNAUTHENTICATED."""
    with pytest.raises(RequestInvalid) as caught:
        await identity.viewer_context(f"Bearer {ATTACKS[attack](gateway_door)}")
    assert caught.value.status == 401
    assert [error.code for error in caught.value.errors] == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_subgraph_refuses(attack: str, subgraph_door: Door, tmp_path: Path, clock: FakeClock) -> None:
    """With TokenInvalid, which the app answers with 401; a forged context is never anonymous."""
    with pytest.raises(TokenInvalid):
        ViewerVerifier(tmp_path / "viewer.jwks.json", clock).verify(ATTACKS[attack](subgraph_door))


@pytest.mark.parametrize("form", ["{0}, Bearer {0}", "Bearer {0},{0}", "Bearer {0} {0}", "Basic {0}", "{0}", "Bearer"])
async def test_two_tokens_and_other_schemes_are_refused(form: str, gateway_door: Door, identity: Identity) -> None:
    """Also when each of them is good."""
    with pytest.raises(RequestInvalid) as caught:
        await identity.viewer_context(form.format(gateway_door.signed()))
    assert caught.value.status == 401


async def test_each_doors_good_token_opens_no_other(
    gateway_door: Door, subgraph_door: Door, identity: Identity, tmp_path: Path, clock: FakeClock
) -> None:
    """A viewer context is no access token, and an access token no viewer context."""
    with pytest.raises(RequestInvalid):
        await identity.viewer_context(f"Bearer {subgraph_door.signed()}")
    with pytest.raises(TokenInvalid):
        ViewerVerifier(tmp_path / "viewer.jwks.json", clock).verify(gateway_door.signed())


def test_there_are_enough_forms() -> None:
    """More than the 44 that the field's probe has."""
    assert len(ATTACKS) >= 44


def test_a_symmetric_key_in_the_set_is_never_used() -> None:
    """Should one ever be published by mistake: only ES256 is believed."""
    secret = OctKey.generate_key(256)
    token = jwt.encode({"alg": "HS256", "kid": "s"}, {"sub": "x"}, secret, algorithms=["HS256"])
    jwks = {"keys": [{**secret.as_dict(), "kid": "s"}]}
    verifier = TokenVerifier.from_jwks(jwks, issuer="i", audience="a", clock=FakeClock(NOW))
    with pytest.raises(TokenInvalid):
        verifier.verify(token)
