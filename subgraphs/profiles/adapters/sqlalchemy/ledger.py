"""The ledger on SQL. Its tables' triggers hold what the domain promises, whoever writes."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy.tables_billing import ledger_entries, ledger_transactions, payments
from subgraphs.profiles.domain.ledger import (
    LedgerAccount,
    LedgerAudit,
    LedgerEntry,
    LedgerTransaction,
    TransactionKind,
)
from subgraphs.profiles.domain.money import Money
from subgraphs.profiles.domain.payments import PaymentKind, PaymentStatus

__all__ = ["SqlLedgerStore"]

TRANSACTIONS, ENTRIES = ledger_transactions, ledger_entries
MAX_PROBLEMS = 100
"""Named by an audit per kind; more of the same teach nothing."""


class SqlLedgerStore:
    """See the LedgerStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def post(self, transaction: LedgerTransaction) -> bool:
        """See LedgerStore.post."""
        rows = [
            {
                "transaction_id": transaction.id,
                "line": line,
                "ledger_account": entry.account.value,
                "customer_id": entry.customer_id,
                "amount_minor": entry.amount.amount_minor,
                "currency": entry.amount.currency,
            }
            for line, entry in enumerate(transaction.entries)
        ]
        header = {
            "id": transaction.id,
            "operation_key": transaction.operation_key,
            "kind": transaction.kind.value,
            "payment_id": transaction.payment_id,
            "occurred_at": transaction.occurred_at,
        }
        if await self.transaction(transaction.operation_key) is not None:
            return False
        try:
            async with writing(self._engine) as connection:
                # The header last: its trigger looks at the entries and seals them.
                await connection.execute(insert(ENTRIES), rows)
                await connection.execute(insert(TRANSACTIONS).values(header))
        except IntegrityError:
            if await self.transaction(transaction.operation_key) is None:
                raise
            return False
        return True

    async def transaction(self, operation_key: str) -> LedgerTransaction | None:
        """See LedgerStore.transaction."""
        async with reading(self._engine) as connection:
            wanted = select(TRANSACTIONS).where(TRANSACTIONS.c.operation_key == operation_key)
            header = (await connection.execute(wanted)).mappings().one_or_none()
            if header is None:
                return None
            lines = select(ENTRIES).where(ENTRIES.c.transaction_id == header["id"]).order_by(ENTRIES.c.line)
            rows = (await connection.execute(lines)).mappings().all()
        entries = tuple(
            LedgerEntry(
                LedgerAccount(row["ledger_account"]), row["customer_id"], Money(row["amount_minor"], row["currency"])
            )
            for row in rows
        )
        return LedgerTransaction(
            header["id"],
            operation_key,
            TransactionKind(header["kind"]),
            header["payment_id"],
            header["occurred_at"],
            entries,
        )

    async def audit(self, provider_balances: Mapping[str, int] | None) -> LedgerAudit:
        """See LedgerStore.audit."""
        async with reading(self._engine) as connection:
            balances = await _balances(connection)
            under_way = await _count(connection, payments, payments.c.status == PaymentStatus.PENDING.value)
            problems = [
                *await _unbalanced(connection),
                *await _owing_customers(connection),
                *await _unposted_payments(connection),
                *_provider_differences(balances, provider_balances, under_way),
            ]
            return LedgerAudit(
                transaction_count=await _count(connection, TRANSACTIONS),
                entry_count=await _count(connection, ENTRIES),
                balances=balances,
                payments_under_way=under_way,
                problems=tuple(problems),
            )


async def _count(connection: AsyncConnection, table: object, *conditions: object) -> int:
    wanted = select(func.count()).select_from(table).where(*conditions)  # type: ignore[arg-type]  # any table
    return int((await connection.execute(wanted)).scalar_one())


async def _balances(connection: AsyncConnection) -> tuple[tuple[LedgerAccount, Money], ...]:
    total = func.sum(ENTRIES.c.amount_minor)
    wanted = select(ENTRIES.c.ledger_account, ENTRIES.c.currency, total).group_by(
        ENTRIES.c.ledger_account, ENTRIES.c.currency
    )
    rows = (await connection.execute(wanted.order_by(ENTRIES.c.ledger_account, ENTRIES.c.currency))).all()
    return tuple((LedgerAccount(account), Money(int(amount), currency)) for account, currency, amount in rows)


async def _unbalanced(connection: AsyncConnection) -> list[str]:
    total = func.sum(ENTRIES.c.amount_minor)
    wanted = (
        select(ENTRIES.c.transaction_id, ENTRIES.c.currency, total)
        .group_by(ENTRIES.c.transaction_id, ENTRIES.c.currency)
        .having(total != 0)
        .limit(MAX_PROBLEMS)
    )
    rows = (await connection.execute(wanted)).all()
    return [f"transaction {id_} is off by {amount} {currency}" for id_, currency, amount in rows]


async def _owing_customers(connection: AsyncConnection) -> list[str]:
    total = func.sum(ENTRIES.c.amount_minor)
    wanted = (
        select(ENTRIES.c.customer_id, ENTRIES.c.currency, total)
        .where(ENTRIES.c.ledger_account == LedgerAccount.CUSTOMER_RECEIVABLE.value)
        .group_by(ENTRIES.c.customer_id, ENTRIES.c.currency)
        .having(total != 0)
        .limit(MAX_PROBLEMS)
    )
    rows = (await connection.execute(wanted)).all()
    return [f"customer {customer} owes {amount} {currency}" for customer, currency, amount in rows]


async def _unposted_payments(connection: AsyncConnection) -> list[str]:
    """Settled payments whose postings do not add up to what became of them at the provider's clearing account."""
    clearing = (
        select(TRANSACTIONS.c.payment_id, func.sum(ENTRIES.c.amount_minor).label("cleared"))
        .join(ENTRIES, ENTRIES.c.transaction_id == TRANSACTIONS.c.id)
        .where(ENTRIES.c.ledger_account == LedgerAccount.PROVIDER_CLEARING.value)
        .group_by(TRANSACTIONS.c.payment_id)
        .subquery()
    )
    cleared = func.coalesce(clearing.c.cleared, 0)
    failed = payments.c.status == PaymentStatus.FAILED.value
    refund = payments.c.kind == PaymentKind.REFUND.value
    settled = payments.c.status != PaymentStatus.PENDING.value
    is_wrong = (
        (failed & (cleared != 0))
        | (~failed & refund & (cleared != -payments.c.amount_minor))
        | (~failed & ~refund & (cleared != payments.c.amount_minor))
    )
    wanted = (
        select(payments.c.id, payments.c.status, payments.c.amount_minor, payments.c.currency, cleared)
        .join(clearing, clearing.c.payment_id == payments.c.id, isouter=True)
        .where(settled, is_wrong)
        .limit(MAX_PROBLEMS)
    )
    rows = (await connection.execute(wanted)).all()
    return [
        f"payment {id_} is {status} with {amount} {currency}, and the ledger cleared {cleared_}"
        for id_, status, amount, currency, cleared_ in rows
    ]


def _provider_differences(
    balances: tuple[tuple[LedgerAccount, Money], ...], provider_balances: Mapping[str, int] | None, under_way: int
) -> list[str]:
    # A payment under way may be at the provider and not yet in the ledger, or the other way round.
    if provider_balances is None or under_way:
        return []
    clearing = {
        money.currency: money.amount_minor for account, money in balances if account is LedgerAccount.PROVIDER_CLEARING
    }
    return [
        f"the provider holds {provider_balances.get(currency, 0)} {currency}, the ledger {clearing.get(currency, 0)}"
        for currency in sorted({*clearing, *provider_balances})
        if clearing.get(currency, 0) != provider_balances.get(currency, 0)
    ]
