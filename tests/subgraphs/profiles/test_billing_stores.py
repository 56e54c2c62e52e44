"""One contract for the stores of money and devices: SQLite always, PostgreSQL where there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from common.clock import FakeClock
from common.events import Event
from subgraphs.kernel.ids import SessionId
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy.devices import SqlDeviceStore
from subgraphs.profiles.adapters.sqlalchemy.ledger import SqlLedgerStore
from subgraphs.profiles.adapters.sqlalchemy.sessions import SqlSessionStore
from subgraphs.profiles.adapters.sqlalchemy.tables_billing import ledger_entries, ledger_transactions
from subgraphs.profiles.domain.accounts import Account, PlanId, Subscription, SubscriptionStatus, Terms
from subgraphs.profiles.domain.devices import Device, DeviceFormFactor, DeviceId
from subgraphs.profiles.domain.ledger import LedgerTransaction, TransactionKind, charge_entries
from subgraphs.profiles.domain.money import Money
from subgraphs.profiles.domain.payments import Payment, PaymentId, PaymentKind, PaymentStatus
from subgraphs.profiles.domain.sessions import RefreshToken, Session
from subgraphs.profiles.domain.subscriptions import IllegalMove, cancel, resume
from subgraphs.profiles.ports_billing import Settling, SubscriptionMove
from tests.support.billing import PRICE, BillingOffice

NOW = datetime(2026, 11, 20, 8, 0, 0, 654321, tzinfo=UTC)
DAY = timedelta(days=1)
ACTIVE = Terms(PlanId.BASIC, Subscription(SubscriptionStatus.ACTIVE, NOW + 10 * DAY, period_starts_at=NOW - 20 * DAY))
UNCHANGED = SubscriptionMove(lambda account: account.terms, lambda _: [])


@pytest.fixture
async def office(any_engine: AsyncEngine) -> BillingOffice:
    return BillingOffice(any_engine, FakeClock(NOW))


async def new_payment(office: BillingOffice, account: Account, key: str = "one", minute: int = 0) -> Payment:
    customer = (await office.payments.customers_by_account([account.id]))[account.id]
    return Payment(
        id=PaymentId(f"pay_{account.id}_{key}"),
        account_id=account.id,
        customer_id=customer.customer_id,
        kind=PaymentKind.RENEWAL,
        status=PaymentStatus.PENDING,
        plan_id=PlanId.BASIC,
        amount=Money(799, "USD"),
        operation_key=key,
        created_at=NOW + timedelta(minutes=minute),
        leased_until=NOW + timedelta(minutes=2),
        next_try_at=NOW,
    )


async def count(engine: AsyncEngine, table: str) -> int:
    async with reading(engine) as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


# --- prices and methods ----------------------------------------------------------------------------------------------


async def test_prices_are_the_countrys_or_everywheres(office: BillingOffice) -> None:
    """In its currency's minor unit: yen have none."""
    usd = {plan.id: (plan.price_cents, plan.currency) for plan in await office.accounts.plans()}
    assert usd == {plan_id: (amount, "USD") for plan_id, amount in PRICE.items()}
    assert [(plan.price_cents, plan.currency) for plan in await office.accounts.plans("JP")] == [
        (890, "JPY"),
        (1590, "JPY"),
        (2290, "JPY"),
    ]
    assert await office.accounts.plans("AQ") == await office.accounts.plans()


async def test_a_new_card_takes_the_place_of_the_old_one(office: BillingOffice) -> None:
    """For the same customer."""
    account = await office.account(ACTIVE)
    before = (await office.payments.customers_by_account([account.id]))[account.id]
    await office.use_card(account, "sim_amex_0005")
    after = (await office.payments.customers_by_account([account.id]))[account.id]
    assert after.customer_id == before.customer_id
    assert (after.method.brand, after.method.last_four) == ("Amex", "0005")


async def test_a_subscription_comes_back_as_it_was(office: BillingOffice) -> None:
    """Every part of it."""
    terms = Terms(
        PlanId.PREMIUM,
        Subscription(SubscriptionStatus.SUSPENDED, NOW, NOW - DAY, False, PlanId.BASIC, NOW + DAY, NOW + 2 * DAY, 3),
    )
    account = await office.account(terms)
    assert await office.again(account) == account


# --- payments --------------------------------------------------------------------------------------------------------


async def test_one_payment_is_under_way_however_many_begin(office: BillingOffice) -> None:
    """Ten at once: all but one are told which stands in their way; the same key is the same payment for ever."""
    account = await office.account(ACTIVE)
    wanted = [await new_payment(office, account, f"key{number}") for number in range(10)]
    standing = await asyncio.gather(*(office.payments.begin(payment) for payment in wanted))
    assert len({payment.id for payment in standing}) == 1
    winner = standing[0]
    settled = replace(winner, status=PaymentStatus.FAILED, settled_at=NOW)
    assert await office.payments.settle(settled, UNCHANGED) is Settling.DONE
    repeated = replace(winner, id=PaymentId("pay_again"))
    assert await office.payments.begin(repeated) == settled
    assert (await office.payments.begin(await new_payment(office, account, "another"))).operation_key == "another"


async def test_a_payment_moves_only_for_whoever_holds_it(office: BillingOffice) -> None:
    """A claim raises the fence; what came before it writes nothing, and a settled payment stays as it is."""
    account = await office.account(ACTIVE)
    payment = await office.payments.begin(await new_payment(office, account))
    assert await office.payments.claim_due(NOW, DAY, 10) == ()
    later = NOW + timedelta(minutes=2)
    [claimed] = await office.payments.claim_due(later, DAY, 10)
    assert (claimed.fence, claimed.tries, claimed.leased_until) == (2, 1, later + DAY)
    assert not await office.payments.advance(replace(payment, steps_done=1))
    assert await office.payments.advance(replace(claimed, steps_done=1, authorisation_id="auth_1"))
    done = replace(claimed, steps_done=4, status=PaymentStatus.COMPLETED, settled_at=later)
    assert await office.payments.settle(done, UNCHANGED) is Settling.DONE
    assert await office.payments.settle(done, UNCHANGED) is Settling.LOST
    assert not await office.payments.advance(replace(claimed, steps_done=2))
    assert await office.payments.payment(payment.id) == done


async def test_settling_and_moving_are_one_write(office: BillingOffice) -> None:
    """A move that is illegal leaves the payment open; a legal one is told once, in the same transaction."""
    account = await office.account(ACTIVE)
    payment = await office.payments.begin(await new_payment(office, account))
    done = replace(payment, status=PaymentStatus.COMPLETED, settled_at=NOW)

    def told(after: Account) -> Sequence[Event]:
        data = {"accountId": after.id, "country": "US", "plan": "BASIC", "status": "CANCELLED"}
        return [Event("accounts", "subscription.changed", data, NOW)]

    with pytest.raises(IllegalMove):
        await office.payments.settle(done, SubscriptionMove(lambda found: resume(found.terms, NOW), told))
    assert await office.payments.payment(payment.id) == payment
    assert await office.changes_told(account) == 0
    move = SubscriptionMove(lambda found: cancel(found.terms, NOW), told)
    assert await office.payments.settle(done, move) is Settling.DONE
    assert (await office.again(account)).subscription.status is SubscriptionStatus.CANCELLED
    assert await office.changes_told(account) == 1


async def test_payments_are_listed_newest_first(office: BillingOffice) -> None:
    """In pages that neither repeat nor skip, also within one instant."""
    account = await office.account(ACTIVE)
    for number in range(7):
        payment = await office.payments.begin(await new_payment(office, account, f"k{number}", minute=number // 2))
        await office.payments.settle(replace(payment, status=PaymentStatus.FAILED), None)
    seen: list[Payment] = []
    while page := await office.payments.newest_payments(
        account.id, 2, (seen[-1].created_at, seen[-1].id) if seen else None
    ):
        seen += page
    assert [payment.operation_key for payment in seen] == ["k6", "k5", "k4", "k3", "k2", "k1", "k0"]


async def test_due_are_those_whose_time_has_come_and_who_wait_for_nothing(office: BillingOffice) -> None:
    """Longest due first; a payment under way takes an account out."""
    overdue = [replace(ACTIVE.subscription, period_ends_at=NOW - days * DAY) for days in (1, 2)]
    late, later = [await office.account(replace(ACTIVE, subscription=each)) for each in overdue]
    await office.account(ACTIVE)
    assert [account.id for account in await office.payments.due_accounts(NOW, 10)] == [later.id, late.id]
    await office.payments.begin(await new_payment(office, later))
    assert [account.id for account in await office.payments.due_accounts(NOW, 10)] == [late.id]


async def test_erasing_leaves_payments_that_are_nobodys(office: BillingOffice) -> None:
    """Books keep the amounts; the card and the owner are gone, and two refunds of such payments don't meet."""
    account, other = await office.account(ACTIVE), await office.account(ACTIVE)
    payment = await office.payments.begin(await new_payment(office, account))
    also = await office.payments.begin(await new_payment(office, other))
    for each in (account, other):
        await office.erase(each)
        assert await office.payments.customers_by_account([each.id]) == {}
        assert await office.accounts.accounts_by_id([each.id]) == {}
    found = await office.payments.payment(payment.id)
    assert found is not None
    assert (found.account_id, found.amount) == (None, payment.amount)
    refund = replace(also, id=PaymentId("pay_refund"), account_id=None, operation_key="refund")
    assert await office.payments.begin(refund) == refund


# --- the ledger ------------------------------------------------------------------------------------------------------


def transaction(key: str = "pay_1:post") -> LedgerTransaction:
    lines = charge_entries("cus_1", Money(1549, "USD"))
    return LedgerTransaction(f"ltx_{key}", key, TransactionKind.CHARGE, "pay_1", NOW, lines)


async def test_posting_twice_is_posting_once(office: BillingOffice) -> None:
    """Also when five post at once."""
    posted = await asyncio.gather(
        *(office.ledger.post(replace(transaction(), id=f"ltx_{number}")) for number in range(5))
    )
    assert sorted(posted) == [False, False, False, False, True]
    assert await count(office.engine, "ledger_entries") == 4
    found = await office.ledger.transaction("pay_1:post")
    assert found is not None
    assert found.entries == transaction().entries


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET amount_minor = 1",
        "DELETE FROM ledger_entries",
        "UPDATE ledger_transactions SET kind = 'REFUND'",
        "DELETE FROM ledger_transactions",
    ],
)
async def test_the_database_lets_nobody_change_the_ledger(office: BillingOffice, statement: str) -> None:
    """Whoever asks, with whatever program."""
    await office.ledger.post(transaction())
    with pytest.raises(DBAPIError, match="immutable"):
        async with writing(office.engine) as connection:
            await connection.execute(text(statement))
    assert await office.ledger.transaction("pay_1:post") == transaction()


async def write_raw(
    engine: AsyncEngine, amounts: Sequence[tuple[int, str]], *, with_header: bool = True, first_line: int = 0
) -> None:
    async with writing(engine) as connection:
        for line, (amount, currency) in enumerate(amounts, first_line):
            row = {
                "transaction_id": "ltx_raw",
                "line": line,
                "ledger_account": "REVENUE",
                "customer_id": "cus_1",
                "amount_minor": amount,
                "currency": currency,
            }
            await connection.execute(insert(ledger_entries).values(row))
        if with_header:
            header = {"id": "ltx_raw", "operation_key": "raw", "kind": "CHARGE", "payment_id": "p", "occurred_at": NOW}
            await connection.execute(insert(ledger_transactions).values(header))


@pytest.mark.parametrize(
    "amounts", [[(1, "USD")], [], [(1, "USD"), (-2, "USD")], [(1, "USD"), (-1, "EUR")], [(5, "USD"), (-5, "USD"), (1, "JPY")]]
)  # fmt: skip
async def test_the_database_takes_no_transaction_that_is_off(
    office: BillingOffice, amounts: list[tuple[int, str]]
) -> None:
    """In any currency, and none with fewer than two entries."""
    with pytest.raises(DBAPIError, match="sum to zero"):
        await write_raw(office.engine, amounts)
    assert await count(office.engine, "ledger_entries") == 0


async def test_the_database_takes_no_entries_without_a_transaction(office: BillingOffice) -> None:
    """Nor further ones when it is sealed."""
    with pytest.raises(DBAPIError):
        await write_raw(office.engine, [(1, "USD"), (-1, "USD")], with_header=False)
    await write_raw(office.engine, [(1, "USD"), (-1, "USD")])
    with pytest.raises(DBAPIError, match="sealed"):
        await write_raw(office.engine, [(2, "USD"), (-2, "USD")], first_line=2)


async def test_an_audit_finds_what_is_wrong(office: BillingOffice) -> None:
    """A payment that was never posted, one posted and failed, a provider that holds another sum, a customer who owes."""
    account = await office.account(ACTIVE)
    lost = await office.payments.begin(await new_payment(office, account, "lost"))
    await office.payments.settle(replace(lost, status=PaymentStatus.COMPLETED), None)
    failed = await office.payments.begin(await new_payment(office, account, "failed"))
    lines = charge_entries("cus_1", failed.amount)
    await office.ledger.post(LedgerTransaction("ltx_2", "k2", TransactionKind.CHARGE, failed.id, NOW, lines))
    owing = (lines[0], lines[1])
    await office.ledger.post(LedgerTransaction("ltx_3", "k3", TransactionKind.CHARGE, "pay_x", NOW, owing))
    await office.payments.settle(replace(failed, status=PaymentStatus.FAILED), None)
    audit = await office.ledger.audit({"USD": 0})
    assert [problem.split(" ")[0] for problem in audit.problems] == ["customer", "payment", "payment", "the"]
    assert any(problem == "the provider holds 0 USD, the ledger 799" for problem in audit.problems)
    assert (await SqlLedgerStore(office.engine).audit(None)).transaction_count == 2


# --- devices ---------------------------------------------------------------------------------------------------------


def device(account: Account, number: int, minute: int = 0) -> Device:
    at = NOW + timedelta(minutes=minute)
    return Device(DeviceId(f"dev_{number}"), account.id, f"hash{number}", f"TV {number}", DeviceFormFactor.TV, at, at)


async def test_a_device_is_one_however_often_it_logs_in(office: BillingOffice) -> None:
    """Five times at once; its name and first sight stay, its last sight follows."""
    account, devices = await office.account(ACTIVE), SqlDeviceStore(office.engine)
    first = device(account, 1)
    others = [replace(first, id=DeviceId(f"dev_{n}"), name="x", last_seen_at=NOW + DAY) for n in range(2, 6)]
    assert await devices.see(first, max_devices=3, events=lambda _: []) == first
    seen = await asyncio.gather(*(devices.see(each, max_devices=3, events=lambda _: []) for each in others))
    assert {each.id for each in seen} == {first.id}
    [found] = await devices.devices_page(account.id, 10, None)
    assert found == replace(first, last_seen_at=NOW + DAY)


async def test_the_device_that_was_not_seen_for_longest_makes_room(office: BillingOffice) -> None:
    """Its sessions end, others' do not, and it is told."""
    account, devices, sessions = (
        await office.account(ACTIVE),
        SqlDeviceStore(office.engine),
        SqlSessionStore(office.engine),
    )
    told: list[Device] = []

    def note(removed: Device) -> Sequence[Event]:
        told.append(removed)
        return []

    for number in range(4):
        seen = await devices.see(device(account, number, minute=number), max_devices=3, events=note)
        session = Session(SessionId(f"ses_{number}"), account.id, None, "TV", NOW, device_id=seen.id)
        await sessions.open(session, RefreshToken("t", f"h{number}", NOW + DAY), max_sessions=10)
    assert [removed.id for removed in told] == ["dev_0"]
    assert await sessions.live_session(SessionId("ses_0")) is None
    alive = await sessions.live_session(SessionId("ses_1"))
    assert alive is not None
    assert alive.device_id == "dev_1"
    by_device = await devices.sessions_by_device([DeviceId("dev_1"), DeviceId("dev_0")])
    assert {key: [each.id for each in found] for key, found in by_device.items()} == {"dev_1": ["ses_1"]}


async def test_devices_are_renamed_and_removed_by_their_own_account(office: BillingOffice) -> None:
    """Another account's are not there."""
    account, other = await office.account(ACTIVE), await office.account(ACTIVE)
    devices = SqlDeviceStore(office.engine)
    await devices.see(device(account, 1), max_devices=3, events=lambda _: [])
    assert await devices.rename(other.id, DeviceId("dev_1"), "Mine") is None
    assert await devices.remove(other.id, DeviceId("dev_1"), NOW, lambda _: []) is None
    renamed = await devices.rename(account.id, DeviceId("dev_1"), "Kitchen")
    assert renamed is not None
    assert await devices.devices_page(account.id, 10, None) == (renamed,)
    assert await devices.remove(account.id, DeviceId("dev_1"), NOW, lambda _: []) == renamed
    assert await devices.devices_page(account.id, 10, None) == ()
