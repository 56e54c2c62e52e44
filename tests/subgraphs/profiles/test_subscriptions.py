"""The subscription's state machine: every move from every state, proration, dunning; and the ledger's own rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.profiles.domain.accounts import BILLING_PERIOD, PlanId, Subscription, SubscriptionStatus, Terms
from subgraphs.profiles.domain.ledger import (
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    LedgerUnbalanced,
    TransactionKind,
    charge_entries,
    refund_entries,
    reversal_entries,
    sums_by_currency,
)
from subgraphs.profiles.domain.money import Money
from subgraphs.profiles.domain.subscriptions import (
    LEGAL_FROM,
    ChangeMoment,
    Dunning,
    IllegalMove,
    Move,
    cancel,
    change_plan,
    expire,
    fail_renewal,
    quote_plan_change,
    renew,
    resume,
    start,
    trial,
)

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DUNNING = Dunning(grace=7 * DAY, retry_after=(DAY, 2 * DAY))
PRICES = {
    PlanId.BASIC: Money(799, "USD"),
    PlanId.STANDARD: Money(1549, "USD"),
    PlanId.PREMIUM: Money(2299, "USD"),
}

MOVES: dict[Move, Callable[[Terms], Terms]] = {
    Move.START: lambda terms: start(terms, PlanId.PREMIUM, NOW),
    Move.RENEW: lambda terms: renew(terms, terms.next_plan_id, NOW),
    Move.FAIL_RENEWAL: lambda terms: fail_renewal(terms, NOW, DUNNING),
    Move.CANCEL: lambda terms: cancel(terms, NOW),
    Move.RESUME: lambda terms: resume(terms, NOW),
    Move.CHANGE_PLAN: lambda terms: change_plan(terms, quote_plan_change(terms, PlanId.PREMIUM, PRICES, NOW), NOW),
    Move.EXPIRE: lambda terms: expire(terms, NOW),
}

instants = st.integers(-1000, 1000).map(lambda hours: NOW + timedelta(hours=hours))
subscriptions = st.builds(
    Subscription,
    status=st.sampled_from(SubscriptionStatus),
    period_ends_at=st.none() | instants,
    is_trial=st.booleans(),
    pending_plan_id=st.none() | st.sampled_from(PlanId),
    grace_ends_at=st.none() | instants,
    failed_attempts=st.integers(0, 3),
)
terms_of_all_kinds = st.builds(Terms, st.sampled_from(PlanId), subscriptions)


def running(*, days_left: int = 10, plan: PlanId = PlanId.BASIC, is_trial: bool = False) -> Terms:
    ends_at = NOW + days_left * DAY
    return Terms(
        plan,
        Subscription(SubscriptionStatus.ACTIVE, ends_at, period_starts_at=ends_at - BILLING_PERIOD, is_trial=is_trial),
    )


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


def test_a_suspended_subscription_is_over_with_its_grace() -> None:
    """To the instant."""
    suspended = Subscription(SubscriptionStatus.SUSPENDED, NOW - DAY, grace_ends_at=NOW)
    assert suspended.status_at(NOW - timedelta(microseconds=1)) is SubscriptionStatus.SUSPENDED
    assert suspended.status_at(NOW) is SubscriptionStatus.EXPIRED


@given(terms_of_all_kinds, st.sampled_from(Move))
def test_every_move_is_legal_exactly_where_the_table_says(terms: Terms, move: Move) -> None:
    """By the status that counts at that instant; and what a legal move leaves is no state out of the blue."""
    status = terms.subscription.status_at(NOW)
    if status not in LEGAL_FROM[move]:
        with pytest.raises(IllegalMove, match=str(status)):
            MOVES[move](terms)
        return
    after = MOVES[move](terms).subscription
    reached = {
        Move.START: {SubscriptionStatus.ACTIVE},
        Move.RENEW: {SubscriptionStatus.ACTIVE},
        Move.FAIL_RENEWAL: {SubscriptionStatus.SUSPENDED},
        Move.CANCEL: {SubscriptionStatus.CANCELLED, SubscriptionStatus.EXPIRED},
        Move.RESUME: {SubscriptionStatus.ACTIVE},
        Move.CHANGE_PLAN: {SubscriptionStatus.ACTIVE},
        Move.EXPIRE: {SubscriptionStatus.EXPIRED},
    }
    assert after.status in reached[move]
    if after.status is SubscriptionStatus.EXPIRED:
        assert after.due_at is None
        assert after.pending_plan_id is None
    if move in {Move.START, Move.RENEW}:
        assert after.period_ends_at is not None
        assert after.period_starts_at is not None
        assert after.period_ends_at - after.period_starts_at == BILLING_PERIOD
        assert after.period_ends_at > NOW
        assert (after.is_trial, after.grace_ends_at, after.failed_attempts) == (False, None, 0)


def test_a_renewal_follows_without_a_gap() -> None:
    """Also when the charge came late; after a suspension the period begins when it is paid."""
    late = running(days_left=-3)
    assert renew(late, PlanId.BASIC, NOW).subscription.period_ends_at == NOW + 27 * DAY
    suspended = fail_renewal(late, NOW, DUNNING)
    assert renew(suspended, PlanId.BASIC, NOW + DAY).subscription.period_ends_at == NOW + 31 * DAY


def test_dunning_ends_with_the_schedule_or_the_grace() -> None:
    """Whichever is first; the grace does not grow with the tries."""
    once = fail_renewal(running(days_left=0), NOW, DUNNING)
    assert (once.subscription.next_attempt_at, once.subscription.grace_ends_at) == (NOW + DAY, NOW + 7 * DAY)
    twice = fail_renewal(once, NOW + DAY, DUNNING)
    assert (twice.subscription.next_attempt_at, twice.subscription.grace_ends_at) == (NOW + 3 * DAY, NOW + 7 * DAY)
    thrice = fail_renewal(twice, NOW + 3 * DAY, DUNNING)
    assert thrice.subscription.next_attempt_at is None
    assert thrice.subscription.due_at == NOW + 7 * DAY
    short = Dunning(grace=DAY, retry_after=(2 * DAY,))
    assert fail_renewal(running(days_left=0), NOW, short).subscription.next_attempt_at is None


def test_a_dearer_plan_costs_the_difference_over_the_rest() -> None:
    """Rounded down; nothing in a trial; a cheaper one waits for the next period, and the old one takes it back."""
    change = quote_plan_change(running(days_left=10), PlanId.STANDARD, PRICES, NOW)
    assert (change.moment, change.charge, change.next_charge) == (
        ChangeMoment.NOW,
        Money(750 * 10 // 30, "USD"),
        PRICES[PlanId.STANDARD],
    )
    free = quote_plan_change(running(is_trial=True), PlanId.PREMIUM, PRICES, NOW)
    assert (free.moment, free.charge.amount_minor) == (ChangeMoment.NOW, 0)
    overdue = quote_plan_change(running(days_left=-1), PlanId.PREMIUM, PRICES, NOW)
    assert (overdue.moment, overdue.charge.amount_minor) == (ChangeMoment.AT_PERIOD_END, 0)
    terms = running(plan=PlanId.PREMIUM)
    down = quote_plan_change(terms, PlanId.BASIC, PRICES, NOW)
    assert (down.moment, down.takes_effect_at, down.charge.amount_minor) == (
        ChangeMoment.AT_PERIOD_END,
        NOW + 10 * DAY,
        0,
    )
    pending = change_plan(terms, down, NOW)
    assert (pending.plan_id, pending.next_plan_id) == (PlanId.PREMIUM, PlanId.BASIC)
    assert renew(pending, pending.next_plan_id, NOW + 10 * DAY).plan_id is PlanId.BASIC
    back = change_plan(pending, quote_plan_change(pending, PlanId.PREMIUM, PRICES, NOW), NOW)
    assert back == terms


@given(st.integers(0, 30 * 24 * 3600), st.sampled_from(PlanId), st.sampled_from(PlanId))
def test_proration_never_charges_more_than_the_difference(seconds_left: int, before: PlanId, wanted: PlanId) -> None:
    """And never less than nothing; two changes on the way up cost no more than one."""
    ends_at = NOW + timedelta(seconds=seconds_left)
    terms = Terms(before, Subscription(SubscriptionStatus.ACTIVE, ends_at, period_starts_at=ends_at - BILLING_PERIOD))
    charge = quote_plan_change(terms, wanted, PRICES, NOW).charge.amount_minor
    rise = PRICES[wanted].amount_minor - PRICES[before].amount_minor
    assert 0 <= charge <= max(rise, 0)
    middle = change_plan(terms, quote_plan_change(terms, PlanId.STANDARD, PRICES, NOW), NOW)
    if before is PlanId.BASIC and wanted is PlanId.PREMIUM:
        parts = quote_plan_change(terms, PlanId.STANDARD, PRICES, NOW).charge.amount_minor
        parts += quote_plan_change(middle, PlanId.PREMIUM, PRICES, NOW).charge.amount_minor
        assert parts <= charge


def test_a_trial_is_free_and_ends() -> None:
    """As long as the settings say."""
    terms = trial(PlanId.BASIC, NOW, 14 * DAY)
    assert (terms.subscription.is_trial, terms.subscription.due_at) == (True, NOW + 14 * DAY)


# --- money and the ledger -------------------------------------------------------------------------------------------

amounts = st.integers(-(10**12), 10**12).filter(bool)
entries = st.builds(
    LedgerEntry, st.sampled_from(LedgerAccount), st.just("cus_1"), st.builds(Money, amounts, st.sampled_from(["USD", "JPY"]))
)  # fmt: skip


def posted(lines: tuple[LedgerEntry, ...]) -> LedgerTransaction:
    return LedgerTransaction("ltx_1", "key", TransactionKind.CHARGE, "pay_1", NOW, lines)


@given(st.lists(entries, max_size=6))
def test_a_transaction_balances_or_is_none(lines: list[LedgerEntry]) -> None:
    """In each currency by itself; with its reversal any balanced one is nothing."""
    is_balanced = len(lines) >= 2 and not any(sums_by_currency(lines).values())
    if not is_balanced:
        with pytest.raises(LedgerUnbalanced):
            posted(tuple(lines))
        balanced = (*lines, *reversal_entries(lines))
        if balanced:
            assert not any(sums_by_currency(posted(balanced).entries).values())
        return
    posted(tuple(lines))


@pytest.mark.parametrize("build", [charge_entries, refund_entries])
def test_postings_leave_the_customer_owing_nothing(
    build: Callable[[str, Money], tuple[LedgerEntry, ...]],
) -> None:
    """And balance."""
    lines = posted(build("cus_1", Money(1549, "USD"))).entries
    owed = [line.amount.amount_minor for line in lines if line.account is LedgerAccount.CUSTOMER_RECEIVABLE]
    assert sum(owed) == 0


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(999, "USD"), "USD 9.99"),
        (Money(-5, "EUR"), "EUR -0.05"),
        (Money(890, "JPY"), "JPY 890"),
        (Money(2400, "KWD"), "KWD 2.400"),
        (Money(-45, "KWD"), "KWD -0.045"),
    ],
)
def test_amounts_are_written_in_their_currencys_units(money: Money, text: str) -> None:
    """A minor unit is a hundredth, nothing or a thousandth."""
    assert money.text == text


def test_money_is_whole_and_of_one_currency() -> None:
    """Fractions, odd currencies and mixed sums are refused."""
    with pytest.raises(TypeError, match=r"7\.99"):
        Money(7.99, "USD")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="usd"):
        Money(799, "usd")
    with pytest.raises(ValueError, match="EUR"):
        Money(799, "USD").minus(Money(1, "EUR"))
    with pytest.raises(ValueError, match="2 of 1"):
        Money(799, "USD").share(2, 1)
