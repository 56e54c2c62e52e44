"""What billing does by itself: payments that were left open are ended, subscriptions that are due renewed or ended.

Several processes may do the rounds at once: a payment has one lease, and the same renewal is the same payment.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog

from common.background import background
from subgraphs.kernel.ids import AccountId
from subgraphs.profiles.domain.accounts import Account, SubscriptionStatus, Terms
from subgraphs.profiles.domain.notifications import NotificationKind
from subgraphs.profiles.domain.subscriptions import expire, fail_renewal
from subgraphs.profiles.ports_billing import SubscriptionMove
from subgraphs.profiles.services.billing import Billing, NoPaymentMethod
from subgraphs.profiles.services.events import subscription_changed
from subgraphs.profiles.services.notices import Notices

__all__ = ["BillingRounds", "RoundReport"]

log = structlog.get_logger(__name__)

BATCH_SIZE = 100
BEHIND_S = 1.0
"""Pause after a full batch."""


@dataclass(frozen=True, slots=True)
class RoundReport:
    """How many payments were taken up and how many accounts were looked at."""

    payments: int
    accounts: int


@dataclass(frozen=True, slots=True)
class BillingRounds:
    """The background work of billing."""

    billing: Billing
    notices: Notices
    every_s: float

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The rounds as a background task that ends with the block."""
        try:
            async with background(self._run(), "billing"):
                yield
        finally:
            await self.billing.saga.aclose()

    async def round(self) -> RoundReport:
        """One round: at most BATCH_SIZE of each, the longest due first."""
        clock = self.billing.clock
        recovered = await self.billing.saga.recover(BATCH_SIZE)
        due = await self.billing.payments.due_accounts(clock.now(), BATCH_SIZE)
        for account in due:
            try:
                await self._settle(account, clock.now())
            except Exception:  # a task's edge: one account must not stop the others
                log.exception("billing.account_failed", account_id=account.id)
        # Also those whose provider was silent for longer than anybody waited.
        for account_id in {account.id for account in due} | self.billing.saga.take_unpaid():
            try:
                await self._tell_if_unpaid(account_id, clock.now())
            except Exception:  # a task's edge, as above
                log.exception("billing.account_failed", account_id=account_id)
        return RoundReport(recovered, len(due))

    async def _settle(self, account: Account, now: datetime) -> None:
        subscription = account.subscription
        if subscription.status_at(now) is SubscriptionStatus.EXPIRED:
            await self._move(account, now, is_unpaid=False)
        elif subscription.auto_renews:
            outcome = await self.billing.renew(account, now)
            if isinstance(outcome, NoPaymentMethod):
                await self._move(account, now, is_unpaid=True)

    async def _move(self, account: Account, now: datetime, *, is_unpaid: bool) -> None:
        def change(found: Account) -> Terms | None:
            if found.terms != account.terms:
                # Somebody moved it since it was found due.
                return None
            return fail_renewal(found.terms, now, self.billing.saga.dunning) if is_unpaid else expire(found.terms, now)

        await self.billing.payments.move(
            account.id, SubscriptionMove(change, lambda after: [subscription_changed(after, now)])
        )
        self.billing.on_commit()

    async def _tell_if_unpaid(self, account_id: AccountId, now: datetime) -> None:
        """Once for each period that could not be charged: the key names it, so that a repeated round says nothing."""
        found = (await self.billing.accounts.accounts_by_id([account_id])).get(account_id)
        ends_at = None if found is None else found.subscription.grace_ends_at
        if found is None or ends_at is None or found.subscription.status_at(now) is not SubscriptionStatus.SUSPENDED:
            return
        price = (await self.billing.prices(found.country))[found.terms.next_plan_id]
        await self.notices.tell(
            found,
            NotificationKind.PAYMENT_FAILED,
            now,
            key=f"payment-failed:{ends_at.isoformat()}",
            details={"amount": price.text, "until": ends_at.date().isoformat()},
        )

    async def _run(self) -> None:
        while True:
            try:
                report = await self.round()
            except Exception as error:  # noqa: BLE001  # a task's edge: the store may be away for a while
                log.warning("billing.waiting", error=str(error), retry_s=self.every_s)
                report = None
            is_behind = report is not None and BATCH_SIZE in {report.payments, report.accounts}
            await asyncio.sleep(min(BEHIND_S, self.every_s) if is_behind else self.every_s)
