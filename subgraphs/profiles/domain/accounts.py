"""Accounts, plans, subscriptions and profiles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from subgraphs.kernel.ids import AccountId, ProfileId

__all__ = [
    "BILLING_PERIOD",
    "Account",
    "Credentials",
    "Plan",
    "PlanId",
    "Profile",
    "Subscription",
    "SubscriptionStatus",
]

BILLING_PERIOD = timedelta(days=30)


class PlanId(StrEnum):
    """The plans on offer; what they give is in the store's plan table."""

    BASIC = "BASIC"
    STANDARD = "STANDARD"
    PREMIUM = "PREMIUM"


class SubscriptionStatus(StrEnum):
    """Whether the account is paid for. Only ACTIVE, and CANCELLED until its paid period ends, may play."""

    ACTIVE = "ACTIVE"
    CANCELLED = "CANCELLED"
    SUSPENDED = "SUSPENDED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Plan:
    """One row of the plan table. Prices are in cents of `currency` (ISO 4217) per billing period."""

    id: PlanId
    display_name: str
    max_height_px: int
    max_streams: int
    max_download_devices: int
    price_cents: int
    currency: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """`period_ends_at`: until when it is paid; None when nothing was ever paid."""

    status: SubscriptionStatus
    period_ends_at: datetime | None

    def status_at(self, now: datetime) -> SubscriptionStatus:
        """The status that counts: a cancelled subscription is over when its period is."""
        is_over = self.period_ends_at is None or self.period_ends_at <= now
        if self.status is SubscriptionStatus.CANCELLED and is_over:
            return SubscriptionStatus.EXPIRED
        return self.status

    def renews_at(self, now: datetime) -> datetime | None:
        """The next renewal: only an active subscription has one, a whole number of periods after the last known."""
        if self.status is not SubscriptionStatus.ACTIVE or self.period_ends_at is None:
            return None
        if self.period_ends_at > now:
            return self.period_ends_at
        periods = (now - self.period_ends_at) // BILLING_PERIOD + 1
        return self.period_ends_at + periods * BILLING_PERIOD


@dataclass(frozen=True, slots=True)
class Account:
    """A customer. `email` is normalised, `country` ISO 3166 alpha-2; `scopes` are rights such as "studio"."""

    id: AccountId
    email: str
    country: str
    plan_id: PlanId
    subscription: Subscription
    scopes: frozenset[str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account with the stored form of its password."""

    account: Account
    password_hash: str


@dataclass(frozen=True, slots=True)
class Profile:
    """One viewer of an account. `maturity_limit` is the highest certificate age shown; `language` is BCP 47."""

    id: ProfileId
    account_id: AccountId
    name: str
    avatar: str
    is_kids: bool
    maturity_limit: int
    language: str
    created_at: datetime
