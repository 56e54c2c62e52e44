"""Key rings: who signs when, what is published how long, and a rotation that nobody notices."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.clock import FakeClock
from common.signing_keys import MAX_TOKEN_LIFE, KeyRing, SigningKey, ensure_key_file
from common.tokens import (
    TokenInvalid,
    TokenVerifier,
    Viewer,
    sign_access_token,
    sign_service_token,
    sign_viewer_context,
)
from gateway.server.identity import Identity
from subgraphs.kernel.viewer_verifier import ViewerVerifier

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def kids(jwks: dict[str, Any]) -> list[str]:
    return [str(key["kid"]) for key in jwks["keys"]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "viewer.pem"


def test_a_new_key_is_published_before_it_signs_and_the_old_one_after(path: Path, clock: FakeClock) -> None:
    """From its making until the last token of it has expired."""
    ring = KeyRing(path, clock=clock)
    first = ring.signing_key().key_id
    made, signs_from, retired = ring.rotate(10 * MINUTE)
    second = SigningKey.load(made).key_id
    assert (signs_from, retired) == (NOW + 10 * MINUTE + timedelta(seconds=1), ())
    assert kids(ring.public_jwks()) == [first, second]
    clock.advance(10 * MINUTE)
    assert ring.signing_key().key_id == first
    clock.advance(timedelta(seconds=1))
    assert ring.signing_key().key_id == second
    clock.advance(MAX_TOKEN_LIFE)
    assert kids(ring.public_jwks()) == [first, second]
    clock.advance(MINUTE)
    assert kids(ring.public_jwks()) == [second]


def test_what_is_retired_is_deleted_and_the_rings_file_stays(path: Path, clock: FakeClock) -> None:
    """The oldest key that is left has its name."""
    ring = KeyRing(path, clock=clock)
    signed: list[str] = []
    for _ in range(5):
        signed.append(ring.signing_key().key_id)
        ring.rotate(MINUTE)
        clock.advance(2 * MINUTE + 2 * MAX_TOKEN_LIFE)
    assert len(set(signed)) == 5
    assert len(list(path.parent.glob("*.pem"))) == 2
    assert path.exists()
    assert kids(ring.public_jwks()) == [ring.signing_key().key_id]
    assert KeyRing(path, clock=clock).signing_key().key_id == ring.signing_key().key_id


def test_a_key_that_waits_is_not_overtaken(path: Path, clock: FakeClock) -> None:
    """Two would shorten the first one's notice."""
    ring = KeyRing(path, clock=clock)
    ring.rotate(10 * MINUTE)
    with pytest.raises(FileExistsError, match="signs from 2026-11-20T12:10:01"):
        ring.rotate(MINUTE)


def test_every_process_follows_by_the_folder_alone(path: Path, clock: FakeClock) -> None:
    """Those that run, those that start later, and those that read the published file."""
    running, rotating = KeyRing(path, clock=clock), KeyRing(path, clock=clock)
    rotating.rotate(MINUTE)
    assert kids(running.public_jwks()) == kids(json.loads(path.with_name("viewer.jwks.json").read_text()))
    clock.advance(2 * MINUTE)
    assert (
        running.signing_key().key_id == rotating.signing_key().key_id == KeyRing(path, clock=clock).signing_key().key_id
    )
    clock.advance(2 * MAX_TOKEN_LIFE)
    running.signing_key()
    assert kids(json.loads(path.with_name("viewer.jwks.json").read_text())) == [running.signing_key().key_id]


def test_keys_are_the_owners_alone_and_nothing_private_is_published(path: Path, clock: FakeClock) -> None:
    """In the folder and in the set."""
    ring = KeyRing(path, clock=clock)
    ring.rotate(MINUTE)
    assert {file.stat().st_mode & 0o077 for file in path.parent.glob("*.pem")} == {0}
    assert not any("d" in key for key in ring.public_jwks()["keys"])


def test_other_files_beside_are_no_keys(path: Path, clock: FakeClock) -> None:
    """Neither drafts nor copies that somebody made."""
    ring = KeyRing(path, clock=clock)
    for name in ("viewer-backup.pem", "viewer-20261120T120000Z.pem.old", ".viewer-20261120T120000Z.pem.ab"):
        (path.parent / name).write_text("not a key")
    assert kids(KeyRing(path, clock=clock).public_jwks()) == [ring.signing_key().key_id]


def test_processes_that_start_at_once_agree(path: Path) -> None:
    """On one first key."""
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: ensure_key_file(path).key_id, range(8)))
    assert len(set(made)) == 1


async def test_rotations_under_load_refuse_no_token(tmp_path: Path, clock: FakeClock) -> None:
    """Two hours, a request each twenty seconds through issuer, gateway and subgraph, with rotations at any time.

    The gateway keeps a key set for five minutes and asks for an unknown key every 30 s at most; each token is
    tried again at random moments of its life; forgeries come in between, so that no fetch is free for the new key.
    """
    keys, chance = tmp_path / "keys", random.Random(20261120)
    issuer, gateway_ring = KeyRing(keys / "access.pem", clock=clock), KeyRing(keys / "viewer.pem", clock=clock)
    fetches: list[datetime] = []

    async def fetch() -> dict[str, Any]:
        fetches.append(clock.now())
        return issuer.public_jwks()

    identity = Identity(fetch, gateway_ring, refresh_s=300, clock=clock)
    subgraph = ViewerVerifier(keys / "viewer.jwks.json", clock)
    services = TokenVerifier.for_service
    life, living, rotations = timedelta(minutes=15), list[tuple[str, datetime]](), 0
    for _ in range(2 * 180):
        clock.advance(timedelta(seconds=20))
        if chance.random() < 0.04:
            for name, lead in (("access", 10 * MINUTE), ("viewer", timedelta(seconds=10))):
                try:
                    KeyRing(keys / f"{name}.pem", clock=clock).rotate(lead)
                    rotations += 1
                except FileExistsError:
                    continue
        account = f"acc_{rotations}"
        living.append(
            (sign_access_token(issuer.signing_key(), Viewer(account_id=account), clock.now(), life), clock.now())
        )
        living = [(token, at) for token, at in living if clock.now() - at < life]
        for token, _ in [living[-1], chance.choice(living)]:
            context = await identity.viewer_context(f"Bearer {token}")
            assert subgraph.verify(context).account_id is not None
        with pytest.raises(Exception, match="token can't be verified"):
            await identity.viewer_context(f"Bearer {sign_access_token(SigningKey.generate(), Viewer('x'), NOW, life)}")
        service_token = sign_service_token(gateway_ring.signing_key(), "worker", clock.now())
        services(keys / "viewer.jwks.json", clock).verify(service_token)
    assert rotations > 6
    assert len(fetches) <= 2 * 3600 / 30 + 1
    old = sign_viewer_context(SigningKey.generate(), Viewer(account_id="acc_1").to_claims(), clock.now())
    with pytest.raises(TokenInvalid):
        subgraph.verify(old)
