"""Wires billing: stores, the payment provider, the saga and the rounds. For the subgraph and for the ledger's audit."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncEngine

from common.clock import Clock
from subgraphs.kernel.rate_limit import RateLimiter
from subgraphs.profiles.adapters.payment_simulator import PaymentSimulator
from subgraphs.profiles.adapters.sqlalchemy.ledger import SqlLedgerStore
from subgraphs.profiles.adapters.sqlalchemy.payments import SqlPaymentStore
from subgraphs.profiles.ports import AccountStore
from subgraphs.profiles.services.billing import Billing
from subgraphs.profiles.services.payment_saga import PaymentSaga
from subgraphs.profiles.settings import ProfilesSettings

__all__ = ["build_billing"]


def build_billing(
    settings: ProfilesSettings,
    engine: AsyncEngine,
    accounts: AccountStore,
    rate_limiter: RateLimiter,
    *,
    clock: Clock,
    on_commit: Callable[[], None],
) -> Billing:
    """Billing over SQL stores and the payment simulator, which moves no money."""
    payments = SqlPaymentStore(engine)
    saga = PaymentSaga(
        payments=payments,
        ledger=SqlLedgerStore(engine),
        provider=PaymentSimulator(engine),
        dunning=settings.dunning,
        limits=settings.saga_limits,
        clock=clock,
        on_commit=on_commit,
    )
    return Billing(
        accounts=accounts,
        payments=payments,
        saga=saga,
        rate_limiter=rate_limiter,
        charges=settings.payment_limit,
        clock=clock,
        on_commit=on_commit,
    )
