"""Two at once about one account's money: nobody pays twice, and nobody holds what he does not drive."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from common.clock import FakeClock
from subgraphs.kernel.ids import new_id
from subgraphs.profiles.adapters.payment_simulator import Fault, PaymentSimulator
from subgraphs.profiles.domain.accounts import Account, PlanId, Subscription, SubscriptionStatus, Terms
from subgraphs.profiles.domain.money import Money
from subgraphs.profiles.domain.payments import Payment, PaymentId, PaymentKind, PaymentMethod, PaymentStatus
from subgraphs.profiles.services.billing import Charged, NotInThisState, ProviderAway
from tests.support.billing import LIMITS, PRICE, BillingOffice

NOW = datetime(2026, 11, 20, 8, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HALF_PAID = Terms(
    PlanId.BASIC, Subscription(SubscriptionStatus.ACTIVE, NOW + 15 * DAY, period_starts_at=NOW - 15 * DAY)
)
HALF_A_RISE = (PRICE[PlanId.PREMIUM] - PRICE[PlanId.BASIC]) // 2


@pytest.fixture
async def office(any_engine: AsyncEngine) -> BillingOffice:
    return BillingOffice(any_engine, FakeClock(NOW))


async def change(office: BillingOffice, seen: Account, plan_id: PlanId) -> object:
    return await office.billing.change_plan(
        office.viewer(seen), seen, plan_id, NOW, idempotency_key=None, max_charge_minor=None
    )


@pytest.mark.parametrize("second", [PlanId.PREMIUM, PlanId.STANDARD])
async def test_an_upgrade_is_not_charged_to_who_looked_before_the_last_one(
    office: BillingOffice, second: PlanId
) -> None:
    """A double click whose second half read the account first and came to the charge last."""
    seen = await office.account(HALF_PAID)
    assert isinstance(await change(office, seen, PlanId.PREMIUM), Charged)
    refused = await change(office, seen, second)
    assert isinstance(refused, NotInThisState)
    assert "look at it again" in refused.message
    assert await office.provider_balances() == {"USD": HALF_A_RISE}
    assert (await office.again(seen)).plan_id is PlanId.PREMIUM
    assert not (await office.audit()).problems


async def test_many_upgrades_at_once_are_one(office: BillingOffice) -> None:
    """All read the account first, and then race for the charge."""
    seen = await office.account(HALF_PAID)
    outcomes = await asyncio.gather(*(change(office, seen, PlanId.PREMIUM) for _ in range(5)))
    assert sum(isinstance(outcome, Charged) for outcome in outcomes) == 1
    assert await office.provider_balances() == {"USD": HALF_A_RISE}


async def test_a_free_change_is_not_carried_over_into_a_paid_period(office: BillingOffice) -> None:
    """During the trial every plan begins at once for nothing; the trial ended and was paid for meanwhile."""
    trial = replace(HALF_PAID, subscription=replace(HALF_PAID.subscription, is_trial=True))
    seen = await office.account(trial)
    after = replace(seen.subscription, is_trial=False)
    await office.accounts.set_subscription(seen.id, after)
    assert isinstance(await change(office, seen, PlanId.PREMIUM), NotInThisState)
    assert (await office.again(seen)).plan_id is PlanId.BASIC


async def test_a_lease_is_taken_when_its_payment_is_driven(office: BillingOffice) -> None:
    """While the first of two waits for a silent provider, another process takes up the second."""
    for number in range(2):
        account = await office.account(HALF_PAID)
        customer = (await office.payments.customers_by_account([account.id]))[account.id]
        await office.payments.begin(
            Payment(
                id=PaymentId(new_id("pay", NOW)),
                account_id=account.id,
                customer_id=customer.customer_id,
                kind=PaymentKind.UPGRADE,
                status=PaymentStatus.PENDING,
                plan_id=PlanId.PREMIUM,
                amount=Money(100, "USD"),
                operation_key=str(number),
                created_at=NOW,
                leased_until=NOW,
                next_try_at=NOW,
            )
        )
    taken_up: list[int] = []

    async def another_process() -> None:
        taken_up.append(len(await office.payments.claim_due(NOW, LIMITS.lease, 100)))

    office.after_call["answer_to"] = [another_process]
    assert await office.billing.saga.recover(100) == 1
    assert taken_up == [1]


async def test_a_provider_that_hangs_keeps_no_one_waiting_for_a_card(office: BillingOffice) -> None:
    """Looking a card up has a deadline like every other call."""

    class Hanging(PaymentSimulator):
        async def describe(self, token: str) -> PaymentMethod | None:
            del token
            await asyncio.Event().wait()
            raise AssertionError(Fault.HANGS)

    account = await office.account(HALF_PAID, token=None)
    saga = replace(office.billing.saga, provider=Hanging(office.engine))
    billing = replace(office.billing, saga=saga)
    async with asyncio.timeout(5):
        outcome = await billing.add_method(office.viewer(account), account, "sim_visa_4242", NOW)
    assert isinstance(outcome, ProviderAway)
