"""Payments, payment methods and the subscriptions that they move, on SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subgraphs.kernel.ids import AccountId, new_id
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy import tables
from subgraphs.profiles.adapters.sqlalchemy.accounts import read_account, terms_row
from subgraphs.profiles.adapters.sqlalchemy.tables_billing import billing_customers, payments
from subgraphs.profiles.domain.accounts import Account, PlanId, Terms
from subgraphs.profiles.domain.money import Money
from subgraphs.profiles.domain.payments import (
    CustomerId,
    Payment,
    PaymentId,
    PaymentKind,
    PaymentMethod,
    PaymentStatus,
)
from subgraphs.profiles.ports_billing import BillingCustomer, Settling, SubscriptionMove, TermsMoved

__all__ = ["SqlPaymentStore"]

OPEN = payments.c.status == PaymentStatus.PENDING.value


class SqlPaymentStore:
    """See the PaymentStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def customers_by_account(self, ids: Sequence[AccountId]) -> Mapping[AccountId, BillingCustomer]:
        """See PaymentStore.customers_by_account."""
        wanted = select(billing_customers).where(billing_customers.c.account_id.in_(ids))
        async with reading(self._engine) as connection:
            rows = (await connection.execute(wanted)).mappings().all()
        return {AccountId(row["account_id"]): _customer(row) for row in rows}

    async def put_method(self, account_id: AccountId, method: PaymentMethod, now: datetime) -> None:
        """See PaymentStore.put_method."""
        values = {
            "method_token": method.token,
            "method_brand": method.brand,
            "method_last_four": method.last_four,
            "method_added_at": now,
        }
        async with writing(self._engine) as connection:
            new = {"account_id": account_id, "customer_id": new_id("cus", now), **values}
            statement = tables.upsert(connection, billing_customers).values(new)
            await connection.execute(statement.on_conflict_do_update(index_elements=["account_id"], set_=values))

    async def begin(self, payment: Payment, reckoned_from: Terms | None = None) -> Payment:
        """See PaymentStore.begin."""
        try:
            async with writing(self._engine) as connection:
                # The lock before the look: a payment that ends meanwhile moves the terms under it.
                account = None if payment.account_id is None else await _locked_account(connection, payment.account_id)
                standing = await _standing_in_the_way(connection, payment)
                if standing is not None:
                    return standing
                if reckoned_from is not None and (account is None or account.terms != reckoned_from):
                    raise TermsMoved
                await connection.execute(insert(payments).values(_row(payment)))
        except IntegrityError:
            # On PostgreSQL another one may have begun between the look and the insert.
            async with reading(self._engine) as connection:
                standing = await _standing_in_the_way(connection, payment)
            if standing is None:
                raise
            return standing
        return payment

    async def payment(self, payment_id: PaymentId) -> Payment | None:
        """See PaymentStore.payment."""
        return await self._one(payments.c.id == payment_id)

    async def operation(self, customer_id: CustomerId, key: str) -> Payment | None:
        """See PaymentStore.operation."""
        return await self._one((payments.c.customer_id == customer_id) & (payments.c.operation_key == key))

    async def newest_payments(
        self, account_id: AccountId, first: int, after: tuple[datetime, str] | None
    ) -> tuple[Payment, ...]:
        """See PaymentStore.newest_payments."""
        wanted = select(payments).where(payments.c.account_id == account_id)
        if after is not None:
            at, id_ = after
            same_instant = (payments.c.created_at == at) & (payments.c.id < id_)
            wanted = wanted.where(or_(payments.c.created_at < at, same_instant))
        wanted = wanted.order_by(payments.c.created_at.desc(), payments.c.id.desc()).limit(first)
        async with reading(self._engine) as connection:
            return tuple(_payment(row) for row in (await connection.execute(wanted)).mappings())

    async def failed_refund_count(self, payment_id: PaymentId) -> int:
        """See PaymentStore.failed_refund_count."""
        failed = payments.c.status == PaymentStatus.FAILED.value
        wanted = select(func.count()).select_from(payments).where(payments.c.refunded_payment_id == payment_id, failed)
        async with reading(self._engine) as connection:
            return int((await connection.execute(wanted)).scalar_one())

    async def claim_due(self, now: datetime, lease: timedelta, limit: int) -> tuple[Payment, ...]:
        """See PaymentStore.claim_due."""
        due = (
            select(payments)
            .where(OPEN, payments.c.next_try_at <= now, payments.c.leased_until <= now)
            .order_by(payments.c.next_try_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with writing(self._engine) as connection:
            found = [_payment(row) for row in (await connection.execute(due)).mappings()]
            claimed = tuple(
                replace(payment, fence=payment.fence + 1, leased_until=now + lease, tries=payment.tries + 1)
                for payment in found
            )
            for payment in claimed:
                await connection.execute(
                    update(payments)
                    .where(payments.c.id == payment.id)
                    .values(fence=payment.fence, leased_until=payment.leased_until, tries=payment.tries)
                )
        return claimed

    async def advance(self, payment: Payment) -> bool:
        """See PaymentStore.advance."""
        async with writing(self._engine) as connection:
            return await _write(connection, payment)

    async def settle(self, payment: Payment, move: SubscriptionMove | None) -> Settling:
        """See PaymentStore.settle."""
        async with writing(self._engine) as connection:
            # The account's row first, as every move takes it first: two orders of locking could wait for each other.
            account = None if payment.account_id is None else await _locked_account(connection, payment.account_id)
            if account is None and move is not None and payment.status is PaymentStatus.COMPLETED:
                return Settling.NO_ACCOUNT
            if not await _write(connection, payment):
                return Settling.LOST
            if payment.kind is PaymentKind.REFUND and payment.status is PaymentStatus.COMPLETED:
                given_back = payments.c.id == payment.refunded_payment_id
                refunded = PaymentStatus.REFUNDED.value
                await connection.execute(update(payments).where(given_back).values(status=refunded))
            if move is not None and account is not None:
                await _move(connection, account, move)
        return Settling.DONE

    async def move(self, account_id: AccountId, move: SubscriptionMove) -> Account | None:
        """See PaymentStore.move."""
        async with writing(self._engine) as connection:
            account = await _locked_account(connection, account_id)
            return None if account is None else await _move(connection, account, move)

    async def due_accounts(self, now: datetime, limit: int) -> tuple[Account, ...]:
        """See PaymentStore.due_accounts."""
        under_way = exists().where(payments.c.account_id == tables.accounts.c.id, OPEN)
        wanted = (
            select(tables.accounts)
            .where(tables.accounts.c.billing_due_at <= now, ~under_way)
            .order_by(tables.accounts.c.billing_due_at, tables.accounts.c.id)
            .limit(limit)
        )
        async with reading(self._engine) as connection:
            return tuple(read_account(row) for row in (await connection.execute(wanted)).mappings())

    async def _one(self, this: ColumnElement[bool]) -> Payment | None:
        async with reading(self._engine) as connection:
            row = (await connection.execute(select(payments).where(this))).mappings().one_or_none()
        return None if row is None else _payment(row)


async def _standing_in_the_way(connection: AsyncConnection, payment: Payment) -> Payment | None:
    same = (payments.c.customer_id == payment.customer_id) & (payments.c.operation_key == payment.operation_key)
    # A refund to an erased account has nothing to stand beside.
    is_open = OPEN & (payments.c.account_id == payment.account_id) & payments.c.account_id.is_not(None)
    # The same operation before another one that happens to be under way.
    wanted = select(payments).where(or_(same, is_open)).order_by(~same).limit(1)
    row = (await connection.execute(wanted)).mappings().first()
    return None if row is None else _payment(row)


async def _write(connection: AsyncConnection, payment: Payment) -> bool:
    mine = (payments.c.id == payment.id) & (payments.c.fence == payment.fence) & OPEN
    written = {name: value for name, value in _row(payment).items() if name not in _FIXED}
    return (await connection.execute(update(payments).where(mine).values(written))).rowcount > 0


async def _locked_account(connection: AsyncConnection, account_id: AccountId) -> Account | None:
    wanted = select(tables.accounts).where(tables.accounts.c.id == account_id).with_for_update()
    row = (await connection.execute(wanted)).mappings().one_or_none()
    return None if row is None else read_account(row)


async def _move(connection: AsyncConnection, account: Account, move: SubscriptionMove) -> Account:
    terms = move.change(account)
    if terms is None or terms == account.terms:
        return account
    after = replace(account, plan_id=terms.plan_id, subscription=terms.subscription)
    own = tables.accounts.c.id == account.id
    await connection.execute(update(tables.accounts).where(own).values(terms_row(terms)))
    await tables.OUTBOX.add(connection, move.events(after))
    return after


_FIXED = frozenset({"id", "account_id", "customer_id", "kind", "amount_minor", "currency", "created_at", "fence"})
"""Columns that stay as they were when the payment began; who pays is forgotten by an erasure and by nothing else."""


def _row(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.id,
        "account_id": payment.account_id,
        "customer_id": payment.customer_id,
        "kind": payment.kind.value,
        "status": payment.status.value,
        "plan_id": payment.plan_id.value,
        "amount_minor": payment.amount.amount_minor,
        "currency": payment.amount.currency,
        "created_at": payment.created_at,
        "settled_at": payment.settled_at,
        "failure": payment.failure,
        "refunded_payment_id": payment.refunded_payment_id,
        "operation_key": payment.operation_key,
        "steps_done": payment.steps_done,
        "is_undoing": payment.is_undoing,
        "authorisation_id": payment.authorisation_id,
        "capture_id": payment.capture_id,
        "fence": payment.fence,
        "leased_until": payment.leased_until,
        "tries": payment.tries,
        "next_try_at": payment.next_try_at,
    }


def _payment(row: Mapping[Any, Any]) -> Payment:
    account_id, refunded = row["account_id"], row["refunded_payment_id"]
    return Payment(
        id=PaymentId(row["id"]),
        account_id=None if account_id is None else AccountId(account_id),
        customer_id=CustomerId(row["customer_id"]),
        kind=PaymentKind(row["kind"]),
        status=PaymentStatus(row["status"]),
        plan_id=PlanId(row["plan_id"]),
        amount=Money(row["amount_minor"], row["currency"]),
        created_at=row["created_at"],
        settled_at=row["settled_at"],
        failure=row["failure"],
        refunded_payment_id=None if refunded is None else PaymentId(refunded),
        operation_key=row["operation_key"],
        steps_done=row["steps_done"],
        is_undoing=row["is_undoing"],
        authorisation_id=row["authorisation_id"],
        capture_id=row["capture_id"],
        fence=row["fence"],
        leased_until=row["leased_until"],
        tries=row["tries"],
        next_try_at=row["next_try_at"],
    )


def _customer(row: Mapping[Any, Any]) -> BillingCustomer:
    method = PaymentMethod(row["method_token"], row["method_brand"], row["method_last_four"])
    return BillingCustomer(AccountId(row["account_id"]), CustomerId(row["customer_id"]), method)
