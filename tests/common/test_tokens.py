"""Tokens open exactly the door that they were made for, and nothing that was changed opens any."""

from __future__ import annotations

import base64
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.clock import FakeClock
from common.tokens import (
    GATEWAY_ISSUER,
    MAX_TOKEN_LENGTH,
    VIEWER_AUDIENCE,
    SigningKey,
    TokenInvalid,
    TokenVerifier,
    Viewer,
    ensure_key_file,
    sign_access_token,
    sign_service_token,
    sign_viewer_context,
)

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
KEY = SigningKey.generate()
OTHER_KEY = SigningKey.generate()
VIEWER = Viewer(account_id="acc_1", session_id="ses_1", country="US", plan="PREMIUM", subscription="ACTIVE")

viewers = st.builds(
    Viewer,
    account_id=st.none() | st.text(min_size=1, max_size=20),
    session_id=st.none() | st.text(min_size=1, max_size=20),
    country=st.none() | st.sampled_from(["US", "DE"]),
    plan=st.none() | st.sampled_from(["BASIC", "PREMIUM"]),
    subscription=st.none() | st.sampled_from(["ACTIVE", "EXPIRED"]),
    scopes=st.frozensets(st.sampled_from(["studio", "admin"])),
    profile_id=st.none() | st.text(min_size=1, max_size=20),
    is_kids=st.booleans(),
    maturity=st.none() | st.integers(0, 18),
    language=st.none() | st.sampled_from(["en", "de"]),
)


def verifier(at: datetime = NOW) -> TokenVerifier:
    return TokenVerifier.from_jwks(
        KEY.public_jwks(), issuer=GATEWAY_ISSUER, audience=VIEWER_AUDIENCE, clock=FakeClock(at)
    )


@given(viewers)
@settings(max_examples=50, deadline=None)
def test_a_viewer_survives_signing(viewer: Viewer) -> None:
    """What the gateway signs is what a subgraph reads."""
    token = sign_viewer_context(KEY, viewer.to_claims(), NOW)
    assert verifier().verify_viewer(token) == viewer


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_changed_character_is_accepted(data: st.DataObject) -> None:
    """A token with any one character replaced is refused or, where base64 has idle bits, means the very same."""
    token = sign_viewer_context(KEY, VIEWER.to_claims(), NOW)
    position = data.draw(st.integers(0, len(token) - 1))
    replacement = data.draw(st.sampled_from("ABCxyz019-_."))
    changed = token[:position] + replacement + token[position + 1 :]
    try:
        viewer = verifier().verify_viewer(changed)
    except TokenInvalid:
        return
    assert viewer == VIEWER
    assert changed == token or _decoded(changed) == _decoded(token)


def _decoded(token: str) -> list[bytes]:
    return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]


@pytest.mark.parametrize(
    ("seconds", "reason"), [(-6, "claims"), (-4, None), (0, None), (64, None), (65, "expired"), (3600, "expired")]
)
def test_is_good_from_its_issue_to_its_expiry(seconds: int, reason: str | None) -> None:
    """60 s of life, with 5 s of leeway for clocks that differ, at both ends."""
    token = sign_viewer_context(KEY, VIEWER.to_claims(), NOW)
    at = verifier(NOW + timedelta(seconds=seconds))
    if reason is None:
        assert at.verify_viewer(token) == VIEWER
    else:
        with pytest.raises(TokenInvalid) as caught:
            at.verify(token)
        assert caught.value.reason == reason


def test_each_door_takes_its_own_tokens_only(tmp_path: Path) -> None:
    """An access token is no viewer context, a viewer context no service token, and so on, all signed by one key."""
    key = ensure_key_file(tmp_path / "viewer.pem")
    jwks = tmp_path / "viewer.jwks.json"
    clock = FakeClock(NOW)
    doors = {
        "viewer": TokenVerifier.for_viewer(jwks, clock),
        "service": TokenVerifier.for_service(jwks, clock),
        "access": TokenVerifier.for_access(json.loads(jwks.read_text()), clock),
    }
    tokens = {
        "viewer": sign_viewer_context(key, VIEWER.to_claims(), NOW),
        "service": sign_service_token(key, "worker", NOW),
        "access": sign_access_token(key, VIEWER, NOW, timedelta(minutes=15)),
    }
    for door, opened in doors.items():
        for kind, token in tokens.items():
            if door == kind:
                opened.verify(token)
            else:
                with pytest.raises(TokenInvalid) as caught:
                    opened.verify(token)
                assert caught.value.reason == "audience"


def _hand_made(header: dict[str, object], signature: str = "") -> str:
    claims = {
        **VIEWER.to_claims(),
        "iss": GATEWAY_ISSUER,
        "aud": VIEWER_AUDIENCE,
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
    }
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims)]
    return ".".join([*parts, signature])


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "a.b.c",
        "..",
        _hand_made({"alg": "none"}),
        _hand_made({"alg": "HS256", "kid": KEY.key_id}, "c2ln"),
        _hand_made({"alg": "ES256", "kid": KEY.key_id}, "c2ln"),
        _hand_made({"alg": "ES256", "kid": "../../etc/passwd"}, "c2ln"),
        _hand_made({"alg": "ES256", "jwk": KEY.public_jwks()["keys"][0]}, "c2ln"),
        sign_viewer_context(OTHER_KEY, VIEWER.to_claims(), NOW),
        "x" * (MAX_TOKEN_LENGTH + 1),
    ],
)
def test_forged_and_broken_tokens_are_refused(token: str) -> None:
    """Whatever is wrong, the answer is TokenInvalid and no other exception."""
    with pytest.raises(TokenInvalid) as caught:
        verifier().verify(token)
    assert caught.value.reason in {"malformed", "signature"}


def test_a_key_set_without_keys_is_refused() -> None:
    """A verifier that could accept nothing is a mistake in the set-up."""
    with pytest.raises(ValueError, match="no keys"):
        TokenVerifier.from_jwks({"keys": []}, issuer="a", audience="b")


@pytest.mark.parametrize("claims", [{"sub": 7}, {"maturity": "old"}, {"scopes": 3}])
def test_claims_of_a_wrong_shape_are_refused(claims: dict[str, object]) -> None:
    """A signed token with nonsense in it is not half-trusted."""
    with pytest.raises(TokenInvalid) as caught:
        Viewer.from_claims(claims)
    assert caught.value.reason == "claims"


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    """The first to link its draft wins; nobody reads half a file; the key is the owner's alone."""
    path = tmp_path / "keys" / "access.pem"
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: ensure_key_file(path).key_id, range(8)))
    assert len(set(keys)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    published = json.loads((tmp_path / "keys" / "access.jwks.json").read_text())
    assert published["keys"][0]["kid"] == keys[0]
    assert "d" not in published["keys"][0]
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["access.jwks.json", "access.pem"]
