"""Tokens at the gateway's door: who is let in as whom, and what subgraphs are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.clock import FakeClock
from common.tokens import SigningKey, TokenVerifier
from gateway.errors import RequestInvalid
from gateway.executor.transport.recorded import RecordedTransport
from gateway.server.identity import Identity, fetch_key_set
from gateway.server.revocations import RevokedSessions
from tests.gateway.server.conftest import OpenGateway

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ISSUER = SigningKey.generate()
OURS = SigningKey.generate()


def token(key: SigningKey = ISSUER, **changes: Any) -> str:
    claims = {
        "iss": "marquee-profiles",
        "aud": "marquee",
        "sub": "acc_1",
        "sid": "s",
        "country": "US",
        "plan": "BASIC",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 900,
        **changes,
    }
    return key.sign({name: value for name, value in claims.items() if value is not None})


class KeySets:
    """A published key set that can change or be away, and counts how often it is asked for."""

    def __init__(self, key: SigningKey = ISSUER) -> None:
        self.key: SigningKey | None = key
        self.asked = 0

    async def __call__(self) -> Mapping[str, Any]:
        self.asked += 1
        if self.key is None:
            raise OSError("away")
        return self.key.public_jwks()


@dataclass
class OneKey:
    """Signs with the same key for ever."""

    key: SigningKey

    def signing_key(self) -> SigningKey:
        return self.key


def identity(key_sets: KeySets, clock: FakeClock, signing_key: SigningKey | None = OURS) -> Identity:
    return Identity(key_sets, None if signing_key is None else OneKey(signing_key), refresh_s=300, clock=clock)


async def test_vouches_for_the_bearer_with_a_short_context() -> None:
    clock = FakeClock(NOW)
    context = await identity(KeySets(), clock).viewer_context(f"Bearer {token(profile='prof_1', kids=True)}")
    assert context is not None
    verifier = TokenVerifier.from_jwks(
        OURS.public_jwks(), issuer="marquee-gateway", audience="marquee-viewer", clock=clock
    )
    viewer = verifier.verify_viewer(context)
    assert (viewer.account_id, viewer.profile_id, viewer.is_kids) == ("acc_1", "prof_1", True)
    assert verifier.verify(context)["exp"] - NOW.timestamp() <= 60


async def test_nobody_is_nobody() -> None:
    assert await identity(KeySets(), FakeClock(NOW)).viewer_context(None) is None


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        ("", "malformed"),
        ("Bearer", "malformed"),
        ("Bearer ", "malformed"),
        ("Basic eDp5", "malformed"),
        ("Bearer a b", "malformed"),
        ("Bearer abc", "malformed"),
        ("Bearer ..", "signature"),
        ("Bearer " + "a" * 10_000, "malformed"),
        (f"Bearer {token(SigningKey.generate())}", "signature"),
        (f"Bearer {token()[:-4]}AAAA", "signature"),
        (f"Bearer {token(exp=int(NOW.timestamp()) - 60)}", "expired"),
        (f"Bearer {token(exp=None)}", "claims"),
        (f"Bearer {token(exp='x')}", "claims"),
        (f"Bearer {token(iat=int(NOW.timestamp()) + 600)}", "claims"),
        (f"Bearer {token(iss='evil')}", "audience"),
        (f"Bearer {token(iss=None)}", "audience"),
        (f"Bearer {token(aud='other')}", "audience"),
        (f"Bearer {token(aud=None)}", "audience"),
        (f"Bearer {token(sub=None)}", "claims"),
        (f"Bearer {token(sub=7)}", "claims"),
        (f"Bearer abc, Bearer {token()}", "malformed"),
    ],
)
async def test_anything_else_is_refused_with_the_reason(authorization: str, reason: str) -> None:
    with pytest.raises(RequestInvalid) as raised:
        await identity(KeySets(), FakeClock(NOW)).viewer_context(authorization)
    assert raised.value.status == 401
    assert raised.value.errors[0].code == "UNAUTHENTICATED"
    assert raised.value.errors[0].extensions["reason"] == reason


async def test_a_context_is_made_once_and_renewed_before_it_ends() -> None:
    clock = FakeClock(NOW)
    who = identity(KeySets(), clock)
    bearer = f"Bearer {token()}"
    first = await who.viewer_context(bearer)
    clock.advance(timedelta(seconds=30))
    assert await who.viewer_context(bearer) == first
    clock.advance(timedelta(seconds=15))
    assert await who.viewer_context(bearer) != first


async def test_a_known_token_still_expires() -> None:
    clock = FakeClock(NOW)
    who = identity(KeySets(), clock)
    bearer = f"Bearer {token()}"
    await who.viewer_context(bearer)
    clock.advance(timedelta(seconds=906))
    with pytest.raises(RequestInvalid):
        await who.viewer_context(bearer)


async def test_a_new_key_of_the_issuer_is_fetched_but_not_for_every_forgery() -> None:
    clock = FakeClock(NOW)
    key_sets = KeySets()
    who = identity(key_sets, clock)
    await who.viewer_context(f"Bearer {token()}")
    rotated = key_sets.key = SigningKey.generate()
    with pytest.raises(RequestInvalid):
        await who.viewer_context(f"Bearer {token(rotated)}")
    assert key_sets.asked == 1
    clock.advance(timedelta(seconds=31))
    assert await who.viewer_context(f"Bearer {token(rotated)}") is not None
    assert key_sets.asked == 2


async def test_a_key_set_gets_no_older_than_it_may() -> None:
    """However short that is: a new key is known in that time, with no unknown key to ask for it."""
    clock, key_sets = FakeClock(NOW), KeySets()
    who = Identity(key_sets, None, refresh_s=2, clock=clock)
    await who.viewer_context(f"Bearer {token()}")
    rotated = key_sets.key = SigningKey.generate()
    clock.advance(timedelta(seconds=3))
    await who.viewer_context(f"Bearer {token(rotated)}")
    assert key_sets.asked == 2


async def test_without_a_key_set_nobody_is_let_in_and_nobody_is_locked_out_for_good() -> None:
    clock = FakeClock(NOW)
    key_sets = KeySets()
    key_sets.key = None
    who = identity(key_sets, clock)
    with pytest.raises(RequestInvalid) as raised:
        await who.viewer_context(f"Bearer {token()}")
    assert raised.value.status == 503
    key_sets.key = ISSUER
    assert await who.viewer_context(f"Bearer {token()}") is not None


async def test_without_a_signing_key_tokens_are_only_checked() -> None:
    who = identity(KeySets(), FakeClock(NOW), signing_key=None)
    assert await who.viewer_context(f"Bearer {token()}") is None


async def test_over_http_a_bad_token_is_401_and_a_good_one_reaches_subgraphs_as_a_context(
    open_gateway: OpenGateway, transport: RecordedTransport, tmp_path: Any
) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(ISSUER.public_jwks()))
    now = int(datetime.now(UTC).timestamp())
    good = token(iat=now, exp=now + 60)
    async with open_gateway(access_jwks=str(path), sign_viewer_context=True) as client:
        bad = await client.post("/graphql", json={"query": "{ hello }"}, headers={"authorization": "Bearer x"})
        assert bad.status_code == 401
        assert "data" not in bad.json()
        assert bad.headers["www-authenticate"].startswith("Bearer")
        assert transport.exchanges == []
        ok = await client.post(
            "/graphql",
            json={"query": "{ hello }"},
            headers={"authorization": f"Bearer {good}", "x-marquee-viewer": "forged"},
        )
        assert ok.json() == {"data": {"hello": "world"}}
    sent = transport.exchanges[0].headers
    verifier = TokenVerifier.for_viewer(tmp_path / "state" / "keys" / "viewer.jwks.json")
    assert verifier.verify_viewer(sent["x-marquee-viewer"]).account_id == "acc_1"
    assert "authorization" not in sent


async def test_a_key_set_that_is_no_object_is_an_error(tmp_path: Any) -> None:
    path = tmp_path / "jwks.json"
    path.write_text("[]")
    with pytest.raises(ValueError, match="no JSON object"):
        await fetch_key_set(str(path))
    with pytest.raises(OSError, match="can't be fetched"):
        await fetch_key_set("http://127.0.0.1:1/jwks")


async def test_tokens_of_a_session_that_ended_are_refused_when_the_list_says_so() -> None:
    """Also known ones; with a reason of its own. Without a list they live until they expire."""
    told: list[str] = []

    async def source() -> Mapping[str, Any]:
        return {"sessions": told}

    revoked = RevokedSessions(source, refresh_s=10)
    who = Identity(KeySets(), OneKey(OURS), refresh_s=300, revoked=revoked, clock=FakeClock(NOW))
    assert await who.viewer_context(f"Bearer {token(sid='ses_1')}") is not None
    told.append("ses_1")
    await revoked.refresh()
    with pytest.raises(RequestInvalid) as raised:
        await who.viewer_context(f"Bearer {token(sid='ses_1')}")
    assert (raised.value.status, raised.value.errors[0].extensions["reason"]) == (401, "revoked")
    assert await who.viewer_context(f"Bearer {token(sid='ses_2')}") is not None
    assert await who.viewer_context(f"Bearer {token(sid=None)}") is not None


@pytest.mark.parametrize("failure", [OSError("away"), ValueError("no JSON"), {"sessions": None}, {}])
async def test_a_list_that_can_not_be_read_leaves_the_one_before(failure: Any) -> None:
    """Sessions do not come back to life because the issuer is away."""
    answers: list[Any] = [{"sessions": ["ses_1"]}, failure]

    async def source() -> Mapping[str, Any]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        found: Mapping[str, Any] = answer
        return found

    revoked = RevokedSessions(source, refresh_s=10)
    await revoked.refresh()
    await revoked.refresh()
    assert revoked.sessions == {"ses_1"}


async def test_over_http_a_session_that_ended_is_401(open_gateway: OpenGateway, tmp_path: Any) -> None:
    """The running gateway asks by itself."""
    (tmp_path / "jwks.json").write_text(json.dumps(ISSUER.public_jwks()))
    (tmp_path / "revoked.json").write_text(json.dumps({"sessions": ["ses_1"]}))
    now = int(datetime.now(UTC).timestamp())
    addresses = {"access_jwks": str(tmp_path / "jwks.json"), "revoked_sessions": str(tmp_path / "revoked.json")}
    async with open_gateway(**addresses) as client, asyncio.timeout(10):
        statuses = {}
        for session in ("ses_1", "ses_2"):
            bearer = f"Bearer {token(sid=session, iat=now, exp=now + 60)}"
            while True:
                answer = await client.post("/graphql", json={"query": "{ hello }"}, headers={"authorization": bearer})
                statuses[session] = answer.status_code
                if session == "ses_2" or answer.status_code == 401:
                    break
                await asyncio.sleep(0.01)
    assert statuses == {"ses_1": 401, "ses_2": 200}


async def test_a_document_of_any_size_is_not_read(tmp_path: Any) -> None:
    """What is larger than expected is refused, not cut."""
    path = tmp_path / "large.json"
    path.write_text(json.dumps({"keys": ["x" * 200_000]}))
    with pytest.raises(ValueError, match="more than 100000 bytes"):
        await fetch_key_set(str(path))
