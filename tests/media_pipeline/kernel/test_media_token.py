"""Media tokens: what was signed is read, anything else is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_pipeline.kernel.media_token import MediaGrant, MediaTokenInvalid, MediaTokenKeys

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = MediaTokenKeys({"k1": b"s" * 32})
GRANT = MediaGrant("ast_1", "ses_1", NOW + timedelta(hours=4), 480, ("edge-a", "edge-b"))


@given(st.text(max_size=40), st.text(max_size=40), st.integers(0, 4320), st.lists(st.text(max_size=10), max_size=4))
def test_a_grant_survives_its_token(asset_id: str, session_id: str, max_lines: int, pathways: list[str]):
    grant = MediaGrant(asset_id, session_id, NOW + timedelta(hours=4), max_lines, tuple(pathways))
    token = KEYS.sign(grant)
    assert KEYS.read(token, NOW) == grant
    assert all(letter.isalnum() or letter in "-_." for letter in token)


def test_no_letter_of_a_token_can_change():
    """Every position, two other letters: all refused."""
    token = KEYS.sign(GRANT)
    for place in range(len(token)):
        for letter in ("A", "z"):
            changed = token[:place] + letter + token[place + 1 :]
            if changed != token:
                with pytest.raises(MediaTokenInvalid):
                    KEYS.read(changed, NOW)


def test_tokens_end_and_steering_may_still_read_them():
    token = KEYS.sign(GRANT)
    assert KEYS.read(token, GRANT.expires_at - timedelta(seconds=1)) == GRANT
    with pytest.raises(MediaTokenInvalid) as expired:
        KEYS.read(token, GRANT.expires_at)
    assert expired.value.reason == "expired"
    assert KEYS.read_unexpiring(token) == GRANT


def test_keys_rotate_without_dropping_anybody():
    """The newest signs, the old one still verifies; once retired, it does not."""
    old = KEYS.sign(GRANT)
    rotated = MediaTokenKeys({"k2": b"t" * 32, "k1": b"s" * 32})
    assert rotated.read(old, NOW) == GRANT
    new = rotated.sign(GRANT)
    with pytest.raises(MediaTokenInvalid):
        KEYS.read(new, NOW)
    with pytest.raises(MediaTokenInvalid):
        MediaTokenKeys({"k2": b"t" * 32}).read(old, NOW)


@pytest.mark.parametrize("token", ["", ".", "a.b", "a.b.c", "x" * 3000, "bnVsbA.AAAA", "W10.AAAA", "e30.AAAA", "ü.ü"])
def test_what_is_no_token_is_malformed(token: str):
    with pytest.raises(MediaTokenInvalid):
        KEYS.read(token, NOW)


def test_secrets_are_made_once_and_private(tmp_path: Path):
    path = tmp_path / "keys" / "media-token.json"
    token = MediaTokenKeys.load_or_create(path).sign(GRANT)
    assert MediaTokenKeys.load_or_create(path).read(token, NOW) == GRANT
    assert path.stat().st_mode & 0o777 == 0o600
