"""The subscription's state machine: every legal move, what allows it and what it leaves.

ACTIVE ── cancel ──> CANCELLED ── period over ──> EXPIRED ── start ──> ACTIVE
ACTIVE ── renewal fails ──> SUSPENDED ── paid ──> ACTIVE;  SUSPENDED ── grace over, or cancelled ──> EXPIRED
CANCELLED ── resume ──> ACTIVE;  ACTIVE ── renew, change plan ──> ACTIVE

Pure: the moves take terms and give terms. A move that the state does not allow raises IllegalMove, and LEGAL_FROM says
which those are; the tests walk all of them. A renewal has failed when the provider says so: an unknown outcome
suspends nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from subgraphs.profiles.domain.accounts import BILLING_PERIOD, PlanId, Subscription, SubscriptionStatus, Terms
from subgraphs.profiles.domain.money import Money

__all__ = [
    "LEGAL_FROM",
    "ChangeMoment",
    "Dunning",
    "IllegalMove",
    "Move",
    "PlanChange",
    "cancel",
    "change_plan",
    "expire",
    "fail_renewal",
    "quote_plan_change",
    "renew",
    "resume",
    "start",
    "trial",
]

ACTIVE, CANCELLED = SubscriptionStatus.ACTIVE, SubscriptionStatus.CANCELLED
SUSPENDED, EXPIRED = SubscriptionStatus.SUSPENDED, SubscriptionStatus.EXPIRED
MICROSECOND = timedelta(microseconds=1)


class Move(StrEnum):
    """What can happen to a subscription."""

    START = "START"
    RENEW = "RENEW"
    FAIL_RENEWAL = "FAIL_RENEWAL"
    CANCEL = "CANCEL"
    RESUME = "RESUME"
    CHANGE_PLAN = "CHANGE_PLAN"
    EXPIRE = "EXPIRE"


LEGAL_FROM: Mapping[Move, frozenset[SubscriptionStatus]] = {
    Move.START: frozenset({EXPIRED}),
    Move.RENEW: frozenset({ACTIVE, SUSPENDED}),
    Move.FAIL_RENEWAL: frozenset({ACTIVE, SUSPENDED}),
    Move.CANCEL: frozenset({ACTIVE, SUSPENDED}),
    Move.RESUME: frozenset({CANCELLED}),
    Move.CHANGE_PLAN: frozenset({ACTIVE}),
    Move.EXPIRE: frozenset({EXPIRED}),
}
"""By the status that counts at the instant of the move (Subscription.status_at)."""


class IllegalMove(Exception):
    """The subscription's state does not allow the move."""

    def __init__(self, move: Move, status: SubscriptionStatus) -> None:
        allowed = ", ".join(sorted(LEGAL_FROM[move]))
        super().__init__(f"{move} needs a subscription that is {allowed}; this one is {status}")
        self.move = move
        self.status = status


@dataclass(frozen=True, slots=True)
class Dunning:
    """What follows a failed renewal: further tries after each of `retry_after`, and the end after `grace`."""

    grace: timedelta
    retry_after: tuple[timedelta, ...]


class ChangeMoment(StrEnum):
    """When another plan begins."""

    NOW = "NOW"
    AT_PERIOD_END = "AT_PERIOD_END"


@dataclass(frozen=True, slots=True)
class PlanChange:
    """What a change to `plan_id` would do: `charge` is paid at once, `next_charge` at the next renewal."""

    plan_id: PlanId
    moment: ChangeMoment
    takes_effect_at: datetime
    charge: Money
    next_charge: Money


def trial(plan_id: PlanId, now: datetime, period: timedelta) -> Terms:
    """A new account's first, free period."""
    return Terms(plan_id, Subscription(ACTIVE, now + period, period_starts_at=now, is_trial=True))


def start(terms: Terms, plan_id: PlanId, now: datetime) -> Terms:
    """A paid period begins; also again, after the last one expired."""
    _require(Move.START, terms, now)
    return Terms(plan_id, Subscription(ACTIVE, now + BILLING_PERIOD, period_starts_at=now))


def renew(terms: Terms, plan_id: PlanId, now: datetime) -> Terms:
    """The next period is paid for `plan_id`; a change that became pending since stays for the period after.

    It follows the last one without a gap, however late the charge came, unless the viewer was locked out meanwhile:
    after a suspension it begins now.
    """
    _require(Move.RENEW, terms, now)
    before = terms.subscription
    starts_at = now
    # A process that was away for more than a period must not sell one that is over already.
    if before.status is ACTIVE and before.period_ends_at is not None and now < before.period_ends_at + BILLING_PERIOD:
        starts_at = before.period_ends_at
    pending = before.pending_plan_id if before.pending_plan_id != plan_id else None
    ends_at = starts_at + BILLING_PERIOD
    return Terms(plan_id, Subscription(ACTIVE, ends_at, period_starts_at=starts_at, pending_plan_id=pending))


def fail_renewal(terms: Terms, now: datetime, dunning: Dunning) -> Terms:
    """The charge was declined: suspended at once, tried again by schedule, over when the grace is."""
    _require(Move.FAIL_RENEWAL, terms, now)
    before = terms.subscription
    attempts = before.failed_attempts + 1 if before.status is SUSPENDED else 1
    grace_ends_at = before.grace_ends_at if before.status is SUSPENDED else now + dunning.grace
    next_attempt_at = now + dunning.retry_after[attempts - 1] if attempts <= len(dunning.retry_after) else None
    if next_attempt_at is not None and grace_ends_at is not None and next_attempt_at >= grace_ends_at:
        next_attempt_at = None
    suspended = replace(
        before,
        status=SUSPENDED,
        grace_ends_at=grace_ends_at,
        next_attempt_at=next_attempt_at,
        failed_attempts=attempts,
    )
    return Terms(terms.plan_id, suspended)


def cancel(terms: Terms, now: datetime) -> Terms:
    """No further charge. An active one runs until its period ends; a suspended one, which has nothing left, ends."""
    _require(Move.CANCEL, terms, now)
    before = terms.subscription
    if before.status is SUSPENDED or before.period_ends_at is None or before.period_ends_at <= now:
        return Terms(terms.plan_id, _expired(before))
    return Terms(terms.plan_id, replace(before, status=CANCELLED, pending_plan_id=None))


def resume(terms: Terms, now: datetime) -> Terms:
    """Take a cancellation back while the period runs."""
    _require(Move.RESUME, terms, now)
    return Terms(terms.plan_id, replace(terms.subscription, status=ACTIVE))


def expire(terms: Terms, now: datetime) -> Terms:
    """Write down that the period of a cancelled subscription, or the grace of a suspended one, is over."""
    _require(Move.EXPIRE, terms, now)
    return Terms(terms.plan_id, _expired(terms.subscription))


def quote_plan_change(terms: Terms, wanted: PlanId, prices: Mapping[PlanId, Money], now: datetime) -> PlanChange:
    """What changing to `wanted` would cost and when it would begin.

    A dearer plan begins at once, for the difference in price over the rest of the period, rounded down; a cheaper one
    begins with the next period. During a trial nothing is paid, so that every plan begins at once. The plan that the
    account has already begins now, costs nothing and takes a pending change back. When the period is over, and its
    renewal perhaps being charged, every other plan waits for the next one.
    """
    _require(Move.CHANGE_PLAN, terms, now)
    subscription = terms.subscription
    ends_at = subscription.period_ends_at or now
    nothing = Money(0, prices[wanted].currency)
    rise = prices[wanted].minus(prices[terms.plan_id])
    is_running = ends_at > now
    waits = rise.amount_minor <= 0 and not subscription.is_trial
    if wanted != terms.plan_id and (waits or not is_running):
        return PlanChange(wanted, ChangeMoment.AT_PERIOD_END, ends_at, nothing, prices[wanted])
    charge = nothing
    if rise.amount_minor > 0 and not subscription.is_trial:
        period = ends_at - (subscription.period_starts_at or ends_at - BILLING_PERIOD)
        charge = rise.share(min(ends_at - now, period) // MICROSECOND, period // MICROSECOND)
    return PlanChange(wanted, ChangeMoment.NOW, now, charge, prices[wanted])


def change_plan(terms: Terms, change: PlanChange, now: datetime) -> Terms:
    """Carry out a quoted change; its charge, where there is one, is paid."""
    _require(Move.CHANGE_PLAN, terms, now)
    if change.moment is ChangeMoment.AT_PERIOD_END:
        return Terms(terms.plan_id, replace(terms.subscription, pending_plan_id=change.plan_id))
    return Terms(change.plan_id, replace(terms.subscription, pending_plan_id=None))


def _require(move: Move, terms: Terms, now: datetime) -> None:
    status = terms.subscription.status_at(now)
    if status not in LEGAL_FROM[move]:
        raise IllegalMove(move, status)


def _expired(before: Subscription) -> Subscription:
    return Subscription(
        EXPIRED, before.period_ends_at, period_starts_at=before.period_starts_at, is_trial=before.is_trial
    )
