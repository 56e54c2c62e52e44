"""The rules that need no store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from subgraphs.profiles.domain.countries import COUNTRIES
from subgraphs.profiles.domain.rules import check_sign_up, normalise_email, normalise_name
from subgraphs.profiles.domain.sessions import new_refresh_token, token_hash

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@given(st.emails())
def test_real_addresses_are_accepted_and_normalising_is_idempotent(email: str) -> None:
    """Plain ones at least: quoted local parts and address literals are refused on purpose."""
    once = normalise_email(email)
    assert normalise_email(once) == once
    if len(once) <= 254 and not set('"[]\\') & set(once):
        assert "input.email" not in check_sign_up(once, "correct horse", "US")


@given(st.text(max_size=60))
def test_a_name_is_normalised_once(name: str) -> None:
    """No outer and no double blanks."""
    once = normalise_name(name)
    assert normalise_name(once) == once
    assert once == once.strip()


def test_the_country_table_is_whole() -> None:
    """ISO 3166-1 has 249 assigned codes."""
    assert len(COUNTRIES) == 249
    assert all(len(code) == 2 and code.isupper() for code in COUNTRIES)


def test_refresh_tokens_are_random_and_kept_as_hashes() -> None:
    """256 bits; the stored form does not hold the text."""
    tokens = [new_refresh_token(NOW, 30 * DAY) for _ in range(100)]
    assert len({token.text for token in tokens}) == 100
    assert all(token.hash == token_hash(token.text) and token.text not in token.hash for token in tokens)
    assert tokens[0].expires_at == NOW + 30 * DAY
