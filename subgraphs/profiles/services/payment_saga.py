"""Drives payments to their end, whatever fails on the way.

Problem: charge a card at most once, post it to the ledger exactly once and move the subscription accordingly, while
the provider, the store and this process may fail between any two instants.

Idea: a payment is a row that says how far it is. Each step has its own idempotency key at the provider and in the
ledger, is done, and is then written down; whoever finds the row goes on from there. A step that can't be done for good
(declined, or the subscription allows the move no more) turns the payment round: the finished steps are undone from the
last to the first. Nobody retries blindly: after silence, and whenever a payment is taken over, the provider is asked
what became of the key before it is told anything.

Invariants (tests/subgraphs/profiles/test_payment_saga.py holds them for every step, every kind of failure and random
schedules): at most one capture per payment; when a payment is settled the ledger balances, agrees with the provider's
own book, and the subscription has moved exactly when the payment is COMPLETED. One process drives a payment: the lease
keeps others away, and when it was outlived the fence makes the late one's writes void.

Limit: a provider that refuses to give back what it took leaves the payment PENDING, with an error in the log each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

import structlog

from common.clock import Clock
from subgraphs.kernel.ids import AccountId, new_id
from subgraphs.profiles.domain.accounts import Account, SubscriptionStatus, Terms
from subgraphs.profiles.domain.ledger import (
    LedgerEntry,
    LedgerTransaction,
    TransactionKind,
    charge_entries,
    refund_entries,
    reversal_entries,
)
from subgraphs.profiles.domain.payments import STEPS_BY_KIND, Payment, PaymentKind, PaymentStatus, Step
from subgraphs.profiles.domain.subscriptions import (
    ChangeMoment,
    Dunning,
    IllegalMove,
    PlanChange,
    change_plan,
    expire,
    fail_renewal,
    renew,
    start,
)
from subgraphs.profiles.ports_billing import (
    LedgerStore,
    PaymentProvider,
    PaymentStore,
    ProviderAnswer,
    ProviderSilent,
    Settling,
    SubscriptionMove,
)
from subgraphs.profiles.services.events import subscription_changed

__all__ = ["PaymentSaga", "SagaLimits"]

log = structlog.get_logger(__name__)

MAX_FAILURE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class SagaLimits:
    """How long to wait. `lease` must be well above what all calls of one payment may take together."""

    patience_s: float = 3.0
    """How long whoever asks for a payment waits for its end."""
    call_timeout_s: float = 5.0
    calls_per_step: int = 2
    """Tries at once; further ones are the recovery's."""
    lease: timedelta = timedelta(minutes=2)
    first_retry: timedelta = timedelta(seconds=10)
    longest_retry: timedelta = timedelta(hours=1)


class _OutcomeUnknown(Exception):
    """The provider does not say what became of a step; later it will."""


class _TakenOver(Exception):
    """Another process drives this payment, or it is settled."""


@dataclass(frozen=True, slots=True)
class PaymentSaga:
    """The engine; `on_commit` is called after a write that may have left events in the outbox."""

    payments: PaymentStore
    ledger: LedgerStore
    provider: PaymentProvider
    dunning: Dunning
    limits: SagaLimits
    clock: Clock
    on_commit: Callable[[], None]
    _under_way: set[asyncio.Task[Payment]] = field(default_factory=set, init=False)
    _unpaid: set[AccountId] = field(default_factory=set, init=False)

    async def drive_new(self, payment: Payment) -> Payment:
        """Drive a payment that was just begun, and wait `patience_s` for its end; PENDING when it takes longer.

        It goes on when nobody waits any more: a caller who hangs up must not stop it between two steps.
        """
        task = asyncio.create_task(self.drive(payment, was_begun_before=False), name=f"payment:{payment.id}")
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait({task}, timeout=self.limits.patience_s)
        return task.result() if done else payment

    async def aclose(self) -> None:
        """Let payments under way come to an end for a moment; what is left is recovered after the next start."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=self.limits.patience_s)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Payment]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # Whoever waited gets it too; the payment's lease brings it back.
            log.error("payment.drive_failed", task=task.get_name(), error=str(task.exception()))

    async def drive(self, payment: Payment, *, was_begun_before: bool) -> Payment:
        """Take a payment that the caller has leased as far as it goes now; it is settled, or PENDING until later.

        `was_begun_before`: somebody may have told the provider about the next step already.
        """
        ask_first = was_begun_before
        try:
            while payment.is_open:
                payment = await self._advance(payment, ask_first=ask_first)
                ask_first = False
        except _OutcomeUnknown as error:
            log.warning("payment.waiting", payment_id=payment.id, steps_done=payment.steps_done, reason=str(error))
            return await self._postpone(payment)
        except _TakenOver:
            return await self.payments.payment(payment.id) or payment
        log.info("payment.settled", payment_id=payment.id, kind=payment.kind.value, status=payment.status.value)
        return payment

    async def recover(self, limit: int) -> int:
        """Drive open payments that nobody drives, at most `limit`; returns how many were looked at."""
        for count in range(limit):
            # One lease at a time: a provider that is silent takes longer over many than a lease holds.
            claimed = await self.payments.claim_due(self.clock.now(), self.limits.lease, 1)
            if not claimed:
                return count
            for payment in claimed:
                try:
                    await self.drive(payment, was_begun_before=True)
                except Exception:  # a task's edge: one payment must not stop the others; its lease brings it back
                    log.exception("payment.recovery_failed", payment_id=payment.id)
        return limit

    def take_unpaid(self) -> frozenset[AccountId]:
        """Accounts whose renewal has failed since this was asked last, however late that was known."""
        unpaid = frozenset(self._unpaid)
        self._unpaid.clear()
        return unpaid

    async def _advance(self, payment: Payment, *, ask_first: bool) -> Payment:
        steps = STEPS_BY_KIND[payment.kind]
        if not payment.is_undoing:
            return await self._do(payment, steps[payment.steps_done], ask_first)
        if payment.steps_done == 0:
            return await self._fail(payment)
        return await self._undo(payment, steps[payment.steps_done - 1], ask_first)

    async def _do(self, payment: Payment, step: Step, ask_first: bool) -> Payment:  # noqa: FBT001
        key = payment.key_for(step)
        match step:
            case Step.AUTHORISE:
                answer = await self._authorise(payment, key, ask_first)
                return await self._after(payment, answer, authorisation_id=answer.reference)
            case Step.CAPTURE:
                authorisation = payment.authorisation_id or ""
                answer = await self._call(
                    key, lambda: self.provider.capture(key, authorisation, payment.amount), ask_first
                )
                return await self._after(payment, answer, capture_id=answer.reference)
            case Step.REFUND:
                capture = payment.capture_id or ""
                answer = await self._call(key, lambda: self.provider.refund(key, capture, payment.amount), ask_first)
                return await self._after(payment, answer, capture_id=capture)
            case Step.POST:
                is_refund = payment.kind is PaymentKind.REFUND
                entries = (refund_entries if is_refund else charge_entries)(payment.customer_id, payment.amount)
                kind = TransactionKind.REFUND if is_refund else TransactionKind.CHARGE
                await self._post(payment, key, kind, entries)
                return await self._write(replace(payment, steps_done=payment.steps_done + 1))
            case Step.APPLY:
                return await self._apply(payment)
            case _:
                assert_never(step)

    async def _undo(self, payment: Payment, step: Step, ask_first: bool) -> Payment:  # noqa: FBT001
        key = payment.key_for(step, is_undoing=True)
        match step:
            case Step.AUTHORISE:
                # What was captured can't be voided; giving it back has released it.
                if payment.capture_id is None:
                    authorisation = payment.authorisation_id or ""
                    await self._call(key, lambda: self.provider.void(key, authorisation), ask_first)
            case Step.CAPTURE:
                capture = payment.capture_id or ""
                answer = await self._call(key, lambda: self.provider.refund(key, capture, payment.amount), ask_first)
                if answer.refusal is not None:
                    log.error("payment.stuck", payment_id=payment.id, refusal=answer.refusal)
                    raise _OutcomeUnknown(f"the provider does not give back what it took: {answer.refusal}")
            case Step.POST:
                posted = await self.ledger.transaction(payment.key_for(Step.POST))
                if posted is not None:
                    await self._post(payment, key, TransactionKind.REVERSAL, reversal_entries(posted.entries))
            case Step.REFUND | Step.APPLY:
                raise AssertionError(f"{step} of payment {payment.id} is never undone: nothing after it can be refused")
            case _:
                assert_never(step)
        return await self._write(replace(payment, steps_done=payment.steps_done - 1))

    async def _authorise(self, payment: Payment, key: str, ask_first: bool) -> ProviderAnswer:  # noqa: FBT001
        account_id = payment.account_id
        customers = {} if account_id is None else await self.payments.customers_by_account([account_id])
        customer = None if account_id is None else customers.get(account_id)
        if customer is None:
            # Erased since. It may have been authorised before that, and must then be voided.
            answer = await self._ask(key)
            return answer or ProviderAnswer("", refusal="the account has no payment method any more")
        token = customer.method.token
        return await self._call(key, lambda: self.provider.authorise(key, token, payment.amount), ask_first)

    async def _after(self, payment: Payment, answer: ProviderAnswer, **references: str) -> Payment:
        if answer.refusal is not None:
            return await self._turn_round(payment, answer.refusal)
        return await self._write(replace(payment, steps_done=payment.steps_done + 1, **references))  # type: ignore[arg-type]  # the two ids

    async def _turn_round(self, payment: Payment, failure: str) -> Payment:
        log.info("payment.refused", payment_id=payment.id, steps_done=payment.steps_done, reason=failure)
        return await self._write(replace(payment, is_undoing=True, failure=failure[:MAX_FAILURE_LENGTH]))

    async def _apply(self, payment: Payment) -> Payment:
        now = self.clock.now()
        completed = replace(payment, status=PaymentStatus.COMPLETED, steps_done=payment.steps_done + 1, settled_at=now)

        def change(account: Account) -> Terms:
            return _paid_terms(payment, account, now)

        move = None if payment.kind is PaymentKind.REFUND else self._move(change)
        try:
            settling = await self.payments.settle(completed, move)
        except IllegalMove as error:
            return await self._turn_round(payment, f"the subscription changed meanwhile: {error}")
        if settling is Settling.NO_ACCOUNT:
            return await self._turn_round(payment, "the account was erased meanwhile")
        return self._settled(completed, settling)

    async def _fail(self, payment: Payment) -> Payment:
        failed = replace(payment, status=PaymentStatus.FAILED, settled_at=self.clock.now())
        if payment.kind is not PaymentKind.RENEWAL:
            return self._settled(failed, await self.payments.settle(failed, None))
        settled = self._settled(failed, await self.payments.settle(failed, self._move(self._unpaid_terms)))
        if payment.account_id is not None:
            self._unpaid.add(payment.account_id)
        return settled

    def _settled(self, payment: Payment, settling: Settling) -> Payment:
        if settling is not Settling.DONE:
            raise _TakenOver
        self.on_commit()
        return payment

    def _move(self, change: Callable[[Account], Terms | None]) -> SubscriptionMove:
        return SubscriptionMove(change, lambda account: [subscription_changed(account, self.clock.now())])

    def _unpaid_terms(self, account: Account) -> Terms | None:
        """A declined renewal suspends, or ends what is past its grace; a subscription cancelled meanwhile stays."""
        now = self.clock.now()
        if account.subscription.status_at(now) is SubscriptionStatus.EXPIRED:
            return expire(account.terms, now)
        return fail_renewal(account.terms, now, self.dunning) if account.subscription.auto_renews else None

    async def _post(self, payment: Payment, key: str, kind: TransactionKind, entries: tuple[LedgerEntry, ...]) -> None:
        now = self.clock.now()
        await self.ledger.post(LedgerTransaction(new_id("ltx", now), key, kind, payment.id, now, entries))

    async def _write(self, payment: Payment) -> Payment:
        renewed = replace(payment, leased_until=self.clock.now() + self.limits.lease)
        if not await self.payments.advance(renewed):
            raise _TakenOver
        return renewed

    async def _postpone(self, payment: Payment) -> Payment:
        """Give the payment to whoever looks next, later each time."""
        now = self.clock.now()
        pause = min(self.limits.first_retry * 2 ** min(payment.tries, 20), self.limits.longest_retry)
        waiting = replace(payment, next_try_at=now + pause, leased_until=now)
        return waiting if await self.payments.advance(waiting) else payment

    async def _call(
        self,
        key: str,
        operation: Callable[[], Awaitable[ProviderAnswer]],
        ask_first: bool,  # noqa: FBT001
    ) -> ProviderAnswer:
        """What the provider answers to a step. After silence it is asked what became of it before it is told again."""
        for _ in range(self.limits.calls_per_step):
            answer = await self._ask(key) if ask_first else None
            if answer is not None:
                return answer
            try:
                async with asyncio.timeout(self.limits.call_timeout_s):
                    return await operation()
            except (ProviderSilent, TimeoutError) as error:
                log.warning("payment.provider_silent", key=key, error=str(error))
                ask_first = True
        answer = await self._ask(key)
        if answer is None:
            raise _OutcomeUnknown(f"the provider was told {self.limits.calls_per_step} times and has not got {key}")
        return answer

    async def _ask(self, key: str) -> ProviderAnswer | None:
        try:
            async with asyncio.timeout(self.limits.call_timeout_s):
                return await self.provider.answer_to(key)
        except (ProviderSilent, TimeoutError) as error:
            raise _OutcomeUnknown(f"the provider can't be asked what became of {key}") from error


def _paid_terms(payment: Payment, account: Account, now: datetime) -> Terms:
    """What a paid charge makes of the terms; raises IllegalMove when they allow it no more.

    A renewal and an upgrade are judged at the instant at which they were asked for: a provider that was silent until
    the grace was over has not made them late.
    """
    at = payment.created_at
    match payment.kind:
        case PaymentKind.FIRST:
            return start(account.terms, payment.plan_id, now)
        case PaymentKind.RENEWAL:
            return renew(account.terms, payment.plan_id, at)
        case PaymentKind.UPGRADE:
            now_on = PlanChange(payment.plan_id, ChangeMoment.NOW, at, payment.amount, payment.amount)
            return change_plan(account.terms, now_on, at)
        case PaymentKind.REFUND:
            raise AssertionError("a refund moves no subscription")
        case _:
            assert_never(payment.kind)
