# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""Paying, subscribing, changing plans, cancelling; giving back."""

from typing import assert_never

import strawberry

from subgraphs.kernel.results import NotPermitted, invalid_input, not_signed_in
from subgraphs.profiles.api import billing_results as results
from subgraphs.profiles.api.billing_types import Payment
from subgraphs.profiles.api.context import Info
from subgraphs.profiles.api.mutations.shaping import fresh, rate_limited
from subgraphs.profiles.api.types import Account
from subgraphs.profiles.domain import outcomes
from subgraphs.profiles.domain.accounts import PlanId
from subgraphs.profiles.domain.payments import PaymentId
from subgraphs.profiles.ports_billing import BillingCustomer
from subgraphs.profiles.services import billing

__all__ = ["BillingMutations"]


@strawberry.type
class BillingMutations:
    """Not for kids profiles, nor for those with a maturity limit."""

    @strawberry.mutation(
        description="Pay with a card from now on, by the payment provider's token for it; never send a card's number."
    )
    async def add_payment_method(self, info: Info, token: str) -> results.AddPaymentMethodResult:
        """Takes the place of the one before."""
        context = fresh(info)
        account = await context.signed_in()
        service = context.services.billing
        outcome = await service.add_method(await context.manager(), account, token, context.now)
        match outcome:
            case BillingCustomer(method=method):
                assert account is not None
                return results.added_method(method, Account(record=account))
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.Limited(retry_after_s):
                return rate_limited(retry_after_s)
            case billing.ProviderAway():
                words = "The payment provider does not answer; try again in a minute."
                return results.PaymentProviderUnavailable(message=words)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case _:
                assert_never(outcome)

    @strawberry.mutation(
        description="Pay for a period of a plan when there is no subscription any more. "
        "Repeating it with the same idempotencyKey never charges again."
    )
    async def subscribe(self, info: Info, plan: PlanId, idempotency_key: str | None = None) -> results.ChargeResult:
        """The first period of a new account is free and needs no call."""
        context = fresh(info)
        viewer, account = await context.manager(), await context.signed_in()
        outcome = await context.services.billing.subscribe(viewer, account, plan, idempotency_key, context.now)
        return results.charge_result(outcome)

    @strawberry.mutation(
        description="Change the plan: a dearer one now, for the difference over the rest of the period; "
        "a cheaper one from the next period on. The present plan takes a pending change back."
    )
    async def change_plan(
        self, info: Info, plan: PlanId, max_charge_cents: int | None = None, idempotency_key: str | None = None
    ) -> results.ChargeResult:
        """Look at planChange first."""
        context = fresh(info)
        outcome = await context.services.billing.change_plan(
            await context.manager(),
            await context.signed_in(),
            plan,
            context.now,
            idempotency_key=idempotency_key,
            max_charge_minor=max_charge_cents,
        )
        return results.charge_result(outcome)

    @strawberry.mutation(description="No further charges; what is paid for runs to its end.")
    async def cancel_subscription(self, info: Info) -> results.ChargeResult:
        """A suspended subscription, which has nothing left, ends at once."""
        context = fresh(info)
        viewer, account = await context.manager(), await context.signed_in()
        return results.charge_result(await context.services.billing.cancel(viewer, account, context.now))

    @strawberry.mutation(description="Take a cancellation back while the paid period runs.")
    async def resume_subscription(self, info: Info) -> results.ChargeResult:
        """After its end: subscribe."""
        context = fresh(info)
        viewer, account = await context.manager(), await context.signed_in()
        return results.charge_result(await context.services.billing.resume(viewer, account, context.now))

    @strawberry.mutation(description="Charge a suspended subscription's renewal now, as after another card was added.")
    async def retry_payment(self, info: Info) -> results.ChargeResult:
        """The same attempt is the same payment, however often it is asked for."""
        context = fresh(info)
        viewer, account = await context.manager(), await context.signed_in()
        return results.charge_result(await context.services.billing.retry(viewer, account, context.now))

    @strawberry.mutation(description="Give a charge back in full (scope billing). Again is the same refund.")
    async def refund_payment(self, info: Info, payment_id: strawberry.ID) -> results.RefundPaymentResult:
        """The subscription stays as it is."""
        context = fresh(info)
        if await context.signed_in() is None:
            return not_signed_in()
        service = context.services.billing
        outcome = await service.refund(context.viewer, PaymentId(payment_id), context.now)
        match outcome:
            case billing.Refunded(payment):
                return results.RefundPaymentSuccess(payment=Payment.from_domain(payment))
            case billing.Declined(payment):
                return results.declined(payment)
            case billing.PaymentWaiting(payment):
                return results.waiting(payment)
            case billing.PaymentMissing():
                return results.PaymentNotFound(
                    message=f"There is no payment {payment_id[:80]!r}.", payment_id=payment_id
                )
            case billing.NotInThisState(status, message):
                return results.SubscriptionConflict(message=message, status=status)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case _:
                assert_never(outcome)
