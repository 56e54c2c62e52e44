"""Every step of every kind of payment, with every kind of failure: one charge at most, and books that agree."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from common.clock import FakeClock
from common.errors import ServiceError
from subgraphs.kernel.migrations import upgrade
from subgraphs.kernel.sql import open_engine, sqlite_url
from subgraphs.profiles.adapters.sqlalchemy.tables import MIGRATIONS
from subgraphs.profiles.domain.accounts import Account, PlanId, Subscription, SubscriptionStatus, Terms
from subgraphs.profiles.domain.notifications import NotificationKind
from subgraphs.profiles.domain.payments import PaymentStatus
from subgraphs.profiles.domain.subscriptions import cancel, trial
from subgraphs.profiles.ports_billing import SubscriptionMove
from subgraphs.profiles.services.billing import Charged, PaymentWaiting
from subgraphs.profiles.services.events import subscription_changed
from tests.support.billing import (
    LAPSED,
    LIMITS,
    PRICE,
    PROVIDER_CALLS,
    PROVIDER_TROUBLES,
    STORE_TROUBLES,
    BillingOffice,
    Crash,
    Trouble,
)

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
BASIC, STANDARD = PlanId.BASIC, PlanId.STANDARD


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[BillingOffice]:
    engine = open_engine(sqlite_url(tmp_path / "profiles.sqlite"))
    # What a power cut does to a file is SQLite's own matter, and waiting for the disk is most of the time here.
    event.listen(engine.sync_engine, "connect", lambda raw, _record: raw.execute("PRAGMA synchronous = OFF"))
    await upgrade(engine, MIGRATIONS)
    yield BillingOffice(engine, FakeClock(START))
    await engine.dispose()


@dataclass(frozen=True)
class Scenario:
    """An operation on a fresh account, and what must be true when it has ended, however it went."""

    name: str
    open_account: Callable[[BillingOffice], Awaitable[Account]]
    ask: Callable[[BillingOffice, Account], Awaitable[object]]
    status: SubscriptionStatus
    plan_id: PlanId
    charged: int
    payment_status: PaymentStatus
    before: Callable[[BillingOffice, Account], None] = lambda _office, _account: None


def active(office: BillingOffice, *, days_left: int = 0) -> Terms:
    now = office.clock.now()
    ends_at = now + days_left * DAY
    return Terms(BASIC, Subscription(SubscriptionStatus.ACTIVE, ends_at, period_starts_at=ends_at - 30 * DAY))


async def subscribe(office: BillingOffice, account: Account) -> object:
    now = office.clock.now()
    return await office.billing.subscribe(office.viewer(account), await office.again(account), STANDARD, "one", now)


async def renew(office: BillingOffice, account: Account) -> object:
    # As the rounds do it: only for accounts that are still due.
    now = office.clock.now()
    found = await office.again(account)
    due = found.subscription.due_at
    is_due = found.subscription.auto_renews and due is not None and due <= now
    return await office.billing.renew(found, now) if is_due else None


async def upgrade_plan(office: BillingOffice, account: Account) -> object:
    viewer, found = office.viewer(account), await office.again(account)
    return await office.billing.change_plan(
        viewer, found, STANDARD, office.clock.now(), idempotency_key="one", max_charge_minor=None
    )


async def refund(office: BillingOffice, account: Account) -> object:
    [*_, charge] = await office.payments.newest_payments(account.id, 10, None)
    viewer = replace(office.viewer(account), scopes=frozenset({"billing"}))
    return await office.billing.refund(viewer, charge.id, office.clock.now())


async def subscribed(office: BillingOffice) -> Account:
    account = await office.account(LAPSED)
    if not isinstance(await subscribe(office, account), Charged):
        # On a busy machine the provider's short deadline passes by itself.
        await office.recover()
    assert (await office.again(account)).plan_id is STANDARD
    # Payments are listed by age: the next one must be younger.
    office.clock.advance(timedelta(seconds=1))
    return account


def cancel_in_between(office: BillingOffice, account: Account) -> None:
    """Right after the capture has happened, whoever does it; `catch_up` when nobody did."""

    async def cancel_it() -> None:
        now = office.clock.now()
        move = SubscriptionMove(
            lambda found: cancel(found.terms, now), lambda after: [subscription_changed(after, now)]
        )
        await office.payments.move(account.id, move)

    office.after_call["capture"] = [cancel_it]


async def catch_up(office: BillingOffice) -> None:
    """What should have come in between and did not, as nothing was captured."""
    for act in office.after_call.pop("capture", ()):
        await act()


def card(token: str, terms: Callable[[BillingOffice], Terms]) -> Callable[[BillingOffice], Awaitable[Account]]:
    return lambda office: office.account(terms(office), token=token)


S = SubscriptionStatus
SCENARIOS = [
    Scenario("subscribe", lambda office: office.account(LAPSED), subscribe, S.ACTIVE, STANDARD, PRICE[STANDARD],
             PaymentStatus.COMPLETED),
    Scenario("subscribe_declined", card("sim_visa_0002_declined", lambda _: LAPSED), subscribe, S.EXPIRED, BASIC, 0,
             PaymentStatus.FAILED),
    Scenario("subscribe_uncapturable", card("sim_amex_0341_uncapturable", lambda _: LAPSED), subscribe, S.EXPIRED,
             BASIC, 0, PaymentStatus.FAILED),
    Scenario("renew", card("sim_visa_4242", active), renew, S.ACTIVE, BASIC, PRICE[BASIC], PaymentStatus.COMPLETED),
    Scenario("renew_declined", card("sim_visa_9995_insufficient", active), renew, S.SUSPENDED, BASIC, 0,
             PaymentStatus.FAILED),
    Scenario("renew_cancelled_meanwhile", card("sim_visa_4242", active), renew, S.EXPIRED, BASIC, 0,
             PaymentStatus.FAILED, before=cancel_in_between),
    Scenario("upgrade", card("sim_visa_4242", lambda office: active(office, days_left=15)), upgrade_plan, S.ACTIVE,
             STANDARD, (PRICE[STANDARD] - PRICE[BASIC]) // 2, PaymentStatus.COMPLETED),
    Scenario("refund", subscribed, refund, S.ACTIVE, STANDARD, 0, PaymentStatus.COMPLETED),
]  # fmt: skip


async def ask_until_it_ends(office: BillingOffice, scenario: Scenario, account: Account) -> None:
    """A client that asks once, loses the answer, and asks again when the service is back."""
    await office.recover()
    has_ended = any(payment.settled_at for payment in await office.payments.newest_payments(account.id, 1, None))
    # Another attempt at a declined renewal is another payment, by design.
    if not (has_ended and scenario.name == "renew_declined"):
        await scenario.ask(office, account)
    await office.recover()


async def check(office: BillingOffice, scenario: Scenario, account: Account, told_before: int) -> None:
    audit = await office.audit()
    assert audit.problems == ()
    assert audit.payments_under_way == 0
    done = await office.provider_operations(account)
    charged = done.get("capture", 0) - done.get("refund", 0)
    # What an upgrade costs falls by the hour, and a client that was cut off asks hours later.
    assert scenario.charged - 10 * (scenario.name == "upgrade") <= charged <= scenario.charged
    assert done.get("captures", 0) <= 1
    assert done.get("authorises", 0) <= 1
    after = await office.again(account)
    assert after.plan_id is scenario.plan_id
    assert after.subscription.status is scenario.status
    # A renewal that was cancelled before it began leaves no payment.
    for newest in await office.payments.newest_payments(account.id, 1, None):
        assert newest.status is scenario.payment_status
    moved = scenario.name not in {"subscribe_declined", "subscribe_uncapturable", "refund"}
    assert await office.changes_told(account) - told_before == int(moved)


async def run(office: BillingOffice, scenario: Scenario, trouble_at: Callable[[int, str], Trouble | None]) -> list[str]:
    """The scenario with trouble, then recovered; the calls of the first, troubled run."""
    account = await scenario.open_account(office)
    told_before = await office.changes_told(account)
    with office.trouble(trouble_at):
        scenario.before(office, account)
        with suppress(Crash, ServiceError):
            await scenario.ask(office, account)
        calls = list(office.calls)
    await catch_up(office)
    await ask_until_it_ends(office, scenario, account)
    await check(office, scenario, account, told_before)
    return calls


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_whatever_fails_at_whichever_call_the_books_agree(office: BillingOffice, scenario: Scenario) -> None:
    """Each call of the undisturbed run fails once in each way that it can."""
    undisturbed = await run(office, scenario, lambda _number, _name: None)
    assert undisturbed
    for position, name in enumerate(undisturbed):
        for trouble in PROVIDER_TROUBLES if name in PROVIDER_CALLS else STORE_TROUBLES:

            def at(number: int, _name: str, wanted: int = position, kind: Trouble = trouble) -> Trouble | None:
                return kind if number == wanted else None

            try:
                await run(office, scenario, at)
            except AssertionError as error:
                raise AssertionError(f"{trouble} at call {position}, {name}: {error}") from error


def random_schedule(draws: list[int]) -> Callable[[int, str], Trouble | None]:
    def at(number: int, name: str) -> Trouble | None:
        draw = draws[number] if number < len(draws) else 0
        troubles: tuple[Trouble, ...] = PROVIDER_TROUBLES if name in PROVIDER_CALLS else STORE_TROUBLES
        return troubles[draw - 1] if 0 < draw <= len(troubles) else None

    return at


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scenario=st.sampled_from(SCENARIOS), rounds=st.lists(st.lists(st.integers(0, 12), max_size=12), max_size=4))
async def test_any_schedule_of_failures_ends_well(
    office: BillingOffice, scenario: Scenario, rounds: list[list[int]]
) -> None:
    """Also when the recovery itself fails again and again, at random places."""
    account = await scenario.open_account(office)
    told_before = await office.changes_told(account)
    scenario.before(office, account)
    for number, draws in enumerate(rounds):
        with office.trouble(random_schedule(draws)), suppress(Crash, ServiceError):
            if number == 0:
                await scenario.ask(office, account)
            else:
                office.clock.advance(timedelta(hours=2))
                await office.billing.saga.recover(100)
    await catch_up(office)
    await ask_until_it_ends(office, scenario, account)
    await check(office, scenario, account, told_before)


async def test_a_process_that_wakes_up_late_writes_nothing(office: BillingOffice) -> None:
    """Its lease ended and another one finished the payment: the fence refuses its writes."""
    account = await office.account(LAPSED)
    with (
        office.trouble(lambda _number, name: Trouble.CRASH_AFTER if name == "authorise" else None),
        pytest.raises(Crash),
    ):
        await subscribe(office, account)
    [stale] = await office.payments.newest_payments(account.id, 1, None)
    await office.recover()
    assert not await office.payments.advance(replace(stale, steps_done=1))
    outcome = await office.billing.saga.drive(stale, was_begun_before=True)
    assert outcome.status is PaymentStatus.COMPLETED
    assert (await office.audit()).problems == ()


async def test_two_recoveries_at_once_share_the_work(office: BillingOffice) -> None:
    """An open payment is claimed by one of them."""
    account = await office.account(LAPSED)
    with (
        office.trouble(lambda _number, name: Trouble.CRASH_BEFORE if name == "capture" else None),
        pytest.raises(Crash),
    ):
        await subscribe(office, account)
    office.clock.advance(timedelta(hours=1))
    now = office.clock.now()
    first = await office.payments.claim_due(now, timedelta(minutes=2), 10)
    second = await office.payments.claim_due(now, timedelta(minutes=2), 10)
    assert (len(first), len(second)) == (1, 0)


async def test_an_erased_account_is_not_charged_for_what_it_can_not_have(office: BillingOffice) -> None:
    """Erased between capture and the subscription: posted and reversed, captured and given back."""
    account = await office.account(LAPSED)
    with office.trouble(lambda _number, name: Trouble.CRASH_BEFORE if name == "settle" else None), pytest.raises(Crash):
        await subscribe(office, account)
    [payment] = await office.payments.newest_payments(account.id, 1, None)
    await office.erase(account)
    await office.recover()
    ended = await office.payments.payment(payment.id)
    assert ended is not None
    assert (ended.status, ended.account_id) == (PaymentStatus.FAILED, None)
    assert await office.provider_balances() == {"USD": 0}
    assert (await office.audit()).problems == ()


async def test_a_payment_goes_on_when_nobody_waits_for_it_any_more(office: BillingOffice) -> None:
    """The caller hangs up between the authorisation and the capture; closing lets what is under way end."""
    account = await office.account(LAPSED)
    asking: list[asyncio.Task[object]] = []

    async def hang_up() -> None:
        asking[0].cancel()

    office.after_call["authorise"] = [hang_up]
    asking.append(asyncio.create_task(subscribe(office, account)))
    with pytest.raises(asyncio.CancelledError):
        await asking[0]
    await office.billing.saga.aclose()
    assert (await office.again(account)).subscription.status is SubscriptionStatus.ACTIVE


async def test_a_slow_payment_is_told_as_under_way(office: BillingOffice) -> None:
    """Once the patience is over; it ends by itself, and the same key finds it."""
    account = await office.account(LAPSED)
    impatient = replace(office.billing.saga, limits=replace(office.billing.saga.limits, patience_s=0.001))
    billing = replace(office.billing, saga=impatient)
    viewer, now = office.viewer(account), office.clock.now()
    outcome = await billing.subscribe(viewer, account, STANDARD, "one", now)
    assert isinstance(outcome, PaymentWaiting)
    await impatient.aclose()
    await office.recover()
    again = await billing.subscribe(viewer, await office.again(account), STANDARD, "one", now)
    assert isinstance(again, Charged)


async def test_silence_keeps_a_renewal_from_suspending(office: BillingOffice) -> None:
    """The provider is away for a day: the viewer goes on watching, and pays once when it is back."""
    account = await office.account(active(office))

    def away(_number: int, name: str) -> Trouble | None:
        return Trouble.SILENT_BEFORE if name in PROVIDER_CALLS else None

    with office.trouble(away):
        for _ in range(24):
            await office.rounds.round()
            office.clock.advance(timedelta(hours=1))
    assert (await office.again(account)).subscription.status is SubscriptionStatus.ACTIVE
    [waiting] = await office.payments.newest_payments(account.id, 9, None)
    assert waiting.status is PaymentStatus.PENDING
    await office.rounds.round()
    after = await office.again(account)
    assert after.subscription.period_ends_at == START + 30 * DAY
    assert (await office.provider_operations(account))["capture"] == PRICE[BASIC]


async def test_dunning_tries_by_schedule_and_then_gives_up(office: BillingOffice) -> None:
    """Suspended at once, tried after one day and two more, expired when the grace is over; each change is told."""
    account = await office.account(active(office), token="sim_visa_0002_declined")
    seen: list[tuple[int, str, int]] = []
    for day in range(10):
        await office.rounds.round()
        found = (await office.again(account)).subscription
        seen.append((day, found.status.value, len(await office.payments.newest_payments(account.id, 20, None))))
        office.clock.advance(DAY)
    assert [count for _, _, count in seen] == [1, 2, 2, 3, 3, 3, 3, 3, 3, 3]
    assert [status for _, status, _ in seen] == ["SUSPENDED"] * 7 + ["EXPIRED"] * 3
    assert (await office.provider_operations(account)).get("capture", 0) == 0
    assert await office.changes_told(account) == 4


async def test_an_account_is_told_once_that_its_payment_failed(office: BillingOffice) -> None:
    """However often the charge is tried, and not at all when it succeeded."""
    unpaid = await office.account(active(office), token="sim_visa_0002_declined")
    paid = await office.account(active(office))
    for _ in range(4):
        await office.rounds.round()
        office.clock.advance(DAY)

    (message,) = await office.notifications.inbox(unpaid.id, 10, None)
    assert message.kind is NotificationKind.PAYMENT_FAILED
    assert message.details["amount"] == f"USD {PRICE[BASIC] // 100}.{PRICE[BASIC] % 100:02}"
    assert not await office.notifications.inbox(paid.id, 10, None)


async def test_a_trial_without_a_card_ends_suspended_and_a_card_brings_it_back(office: BillingOffice) -> None:
    """Nothing to charge is a failed renewal; with a card the retry starts a period that begins when it is paid."""
    account = await office.account(trial(BASIC, START, 30 * DAY), token=None)
    office.clock.advance(31 * DAY)
    await office.rounds.round()
    assert (await office.again(account)).subscription.status is SubscriptionStatus.SUSPENDED
    await office.use_card(account, "sim_visa_4242")
    viewer, now = office.viewer(account), office.clock.now()
    outcome: Any = await office.billing.retry(viewer, await office.again(account), now)
    assert isinstance(outcome, Charged)
    after = outcome.account.subscription
    assert (after.status, after.is_trial, after.period_ends_at) == (SubscriptionStatus.ACTIVE, False, now + 30 * DAY)


async def test_an_account_is_told_when_the_decline_was_known_late(office: BillingOffice) -> None:
    """The provider was silent while the renewal was charged; the round that hears of the decline tells of it."""
    account = await office.account(active(office), token="sim_visa_0002_declined")
    silent = {"authorise": Trouble.SILENT_AFTER, "answer_to": Trouble.SILENT_BEFORE}
    with office.trouble(lambda _number, name: silent.get(name)):
        await office.rounds.round()
    assert (await office.again(account)).subscription.status is SubscriptionStatus.ACTIVE
    assert await office.notifications.inbox(account.id, 10, None) == ()
    office.clock.advance(LIMITS.longest_retry)
    await office.rounds.round()
    assert (await office.again(account)).subscription.status is SubscriptionStatus.SUSPENDED
    [message] = await office.notifications.inbox(account.id, 10, None)
    assert message.kind is NotificationKind.PAYMENT_FAILED
