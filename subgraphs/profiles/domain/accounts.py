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
    "Terms",
]

BILLING_PERIOD = timedelta(days=30)
"""What one price pays for."""


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
    """One row of the plan table, with the price per billing period in one country.

    `price_cents` counts the minor unit of `currency` (ISO 4217): cents, pence, whole yen.
    """

    id: PlanId
    display_name: str
    max_height_px: int
    max_streams: int
    max_download_devices: int
    price_cents: int
    currency: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """What an account has, besides the plan itself. `subscriptions.py` holds the moves between its states.

    `period_ends_at`: until when it is paid, or free as a trial; None when there never was a period.
    `pending_plan_id`: the plan from the next period on. While SUSPENDED: `grace_ends_at` is when it is over for good,
    `next_attempt_at` when the charge is tried again (None: not by itself), `failed_attempts` how often it failed.
    """

    status: SubscriptionStatus
    period_ends_at: datetime | None
    period_starts_at: datetime | None = None
    is_trial: bool = False
    pending_plan_id: PlanId | None = None
    grace_ends_at: datetime | None = None
    next_attempt_at: datetime | None = None
    failed_attempts: int = 0

    def status_at(self, now: datetime) -> SubscriptionStatus:
        """The status that counts: cancelled is over with its period, suspended with its grace."""
        if self.status is SubscriptionStatus.CANCELLED:
            is_over = self.period_ends_at is None or self.period_ends_at <= now
        else:
            ends_at = self.grace_ends_at if self.status is SubscriptionStatus.SUSPENDED else None
            is_over = ends_at is not None and ends_at <= now
        return SubscriptionStatus.EXPIRED if is_over else self.status

    @property
    def auto_renews(self) -> bool:
        """Whether the next period will be charged without anybody asking; cancelling turns it off, resuming on."""
        return self.status in {SubscriptionStatus.ACTIVE, SubscriptionStatus.SUSPENDED}

    @property
    def renews_at(self) -> datetime | None:
        """When the next period is charged: only an active subscription renews. In the past: it is being charged."""
        return self.period_ends_at if self.status is SubscriptionStatus.ACTIVE else None

    @property
    def due_at(self) -> datetime | None:
        """When billing has to look at it next: to renew, to try again or to end it."""
        match self.status:
            case SubscriptionStatus.ACTIVE | SubscriptionStatus.CANCELLED:
                return self.period_ends_at
            case SubscriptionStatus.SUSPENDED:
                return min((at for at in (self.next_attempt_at, self.grace_ends_at) if at is not None), default=None)
            case SubscriptionStatus.EXPIRED:
                return None


@dataclass(frozen=True, slots=True)
class Terms:
    """The plan and its subscription: what moves."""

    plan_id: PlanId
    subscription: Subscription

    @property
    def next_plan_id(self) -> PlanId:
        """The plan that the next renewal pays for."""
        return self.subscription.pending_plan_id or self.plan_id


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

    @property
    def terms(self) -> Terms:
        """Its plan and subscription."""
        return Terms(self.plan_id, self.subscription)


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
