"""Payments: money that moves in steps, each of which is written down when it is done.

A charge is authorised, captured, posted to the ledger and applied to the subscription; a refund is made, posted and
applied. `steps_done` counts the finished steps of its kind. When one can't be done for good, the finished ones are
undone from the last to the first and the payment has failed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from subgraphs.kernel.ids import AccountId
from subgraphs.profiles.domain.accounts import PlanId
from subgraphs.profiles.domain.money import Money

__all__ = [
    "STEPS_BY_KIND",
    "CustomerId",
    "Payment",
    "PaymentId",
    "PaymentKind",
    "PaymentMethod",
    "PaymentStatus",
    "Step",
    "operation_key",
]

PaymentId = NewType("PaymentId", str)
CustomerId = NewType("CustomerId", str)


class PaymentKind(StrEnum):
    """What is paid for."""

    FIRST = "FIRST"
    """The first period, or the first one after the subscription had expired."""
    RENEWAL = "RENEWAL"
    UPGRADE = "UPGRADE"
    """The difference to a dearer plan over the rest of a period."""
    REFUND = "REFUND"
    """An earlier payment given back."""


class PaymentStatus(StrEnum):
    """What became of it. PENDING ends by itself: the provider is asked until it is known."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    REFUNDED = "REFUNDED"


class Step(StrEnum):
    """One step of a payment."""

    AUTHORISE = "AUTHORISE"
    CAPTURE = "CAPTURE"
    REFUND = "REFUND"
    POST = "POST"
    APPLY = "APPLY"


_CHARGE = (Step.AUTHORISE, Step.CAPTURE, Step.POST, Step.APPLY)
STEPS_BY_KIND: Mapping[PaymentKind, tuple[Step, ...]] = {
    PaymentKind.FIRST: _CHARGE,
    PaymentKind.RENEWAL: _CHARGE,
    PaymentKind.UPGRADE: _CHARGE,
    PaymentKind.REFUND: (Step.REFUND, Step.POST, Step.APPLY),
}


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """How an account pays. `token` stands for a card at the provider; the card's number never comes here."""

    token: str
    brand: str
    last_four: str


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment as it was last written down.

    `account_id` is None when the account was erased since. `fence` counts who took the payment over: a process whose
    number is older writes nothing any more. `capture_id` of a refund is that of the payment that it gives back.
    """

    id: PaymentId
    account_id: AccountId | None
    customer_id: CustomerId
    kind: PaymentKind
    status: PaymentStatus
    plan_id: PlanId
    amount: Money
    operation_key: str
    created_at: datetime
    leased_until: datetime
    next_try_at: datetime
    settled_at: datetime | None = None
    failure: str | None = None
    refunded_payment_id: PaymentId | None = None
    steps_done: int = 0
    is_undoing: bool = False
    authorisation_id: str | None = None
    capture_id: str | None = None
    fence: int = 1
    tries: int = 0

    @property
    def is_open(self) -> bool:
        """Whether something is left to do."""
        return self.status is PaymentStatus.PENDING

    def key_for(self, step: Step, *, is_undoing: bool = False) -> str:
        """The idempotency key of one step at the provider and in the ledger."""
        return f"{self.id}:{step.lower()}{':undo' if is_undoing else ''}"


def operation_key(*parts: str) -> str:
    """What makes an operation the same one when it is asked for again; a hash, as clients write the parts."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
