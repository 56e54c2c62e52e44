"""The results of mutations about money and devices: a success or one of the expected failures."""

from typing import Annotated, assert_never

import strawberry

from subgraphs.kernel.results import (
    InvalidInput,
    NotPermitted,
    NotSignedIn,
    RateLimited,
    invalid_input,
    not_signed_in,
)
from subgraphs.profiles.api.billing_types import Device, Payment, PaymentMethod, PlanChangePreview
from subgraphs.profiles.api.types import Account
from subgraphs.profiles.domain import outcomes
from subgraphs.profiles.domain.payments import Payment as PaymentRecord
from subgraphs.profiles.domain.payments import PaymentMethod as PaymentMethodRecord
from subgraphs.profiles.services import billing
from subgraphs.profiles.services.devices import DeviceMissing

__all__ = [
    "AddPaymentMethodResult",
    "AddPaymentMethodSuccess",
    "ChargeFailure",
    "ChargeResult",
    "DeviceNotFound",
    "PaymentDeclined",
    "PaymentMethodMissing",
    "PaymentNotFound",
    "PaymentPending",
    "PaymentProviderUnavailable",
    "PlanChangeResult",
    "RefundPaymentResult",
    "RefundPaymentSuccess",
    "RemoveDeviceResult",
    "RemoveDeviceSuccess",
    "RenameDeviceResult",
    "RenameDeviceSuccess",
    "SubscriptionConflict",
    "SubscriptionSuccess",
    "charge_result",
    "device_not_found",
]


@strawberry.type
class AddPaymentMethodSuccess:
    """Pays everything from now on."""

    payment_method: PaymentMethod
    account: Account


@strawberry.type(description="The payment provider does not answer; nothing happened, try again later.")
class PaymentProviderUnavailable:
    """Only where nothing can have been charged."""

    message: str


@strawberry.type
class SubscriptionSuccess:
    """The account with its subscription as it is now."""

    account: Account
    # Nullable in all results, as one selection must fit them all.
    payment: Payment | None = strawberry.field(description="Null when nothing had to be paid.")


@strawberry.type(description="The payment failed and nothing was charged; another payment method may help.")
class PaymentDeclined:
    """With what the provider said."""

    message: str
    payment: Payment | None


@strawberry.type(
    description="A payment of this account is under way; it settles by itself, and what it pays for follows."
)
class PaymentPending:
    """Ask again with the same idempotency key, or look at Account.payments."""

    message: str
    payment: Payment | None


@strawberry.type(description="The account has no payment method; add one first.")
class PaymentMethodMissing:
    """Nothing to charge."""

    message: str


@strawberry.type(description="The subscription's, or the payment's, state does not allow it.")
class SubscriptionConflict:
    """`message` says what to do instead."""

    message: str
    status: str


@strawberry.type
class RefundPaymentSuccess:
    """The refund, completed."""

    payment: Payment | None


@strawberry.type(description="There is no such payment.")
class PaymentNotFound:
    """By the id that was given."""

    message: str
    payment_id: strawberry.ID


@strawberry.type
class RenameDeviceSuccess:
    """The device with its new name."""

    device: Device


@strawberry.type
class RemoveDeviceSuccess:
    """The account without the device."""

    account: Account


@strawberry.type(description="The account has no such device.")
class DeviceNotFound:
    """The same for unknown devices and those of other accounts."""

    message: str
    device_id: strawberry.ID


AddPaymentMethodResult = Annotated[
    AddPaymentMethodSuccess | InvalidInput | RateLimited | PaymentProviderUnavailable | NotPermitted | NotSignedIn,
    strawberry.union("AddPaymentMethodResult"),
]
ChargeFailure = (
    PaymentDeclined
    | PaymentPending
    | PaymentMethodMissing
    | SubscriptionConflict
    | InvalidInput
    | RateLimited
    | NotPermitted
    | NotSignedIn
)
ChargeResult = Annotated[
    SubscriptionSuccess
    | PaymentDeclined
    | PaymentPending
    | PaymentMethodMissing
    | SubscriptionConflict
    | InvalidInput
    | RateLimited
    | NotPermitted
    | NotSignedIn,
    strawberry.union("SubscriptionResult"),
]
PlanChangeResult = Annotated[
    PlanChangePreview | SubscriptionConflict | NotPermitted | NotSignedIn, strawberry.union("PlanChangeResult")
]
RefundPaymentResult = Annotated[
    RefundPaymentSuccess
    | PaymentDeclined
    | PaymentPending
    | PaymentNotFound
    | SubscriptionConflict
    | NotPermitted
    | NotSignedIn,
    strawberry.union("RefundPaymentResult"),
]
RenameDeviceResult = Annotated[
    RenameDeviceSuccess | DeviceNotFound | InvalidInput | NotPermitted | NotSignedIn,
    strawberry.union("RenameDeviceResult"),
]
RemoveDeviceResult = Annotated[
    RemoveDeviceSuccess | DeviceNotFound | NotPermitted | NotSignedIn, strawberry.union("RemoveDeviceResult")
]


def charge_result(
    outcome: billing.ChargeOutcome | billing.NotInThisState | outcomes.NotAllowed | outcomes.NotSignedIn,
) -> SubscriptionSuccess | ChargeFailure:
    """The shape of what every change of a subscription may come to."""
    match outcome:
        case billing.Charged(account, payment):
            return SubscriptionSuccess(
                account=Account(record=account), payment=None if payment is None else Payment.from_domain(payment)
            )
        case billing.Declined(payment):
            return declined(payment)
        case billing.PaymentWaiting(payment):
            return waiting(payment)
        case billing.NoPaymentMethod():
            return PaymentMethodMissing(message="The account has no payment method; call addPaymentMethod first.")
        case billing.NotInThisState(status, message):
            return SubscriptionConflict(message=message, status=status)
        case outcomes.Invalid(problems):
            return invalid_input(problems)
        case outcomes.Limited(retry_after_s):
            words = f"Too many payments; try again in {retry_after_s} s."
            return RateLimited(message=words, retry_after_seconds=retry_after_s)
        case outcomes.NotAllowed(message):
            return NotPermitted(message=message)
        case outcomes.NotSignedIn():
            return not_signed_in()
        case _:
            assert_never(outcome)


def declined(payment: PaymentRecord) -> PaymentDeclined:
    """With the provider's words."""
    words = f"The payment failed: {payment.failure or 'no reason was given'}. Nothing was charged."
    return PaymentDeclined(message=words, payment=Payment.from_domain(payment))


def waiting(payment: PaymentRecord) -> PaymentPending:
    """With what to do meanwhile."""
    words = "A payment is under way and will settle by itself; nothing is charged twice."
    return PaymentPending(message=words, payment=Payment.from_domain(payment))


def added_method(method: PaymentMethodRecord, account: Account) -> AddPaymentMethodSuccess:
    """The method that counts now."""
    return AddPaymentMethodSuccess(payment_method=PaymentMethod.from_domain(method), account=account)


def device_not_found(missing: DeviceMissing) -> DeviceNotFound:
    """The same words for unknown devices and those of other accounts."""
    return DeviceNotFound(
        message=f"The account has no device {missing.device_id[:80]!r}.", device_id=strawberry.ID(missing.device_id)
    )
