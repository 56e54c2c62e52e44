"""What billing and devices need from stores and from the payment provider; the adapters implement it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from common.events import Event
from subgraphs.kernel.ids import AccountId, SessionId
from subgraphs.profiles.domain.accounts import Account, Terms
from subgraphs.profiles.domain.devices import Device, DeviceId, SignedInSession
from subgraphs.profiles.domain.ledger import LedgerAudit, LedgerTransaction
from subgraphs.profiles.domain.money import Money
from subgraphs.profiles.domain.payments import CustomerId, Payment, PaymentId, PaymentMethod

__all__ = [
    "BillingCustomer",
    "DeviceStore",
    "LedgerStore",
    "Movement",
    "PaymentProvider",
    "PaymentStore",
    "ProviderAnswer",
    "ProviderSilent",
    "Settling",
    "SubscriptionMove",
    "TermsMoved",
]


@dataclass(frozen=True, slots=True)
class BillingCustomer:
    """An account as the ledger and the provider know it, and how it pays."""

    account_id: AccountId
    customer_id: CustomerId
    method: PaymentMethod


@dataclass(frozen=True, slots=True)
class SubscriptionMove:
    """A change of an account's terms under the lock of its row, and the events that tell of it.

    `change` gets the account as it is then and gives new terms, or None to leave it; what it raises undoes everything.
    """

    change: Callable[[Account], Terms | None]
    events: Callable[[Account], Sequence[Event]]


class Settling(StrEnum):
    """What came of writing a payment's end."""

    DONE = "DONE"
    LOST = "LOST"
    """Somebody else took the payment over, or it is settled; nothing was written."""
    NO_ACCOUNT = "NO_ACCOUNT"
    """It is paid, and the account that it should move was erased; nothing was written."""


class TermsMoved(Exception):
    """The account's terms are not those any more from which an amount was reckoned."""


class PaymentStore(Protocol):
    """Payments, payment methods, and the subscriptions that they move."""

    async def customers_by_account(self, ids: Sequence[AccountId]) -> Mapping[AccountId, BillingCustomer]:
        """Those that have a payment method."""
        ...

    async def put_method(self, account_id: AccountId, method: PaymentMethod, now: datetime) -> None:
        """Take the place of the one before."""
        ...

    async def begin(self, payment: Payment, reckoned_from: Terms | None = None) -> Payment:
        """Keep a new payment, leased to the caller; or answer the one that stands in its way.

        That is the customer's payment with the same operation key, whatever became of it, or else the account's open
        one: however many begin at once, an account has at most one under way. Raises TermsMoved when nothing stands
        in its way and the account has other terms than `reckoned_from`.
        """
        ...

    async def payment(self, payment_id: PaymentId) -> Payment | None:
        """By id, whosever it is."""
        ...

    async def operation(self, customer_id: CustomerId, key: str) -> Payment | None:
        """The customer's payment with this operation key."""
        ...

    async def newest_payments(
        self, account_id: AccountId, first: int, after: tuple[datetime, str] | None
    ) -> tuple[Payment, ...]:
        """Newest first, older than `after` (instant, id)."""
        ...

    async def failed_refund_count(self, payment_id: PaymentId) -> int:
        """Refunds of a payment that the provider refused."""
        ...

    async def claim_due(self, now: datetime, lease: timedelta, limit: int) -> tuple[Payment, ...]:
        """Open payments whose time has come and that nobody holds, leased to the caller alone."""
        ...

    async def advance(self, payment: Payment) -> bool:
        """Write an open payment's progress; False when somebody else took it over, or it is settled."""
        ...

    async def settle(self, payment: Payment, move: SubscriptionMove | None) -> Settling:
        """Write the end of a payment, its effect on the subscription and the events in one transaction.

        A completed refund marks the payment that it gave back. What `move.change` raises leaves everything as it was.
        """
        ...

    async def move(self, account_id: AccountId, move: SubscriptionMove) -> Account | None:
        """A move that costs nothing: the account afterwards; None when there is none."""
        ...

    async def due_accounts(self, now: datetime, limit: int) -> tuple[Account, ...]:
        """Accounts that billing must look at now and that have no payment under way, longest due first."""
        ...


class LedgerStore(Protocol):
    """The ledger. What it holds never changes."""

    async def post(self, transaction: LedgerTransaction) -> bool:
        """False when a transaction with this operation key is there already; then nothing changes."""
        ...

    async def transaction(self, operation_key: str) -> LedgerTransaction | None:
        """As it was posted."""
        ...

    async def audit(self, provider_balances: Mapping[str, int] | None) -> LedgerAudit:
        """Add everything up, in the store; compared with the provider's balance by currency where it is given."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What the provider did: `reference` names it there; `refusal` says why it did not."""

    reference: str
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """Money in the provider's book: captured above zero, given back below; `sequence` counts up."""

    sequence: int
    operation_key: str
    amount: Money


class ProviderSilent(Exception):
    """No answer: it may have happened or not, and `answer_to` tells once the provider can be reached."""


class PaymentProvider(Protocol):
    """A payment provider. The same key is the same operation: repeated, it answers as it did the first time.

    Every call may raise ProviderSilent; callers also set a deadline, after which they know as little.
    """

    async def describe(self, token: str) -> PaymentMethod | None:
        """The card behind a token; None when the provider does not know it."""
        ...

    async def authorise(self, key: str, token: str, amount: Money) -> ProviderAnswer:
        """Reserve the amount."""
        ...

    async def capture(self, key: str, authorisation_id: str, amount: Money) -> ProviderAnswer:
        """Take what was reserved."""
        ...

    async def void(self, key: str, authorisation_id: str) -> ProviderAnswer:
        """Release what was reserved."""
        ...

    async def refund(self, key: str, capture_id: str, amount: Money) -> ProviderAnswer:
        """Give back what was taken."""
        ...

    async def answer_to(self, key: str) -> ProviderAnswer | None:
        """What became of an operation; None when the provider never got it."""
        ...

    async def movements(self, after: int, limit: int) -> Sequence[Movement]:
        """The provider's own book, in order, after a sequence number."""
        ...


class DeviceStore(Protocol):
    """Devices that accounts were used on."""

    async def see(self, device: Device, *, max_devices: int, events: Callable[[Device], Sequence[Event]]) -> Device:
        """Register a device, or note that the known one with its client hash was seen; as it is afterwards.

        Beyond `max_devices` the one that was not seen for longest goes, with its sessions; `events` tells of it.
        """
        ...

    async def touch(self, session_id: SessionId, now: datetime) -> None:
        """The session's device was seen."""
        ...

    async def devices_page(
        self, account_id: AccountId, first: int, after: tuple[datetime, str] | None
    ) -> tuple[Device, ...]:
        """Last seen first, seen before `after` (instant, id)."""
        ...

    async def sessions_by_device(self, ids: Sequence[DeviceId]) -> Mapping[DeviceId, tuple[SignedInSession, ...]]:
        """Sessions that are signed in, newest first; devices without any may be left out."""
        ...

    async def rename(self, account_id: AccountId, device_id: DeviceId, name: str) -> Device | None:
        """None when the account has no such device."""
        ...

    async def remove(
        self, account_id: AccountId, device_id: DeviceId, now: datetime, events: Callable[[Device], Sequence[Event]]
    ) -> Device | None:
        """End its sessions and forget it; None when the account has no such device."""
        ...
