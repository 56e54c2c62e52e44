"""A payment provider that moves no money: for demos, development and tests.

It behaves as a real one does towards us: operations are idempotent by key, a card may be declined, an answer may get
lost, and its own book (a table that the subgraph's other code never reads) remembers everything over restarts. What a
card does is part of its token:

    sim_visa_4242                 every charge works
    sim_visa_0002_declined        every authorisation is declined
    sim_visa_9995_insufficient    every authorisation is declined: insufficient funds
    sim_visa_0341_uncapturable    authorised, then the capture is declined
    sim_visa_6000_silent          every authorisation happens, and its answer gets lost

Brands are visa, mastercard and amex; the four digits are free. A real provider is another adapter of the same port.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import case, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy.tables_billing import provider_simulator_operations as operations
from subgraphs.profiles.domain.money import Money
from subgraphs.profiles.domain.payments import PaymentMethod
from subgraphs.profiles.ports_billing import Movement, ProviderAnswer, ProviderSilent

__all__ = ["Fault", "FaultSchedule", "PaymentSimulator"]

ResultT = TypeVar("ResultT")

_TOKEN = re.compile(
    r"sim_(?P<brand>visa|mastercard|amex)_(?P<last_four>[0-9]{4})"
    r"(_(?P<behaviour>declined|insufficient|uncapturable|silent))?"
)
_REFUSALS = {"declined": "the card was declined", "insufficient": "the card has insufficient funds"}
_UNCAPTURABLE = "late_"
"""Begins the reference of an authorisation that can't be captured."""


class Fault(StrEnum):
    """What goes wrong with one call."""

    NONE = "NONE"
    LOST_REQUEST = "LOST_REQUEST"
    """It fails before anything happened."""
    LOST_ANSWER = "LOST_ANSWER"
    """It fails after it happened."""
    HANGS = "HANGS"
    """It never answers, and nothing happened."""
    HANGS_AFTER = "HANGS_AFTER"
    """It never answers, and it happened."""


FaultSchedule = Callable[[str, str], Fault]
"""What goes wrong with a call, by operation ("authorise", "capture", "void", "refund", "answer_to") and key."""


def _no_faults(operation: str, key: str) -> Fault:
    del operation, key
    return Fault.NONE


class PaymentSimulator:
    """See the PaymentProvider port."""

    def __init__(self, engine: AsyncEngine, faults: FaultSchedule = _no_faults) -> None:
        self._engine = engine
        self._faults = faults

    async def describe(self, token: str) -> PaymentMethod | None:
        """See PaymentProvider.describe."""
        match = _TOKEN.fullmatch(token)
        return None if match is None else PaymentMethod(token, match["brand"].capitalize(), match["last_four"])

    async def authorise(self, key: str, token: str, amount: Money) -> ProviderAnswer:
        """See PaymentProvider.authorise."""
        match = _TOKEN.fullmatch(token)
        behaviour = "declined" if match is None else match["behaviour"]
        refusal = _REFUSALS.get(behaviour or "")
        prefix = _UNCAPTURABLE if behaviour == "uncapturable" else "auth_"

        async def decide(_: AsyncConnection) -> str | None:
            return refusal

        answer = await self._do("authorise", key, amount, decide, prefix=prefix)
        if behaviour == "silent":
            raise ProviderSilent("the simulated card's answer got lost")
        return answer

    async def capture(self, key: str, authorisation_id: str, amount: Money) -> ProviderAnswer:
        """See PaymentProvider.capture."""

        async def decide(connection: AsyncConnection) -> str | None:
            if authorisation_id.startswith(_UNCAPTURABLE):
                return "the authorisation can't be captured"
            found = await _of(connection, authorisation_id, "authorise")
            if found is None or found["refusal"] is not None:
                return "there is no such authorisation"
            if await _done_to(connection, authorisation_id, "capture") or await _done_to(
                connection, authorisation_id, "void"
            ):
                return "the authorisation was captured or voided before"
            is_same = (found["amount_minor"], found["currency"]) == (amount.amount_minor, amount.currency)
            return None if is_same else "the amount is not the authorised one"

        return await self._do("capture", key, amount, decide, prefix="capt_", parent=authorisation_id)

    async def void(self, key: str, authorisation_id: str) -> ProviderAnswer:
        """See PaymentProvider.void."""

        async def decide(connection: AsyncConnection) -> str | None:
            is_captured = await _done_to(connection, authorisation_id, "capture")
            return "the authorisation was captured; refund it" if is_captured else None

        return await self._do("void", key, Money(0, "XXX"), decide, prefix="void_", parent=authorisation_id)

    async def refund(self, key: str, capture_id: str, amount: Money) -> ProviderAnswer:
        """See PaymentProvider.refund."""

        async def decide(connection: AsyncConnection) -> str | None:
            found = await _of(connection, capture_id, "capture")
            if found is None or found["refusal"] is not None or found["currency"] != amount.currency:
                return "there is no such charge"
            given_back = await _done_to(connection, capture_id, "refund")
            return "it was given back before" if given_back + amount.amount_minor > found["amount_minor"] else None

        return await self._do("refund", key, amount, decide, prefix="refu_", parent=capture_id)

    async def answer_to(self, key: str) -> ProviderAnswer | None:
        """See PaymentProvider.answer_to."""
        fault = self._faults("answer_to", key)
        if fault in {Fault.HANGS, Fault.HANGS_AFTER}:
            await _hang()
        if fault is not Fault.NONE:
            raise ProviderSilent("the simulated provider can't be asked")
        async with reading(self._engine) as connection:
            row = await _by_key(connection, key)
        return None if row is None else _answer(row)

    async def movements(self, after: int, limit: int) -> Sequence[Movement]:
        """See PaymentProvider.movements."""
        signed = case((operations.c.kind == "refund", -operations.c.amount_minor), else_=operations.c.amount_minor)
        wanted = (
            select(operations.c.sequence, operations.c.operation_key, signed, operations.c.currency)
            .where(
                operations.c.sequence > after,
                operations.c.kind.in_(["capture", "refund"]),
                operations.c.refusal.is_(None),
            )
            .order_by(operations.c.sequence)
            .limit(limit)
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(wanted)).all()
        return [Movement(sequence, key, Money(int(amount), currency)) for sequence, key, amount, currency in rows]

    async def _do(
        self,
        kind: str,
        key: str,
        amount: Money,
        decide: Callable[[AsyncConnection], Awaitable[str | None]],
        *,
        prefix: str,
        parent: str | None = None,
    ) -> ProviderAnswer:
        """One operation: what was answered to this key before, or else what `decide` says (None: done)."""
        fault = self._faults(kind, key)
        if fault is Fault.LOST_REQUEST:
            raise ProviderSilent(f"the simulated provider was not reached by {kind}")
        if fault is Fault.HANGS:
            await _hang()
        row = await _unabridged(
            self._record(kind, key, amount, decide, reference=_reference(prefix, key), parent=parent)
        )
        if row["kind"] != kind:
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"key {key} was used for {row['kind']}, now for {kind}")
        if fault is Fault.HANGS_AFTER:
            await _hang()
        if fault is Fault.LOST_ANSWER:
            raise ProviderSilent(f"the simulated provider's answer to {kind} got lost")
        return _answer(row)

    async def _record(
        self,
        kind: str,
        key: str,
        amount: Money,
        decide: Callable[[AsyncConnection], Awaitable[str | None]],
        *,
        reference: str,
        parent: str | None,
    ) -> Mapping[Any, Any]:
        """The row of an operation, written when there is none."""
        async with writing(self._engine) as connection:
            row = await _by_key(connection, key)
            if row is None:
                row = {
                    "operation_key": key,
                    "kind": kind,
                    "reference": reference,
                    "parent_reference": parent,
                    "amount_minor": amount.amount_minor,
                    "currency": amount.currency,
                    "refusal": await decide(connection),
                }
                await connection.execute(insert(operations).values(row))
        return row


def _reference(prefix: str, key: str) -> str:
    return prefix + hashlib.sha256(key.encode()).hexdigest()[:24]


async def _unabridged(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """The work to its end: a provider does not stop in the middle because its caller has hung up."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _hang() -> None:
    await asyncio.Event().wait()


async def _by_key(connection: AsyncConnection, key: str) -> Mapping[Any, Any] | None:
    found = await connection.execute(select(operations).where(operations.c.operation_key == key))
    return found.mappings().one_or_none()


async def _of(connection: AsyncConnection, reference: str, kind: str) -> Mapping[Any, Any] | None:
    this = (operations.c.reference == reference) & (operations.c.kind == kind)
    return (await connection.execute(select(operations).where(this))).mappings().one_or_none()


async def _done_to(connection: AsyncConnection, reference: str, kind: str) -> int:
    """How much of this kind was done to an earlier operation; voids count one each."""
    done = (operations.c.parent_reference == reference) & (operations.c.kind == kind) & operations.c.refusal.is_(None)
    amount = func.count() if kind == "void" else func.coalesce(func.sum(operations.c.amount_minor), 0)
    return int((await connection.execute(select(amount).select_from(operations).where(done))).scalar_one())


def _answer(row: Mapping[Any, Any]) -> ProviderAnswer:
    return ProviderAnswer(row["reference"], row["refusal"])
