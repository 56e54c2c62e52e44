"""Subscriptions over time, and the rules that need no store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.profiles.domain.accounts import BILLING_PERIOD, Subscription, SubscriptionStatus
from subgraphs.profiles.domain.rules import COUNTRIES, check_sign_up, normalise_email, normalise_name
from subgraphs.profiles.domain.sessions import new_refresh_token, token_hash

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)

periods = st.integers(-2000, 2000).map(lambda hours: NOW + timedelta(hours=hours))


@given(periods)
def test_an_active_subscription_renews_within_one_period(period_ends_at: datetime) -> None:
    """However long ago the last known period ended, the next renewal is ahead, a whole number of periods later."""
    renews_at = Subscription(SubscriptionStatus.ACTIVE, period_ends_at).renews_at(NOW)
    assert renews_at is not None
    assert renews_at > NOW
    assert (renews_at - period_ends_at) % BILLING_PERIOD == timedelta(0)
    if period_ends_at <= NOW:
        assert renews_at - NOW <= BILLING_PERIOD


@pytest.mark.parametrize(
    ("status", "days_left", "expected"),
    [
        (SubscriptionStatus.ACTIVE, -1, SubscriptionStatus.ACTIVE),
        (SubscriptionStatus.CANCELLED, 1, SubscriptionStatus.CANCELLED),
        (SubscriptionStatus.CANCELLED, 0, SubscriptionStatus.EXPIRED),
        (SubscriptionStatus.CANCELLED, None, SubscriptionStatus.EXPIRED),
        (SubscriptionStatus.SUSPENDED, 1, SubscriptionStatus.SUSPENDED),
        (SubscriptionStatus.EXPIRED, 1, SubscriptionStatus.EXPIRED),
    ],
)
def test_a_cancelled_subscription_is_over_when_its_period_is(
    status: SubscriptionStatus, days_left: int | None, expected: SubscriptionStatus
) -> None:
    """The others are what they are; none of these renews but the active one."""
    subscription = Subscription(status, None if days_left is None else NOW + days_left * DAY)
    assert subscription.status_at(NOW) is expected
    assert (subscription.renews_at(NOW) is None) == (status is not SubscriptionStatus.ACTIVE)


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
