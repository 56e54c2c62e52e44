"""The subscription's state machine: every move from every state, proration, dunning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from subgraphs.profiles.domain.accounts import Subscription, SubscriptionStatus

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)


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
    assert (subscription.renews_at is None) == (status is not SubscriptionStatus.ACTIVE)
