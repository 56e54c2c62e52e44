"""Only what the gateway signed is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from common.clock import FakeClock
from common.tokens import TokenInvalid, Viewer, ensure_key_file, sign_viewer_context
from subgraphs.kernel.viewer_verifier import ViewerVerifier

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
VIEWER = Viewer(account_id="acc_1", session_id="ses_1")


def test_without_a_token_the_viewer_is_anonymous(tmp_path: Path) -> None:
    """Also when there are no keys yet."""
    assert ViewerVerifier(tmp_path / "viewer.jwks.json", FakeClock(NOW)).verify(None) == Viewer()


def test_without_keys_no_token_is_believed_and_with_them_it_is(tmp_path: Path) -> None:
    """A subgraph may start before the gateway has made its key."""
    verifier = ViewerVerifier(tmp_path / "viewer.jwks.json", FakeClock(NOW))
    with pytest.raises(TokenInvalid):
        verifier.verify("a.b.c")
    key = ensure_key_file(tmp_path / "viewer.pem")
    assert verifier.verify(sign_viewer_context(key, VIEWER.to_claims(), NOW)) == VIEWER


def test_a_known_token_is_refused_when_it_has_expired(tmp_path: Path) -> None:
    """What was verified once is not believed longer than the token says."""
    clock = FakeClock(NOW)
    key = ensure_key_file(tmp_path / "viewer.pem")
    verifier = ViewerVerifier(tmp_path / "viewer.jwks.json", clock)
    token = sign_viewer_context(key, VIEWER.to_claims(), NOW)
    assert verifier.verify(token) == verifier.verify(token) == VIEWER
    clock.advance(timedelta(seconds=70))
    with pytest.raises(TokenInvalid) as caught:
        verifier.verify(token)
    assert caught.value.reason == "expired"


def test_follows_the_gateway_to_a_new_key(tmp_path: Path) -> None:
    """The file is read again when it changed; tokens of the key from before are not believed any more."""
    verifier = ViewerVerifier(tmp_path / "viewer.jwks.json", FakeClock(NOW))
    old = ensure_key_file(tmp_path / "viewer.pem")
    assert verifier.verify(sign_viewer_context(old, VIEWER.to_claims(), NOW)) == VIEWER
    (tmp_path / "viewer.pem").unlink()
    new = ensure_key_file(tmp_path / "viewer.pem")
    assert verifier.verify(sign_viewer_context(new, VIEWER.to_claims(), NOW)) == VIEWER
    with pytest.raises(TokenInvalid):
        verifier.verify(sign_viewer_context(old, VIEWER.to_claims(), NOW))


def test_keys_that_were_read_stay_good_while_the_file_is_away(tmp_path: Path) -> None:
    """A file that is being replaced, or a broken one, does not sign everybody out."""
    key = ensure_key_file(tmp_path / "viewer.pem")
    verifier = ViewerVerifier(tmp_path / "viewer.jwks.json", FakeClock(NOW))
    verifier.verify(sign_viewer_context(key, VIEWER.to_claims(), NOW))
    (tmp_path / "viewer.jwks.json").write_text("{half a fi")
    other = Viewer(account_id="acc_2")
    assert verifier.verify(sign_viewer_context(key, other.to_claims(), NOW)) == other
