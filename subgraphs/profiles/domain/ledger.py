"""The ledger: double entry, immutable, in whole minor units.

Every transaction has two or more entries, debits above zero and credits below, which sum to zero in each currency.
Nothing is ever changed: what was wrong is reversed by the negated transaction. A charge is posted when the provider
has captured it: the customer owes and we earn, then the provider's clearing account holds the money and the customer
owes nothing. So each customer's receivable is zero whenever nothing of theirs is under way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from subgraphs.profiles.domain.money import Money

__all__ = [
    "LedgerAccount",
    "LedgerAudit",
    "LedgerEntry",
    "LedgerTransaction",
    "LedgerUnbalanced",
    "TransactionKind",
    "charge_entries",
    "refund_entries",
    "reversal_entries",
    "sums_by_currency",
]


class LedgerAccount(StrEnum):
    """The chart of accounts."""

    CUSTOMER_RECEIVABLE = "CUSTOMER_RECEIVABLE"
    """What customers owe."""
    PROVIDER_CLEARING = "PROVIDER_CLEARING"
    """What the payment provider holds for us."""
    REVENUE = "REVENUE"
    REFUNDS = "REFUNDS"
    """What was earned and given back."""


class TransactionKind(StrEnum):
    """Why a transaction was posted."""

    CHARGE = "CHARGE"
    REFUND = "REFUND"
    REVERSAL = "REVERSAL"


class LedgerUnbalanced(Exception):
    """The entries do not sum to zero, or are fewer than two."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line: a debit above zero, a credit below."""

    account: LedgerAccount
    customer_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class LedgerTransaction:
    """What is posted together; `operation_key` is unique, so that posting it again changes nothing.

    Raises LedgerUnbalanced.
    """

    id: str
    operation_key: str
    kind: TransactionKind
    payment_id: str
    occurred_at: datetime
    entries: tuple[LedgerEntry, ...]

    def __post_init__(self) -> None:
        sums = {currency: total for currency, total in sums_by_currency(self.entries).items() if total}
        if len(self.entries) < 2 or sums or any(entry.amount.amount_minor == 0 for entry in self.entries):
            raise LedgerUnbalanced(
                f"ledger transaction {self.operation_key} has {len(self.entries)} entries, off by {sums}"
            )


@dataclass(frozen=True, slots=True)
class LedgerAudit:
    """What an audit found; the books are in order when `problems` is empty.

    `balances`: the sum of each ledger account by currency. `payments_under_way` may explain a difference to the
    provider's book, and nothing else may.
    """

    transaction_count: int
    entry_count: int
    balances: tuple[tuple[LedgerAccount, Money], ...]
    payments_under_way: int
    problems: tuple[str, ...]


def sums_by_currency(entries: Iterable[LedgerEntry]) -> dict[str, int]:
    """The sum of the entries in each currency, in minor units."""
    sums: dict[str, int] = defaultdict(int)
    for entry in entries:
        sums[entry.amount.currency] += entry.amount.amount_minor
    return dict(sums)


def charge_entries(customer_id: str, amount: Money) -> tuple[LedgerEntry, ...]:
    """Earned, and paid through the provider."""
    return (
        LedgerEntry(LedgerAccount.CUSTOMER_RECEIVABLE, customer_id, amount),
        LedgerEntry(LedgerAccount.REVENUE, customer_id, -amount),
        LedgerEntry(LedgerAccount.PROVIDER_CLEARING, customer_id, amount),
        LedgerEntry(LedgerAccount.CUSTOMER_RECEIVABLE, customer_id, -amount),
    )


def refund_entries(customer_id: str, amount: Money) -> tuple[LedgerEntry, ...]:
    """Given back through the provider."""
    return (
        LedgerEntry(LedgerAccount.REFUNDS, customer_id, amount),
        LedgerEntry(LedgerAccount.CUSTOMER_RECEIVABLE, customer_id, -amount),
        LedgerEntry(LedgerAccount.CUSTOMER_RECEIVABLE, customer_id, amount),
        LedgerEntry(LedgerAccount.PROVIDER_CLEARING, customer_id, -amount),
    )


def reversal_entries(entries: Iterable[LedgerEntry]) -> tuple[LedgerEntry, ...]:
    """The entries that undo these."""
    return tuple(LedgerEntry(entry.account, entry.customer_id, -entry.amount) for entry in entries)
