"""What an account's holder does about money: how to pay, which plan, whether to go on; and what support gives back.

Every charge is a payment that the saga drives. What can't be known yet comes back as PaymentWaiting: it settles by
itself, and asking again with the same idempotency key asks for the same payment.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from common.clock import Clock
from common.tokens import Viewer
from subgraphs.kernel.ids import AccountId, new_id
from subgraphs.kernel.rate_limit import RateLimit, RateLimiter
from subgraphs.profiles.domain.account_holders import check_holder
from subgraphs.profiles.domain.accounts import Account, PlanId, SubscriptionStatus, Terms
from subgraphs.profiles.domain.money import Money
from subgraphs.profiles.domain.outcomes import Invalid, Limited, NotAllowed, NotSignedIn
from subgraphs.profiles.domain.payments import CustomerId, Payment, PaymentId, PaymentKind, PaymentStatus, operation_key
from subgraphs.profiles.domain.subscriptions import (
    IllegalMove,
    PlanChange,
    cancel,
    change_plan,
    quote_plan_change,
    resume,
)
from subgraphs.profiles.ports import AccountStore
from subgraphs.profiles.ports_billing import BillingCustomer, PaymentStore, ProviderSilent, SubscriptionMove, TermsMoved
from subgraphs.profiles.services.events import subscription_changed
from subgraphs.profiles.services.payment_saga import PaymentSaga

__all__ = [
    "REFUND_SCOPE",
    "Billing",
    "Charged",
    "Declined",
    "NoPaymentMethod",
    "NotInThisState",
    "PaymentMissing",
    "PaymentWaiting",
    "ProviderAway",
    "Refunded",
]

log = structlog.get_logger(__name__)

REFUND_SCOPE = "billing"
MAX_TOKEN_LENGTH = 200
_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_CARD_NUMBER = re.compile(r"[0-9][0-9 -]{10,30}[0-9]")


@dataclass(frozen=True, slots=True)
class Charged:
    """`payment` is None when the change cost nothing."""

    account: Account
    payment: Payment | None


@dataclass(frozen=True, slots=True)
class Declined:
    """The payment failed; nothing was charged."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class PaymentWaiting:
    """This payment, or another one of the account, is under way and not known to have ended."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class Refunded:
    """`payment` is the refund."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class NoPaymentMethod:
    """There is nothing to charge."""


@dataclass(frozen=True, slots=True)
class NotInThisState:
    """The subscription, or the payment, does not allow it; `message` says why and what to do."""

    status: str
    message: str


@dataclass(frozen=True, slots=True)
class PaymentMissing:
    """There is no such payment."""


@dataclass(frozen=True, slots=True)
class ProviderAway:
    """The payment provider does not answer; nothing was asked of it that could cost anything."""


ChargeOutcome = Charged | Declined | PaymentWaiting | NoPaymentMethod | NotInThisState | Limited | Invalid


@dataclass(frozen=True, slots=True)
class Billing:
    """The service; `account` is what `Households.signed_in` gave, None: nobody."""

    accounts: AccountStore
    payments: PaymentStore
    saga: PaymentSaga
    rate_limiter: RateLimiter
    charges: RateLimit
    clock: Clock
    on_commit: Callable[[], None]

    async def add_method(
        self, viewer: Viewer, account: Account | None, token: str, now: datetime
    ) -> BillingCustomer | Invalid | Limited | NotAllowed | NotSignedIn | ProviderAway:
        """Pay with the card behind a provider's token from now on; it takes the place of the one before."""
        refusal = _refusal(viewer, account)
        if account is None or refusal is not None:
            return refusal or NotSignedIn()
        if _CARD_NUMBER.fullmatch(token):
            return Invalid({"token": "is a card number; give the payment provider's token for the card instead"})
        retry_after_s = await self.rate_limiter.take(self.charges, account.id)
        if retry_after_s is not None:
            return Limited(retry_after_s)
        try:
            async with asyncio.timeout(self.saga.limits.call_timeout_s):
                method = None if len(token) > MAX_TOKEN_LENGTH else await self.saga.provider.describe(token)
        except (ProviderSilent, TimeoutError):
            return ProviderAway()
        if method is None:
            return Invalid({"token": "is not known to the payment provider; get a new one from it"})
        await self.payments.put_method(account.id, method, now)
        return (await self._customers(account))[account.id]

    async def subscribe(
        self, viewer: Viewer, account: Account | None, plan_id: PlanId, idempotency_key: str | None, now: datetime
    ) -> ChargeOutcome | NotAllowed | NotSignedIn:
        """Pay for a period of a plan, when there is no subscription any more."""
        refusal = _refusal(viewer, account)
        if account is None or refusal is not None:
            return refusal or NotSignedIn()
        problems = _check_key(idempotency_key)
        if problems:
            return Invalid(problems)
        repeated = await self._repeated(account, PaymentKind.FIRST, plan_id, idempotency_key)
        if repeated is not None:
            return repeated
        status = account.subscription.status_at(now)
        if status is not SubscriptionStatus.EXPIRED:
            return NotInThisState(status, f"The subscription is {status}; use {_NEXT_STEP[status]} instead.")
        price = (await self.prices(account.country))[plan_id]
        return await self._charge(account, PaymentKind.FIRST, plan_id, price, now, key=idempotency_key)

    async def quote(self, account: Account, plan_id: PlanId, now: datetime) -> PlanChange | NotInThisState:
        """What `change_plan` would do now."""
        try:
            return quote_plan_change(account.terms, plan_id, await self.prices(account.country), now)
        except IllegalMove as error:
            return _not_in_this_state(error)

    async def change_plan(
        self,
        viewer: Viewer,
        account: Account | None,
        plan_id: PlanId,
        now: datetime,
        *,
        idempotency_key: str | None,
        max_charge_minor: int | None,
    ) -> ChargeOutcome | NotAllowed | NotSignedIn:
        """A dearer plan now, for the difference; a cheaper one from the next period on.

        `max_charge_minor`: what the viewer was shown; more is not charged.
        """
        refusal = _refusal(viewer, account)
        if account is None or refusal is not None:
            return refusal or NotSignedIn()
        problems = _check_key(idempotency_key)
        if problems:
            return Invalid(problems)
        repeated = await self._repeated(account, PaymentKind.UPGRADE, plan_id, idempotency_key)
        if repeated is not None:
            return repeated
        change = await self.quote(account, plan_id, now)
        if isinstance(change, NotInThisState):
            return change
        if max_charge_minor is not None and change.charge.amount_minor > max_charge_minor:
            words = (
                f"is {max_charge_minor}, and the change costs {change.charge.amount_minor} now; show planChange anew"
            )
            return Invalid({"maxChargeCents": words})
        if change.charge.amount_minor > 0:
            return await self._charge(account, PaymentKind.UPGRADE, plan_id, change.charge, now, key=idempotency_key)
        wanted, prices = change, await self.prices(account.country)

        def move(found: Account) -> Terms:
            if quote_plan_change(found.terms, plan_id, prices, now) != wanted:
                raise TermsMoved
            return change_plan(found.terms, wanted, now)

        return await self._move(account, move, now)

    async def cancel(
        self, viewer: Viewer, account: Account | None, now: datetime
    ) -> Charged | NotInThisState | NotAllowed | NotSignedIn:
        """No further charges; the paid period runs to its end."""
        refusal = _refusal(viewer, account)
        if account is None or refusal is not None:
            return refusal or NotSignedIn()
        return await self._move(account, lambda found: cancel(found.terms, now), now)

    async def resume(
        self, viewer: Viewer, account: Account | None, now: datetime
    ) -> Charged | NotInThisState | NotAllowed | NotSignedIn:
        """Take a cancellation back."""
        refusal = _refusal(viewer, account)
        if account is None or refusal is not None:
            return refusal or NotSignedIn()
        return await self._move(account, lambda found: resume(found.terms, now), now)

    async def retry(
        self, viewer: Viewer, account: Account | None, now: datetime
    ) -> ChargeOutcome | NotAllowed | NotSignedIn:
        """Charge a suspended subscription's renewal now, as after another card was added."""
        refusal = _refusal(viewer, account)
        if account is None or refusal is not None:
            return refusal or NotSignedIn()
        status = account.subscription.status_at(now)
        if status is not SubscriptionStatus.SUSPENDED:
            return NotInThisState(status, f"The subscription is {status}; only a suspended one has a charge to retry.")
        return await self.renew(account, now)

    async def renew(self, account: Account, now: datetime) -> ChargeOutcome:
        """Charge the next period. The same attempt is the same payment, whoever makes it and however often."""
        subscription = account.subscription
        plan_id = account.terms.next_plan_id
        ends_at = "" if subscription.period_ends_at is None else subscription.period_ends_at.isoformat()
        key = f"{ends_at}/{subscription.failed_attempts}"
        price = (await self.prices(account.country))[plan_id]
        return await self._charge(account, PaymentKind.RENEWAL, plan_id, price, now, key=key)

    async def refund(
        self, viewer: Viewer, payment_id: PaymentId, now: datetime
    ) -> Refunded | Declined | PaymentWaiting | PaymentMissing | NotInThisState | NotAllowed:
        """Give a completed charge back in full; the subscription stays as it is. Again is the same refund."""
        if REFUND_SCOPE not in viewer.scopes:
            return NotAllowed(f"refunds need the scope {REFUND_SCOPE}")
        charge = await self.payments.payment(payment_id)
        if charge is None:
            return PaymentMissing()
        if charge.kind is PaymentKind.REFUND or charge.status in {PaymentStatus.PENDING, PaymentStatus.FAILED}:
            words = (
                f"The payment is a {charge.kind} that is {charge.status}; only a completed charge can be given back."
            )
            return NotInThisState(charge.status, words)
        # Each refusal of the provider makes room for one more try; until then every request is the same refund.
        tried = await self.payments.failed_refund_count(payment_id)
        refund = replace(
            self._new_payment(charge.customer_id, PaymentKind.REFUND, charge.plan_id, charge.amount, now),
            account_id=charge.account_id,
            operation_key=operation_key("refund", payment_id, str(tried)),
            refunded_payment_id=charge.id,
            capture_id=charge.capture_id,
        )
        settled = await self._drive(refund, None)
        log.info("payment.refund", payment_id=payment_id, by=viewer.account_id, status=settled.status.value)
        if settled.operation_key != refund.operation_key or settled.is_open:
            return PaymentWaiting(settled)
        return Declined(settled) if settled.status is PaymentStatus.FAILED else Refunded(settled)

    async def prices(self, country: str) -> Mapping[PlanId, Money]:
        """Every plan's price in a country."""
        return {plan.id: Money(plan.price_cents, plan.currency) for plan in await self.accounts.plans(country)}

    async def _charge(
        self, account: Account, kind: PaymentKind, plan_id: PlanId, amount: Money, now: datetime, *, key: str | None
    ) -> ChargeOutcome:
        if kind is not PaymentKind.RENEWAL:
            retry_after_s = await self.rate_limiter.take(self.charges, account.id)
            if retry_after_s is not None:
                return Limited(retry_after_s)
        customer = (await self._customers(account)).get(account.id)
        if customer is None:
            return NoPaymentMethod()
        payment = replace(
            self._new_payment(customer.customer_id, kind, plan_id, amount, now),
            account_id=account.id,
            operation_key=_operation(account, kind, key or new_id("key", now)),
        )
        try:
            settled = await self._drive(payment, account.terms)
        except TermsMoved:
            return _moved_meanwhile(account, now)
        return await self._outcome(payment, settled, account)

    def _new_payment(
        self, customer_id: CustomerId, kind: PaymentKind, plan_id: PlanId, amount: Money, now: datetime
    ) -> Payment:
        started_at = self.clock.now()
        return Payment(
            id=PaymentId(new_id("pay", now)),
            account_id=None,
            customer_id=customer_id,
            kind=kind,
            status=PaymentStatus.PENDING,
            plan_id=plan_id,
            amount=amount,
            operation_key="",
            created_at=now,
            leased_until=started_at + self.saga.limits.lease,
            next_try_at=started_at,
        )

    async def _drive(self, payment: Payment, reckoned_from: Terms | None) -> Payment:
        """The payment as far as it goes now, or the one that stands in its way."""
        standing = await self.payments.begin(payment, reckoned_from)
        if standing.id != payment.id:
            return standing
        return await self.saga.drive_new(payment)

    async def _repeated(
        self, account: Account, kind: PaymentKind, plan_id: PlanId, key: str | None
    ) -> ChargeOutcome | None:
        """The outcome of an operation that was asked for with this key before; None when it was not."""
        customer = None if key is None else (await self._customers(account)).get(account.id)
        if key is None or customer is None:
            return None
        found = await self.payments.operation(customer.customer_id, _operation(account, kind, key))
        if found is None:
            return None
        if found.plan_id != plan_id:
            return Invalid({"idempotencyKey": f"was used for the plan {found.plan_id}; make a new one"})
        return await self._outcome(found, found, account)

    async def _outcome(self, asked: Payment, settled: Payment, before: Account) -> ChargeOutcome:
        if settled.operation_key != asked.operation_key or settled.is_open:
            return PaymentWaiting(settled)
        if settled.status is PaymentStatus.FAILED:
            return Declined(settled)
        return Charged((await self.accounts.accounts_by_id([before.id])).get(before.id, before), settled)

    async def _customers(self, account: Account) -> Mapping[AccountId, BillingCustomer]:
        return await self.payments.customers_by_account([account.id])

    async def _move(
        self, account: Account, change: Callable[[Account], Terms], now: datetime
    ) -> Charged | NotInThisState | NotSignedIn:
        move = SubscriptionMove(change, lambda after: [subscription_changed(after, now)])
        try:
            moved = await self.payments.move(account.id, move)
        except IllegalMove as error:
            return _not_in_this_state(error)
        except TermsMoved:
            return _moved_meanwhile(account, now)
        self.on_commit()
        return NotSignedIn() if moved is None else Charged(moved, None)


_NEXT_STEP = {
    SubscriptionStatus.ACTIVE: "changePlan",
    SubscriptionStatus.CANCELLED: "resumeSubscription",
    SubscriptionStatus.SUSPENDED: "retryPayment",
}
_WHAT_TO_DO = {
    SubscriptionStatus.ACTIVE: "nothing has to be done",
    SubscriptionStatus.CANCELLED: "call resumeSubscription first",
    SubscriptionStatus.SUSPENDED: "call retryPayment first",
    SubscriptionStatus.EXPIRED: "call subscribe",
}


def _operation(account: Account, kind: PaymentKind, key: str) -> str:
    return operation_key(kind.value, account.id, key)


def _refusal(viewer: Viewer, account: Account | None) -> NotAllowed | None:
    words = None if account is None else check_holder(viewer)
    return None if words is None else NotAllowed(words)


def _check_key(key: str | None) -> dict[str, str]:
    if key is None or _IDEMPOTENCY_KEY.fullmatch(key):
        return {}
    return {"idempotencyKey": "is no key; use 1 to 100 letters, digits, dots, colons, hyphens and underscores"}


def _moved_meanwhile(account: Account, now: datetime) -> NotInThisState:
    """Two requests at once, each with the price of what both saw: the second one is not charged for it again."""
    words = "The subscription changed while this was asked; look at it again, and ask again if it is still wanted."
    return NotInThisState(account.subscription.status_at(now), words)


def _not_in_this_state(error: IllegalMove) -> NotInThisState:
    return NotInThisState(error.status, f"The subscription is {error.status}; {_WHAT_TO_DO[error.status]}.")
