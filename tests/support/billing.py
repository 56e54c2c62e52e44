"""A billing office for tests: the real services and stores, a clock that stands still, and failures at chosen calls."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from common.clock import Clock, FakeClock
from common.errors import ErrorKind, ServiceError
from common.tokens import Viewer
from subgraphs.kernel.ids import AccountId, ProfileId
from subgraphs.kernel.personal_data import Subject
from subgraphs.kernel.rate_limit import InMemoryRateLimiter, RateLimit
from subgraphs.kernel.sql import reading
from subgraphs.profiles.adapters.payment_simulator import Fault, PaymentSimulator
from subgraphs.profiles.adapters.sqlalchemy.accounts import SqlAccountStore
from subgraphs.profiles.adapters.sqlalchemy.ledger import SqlLedgerStore
from subgraphs.profiles.adapters.sqlalchemy.notifications import SqlNotificationStore
from subgraphs.profiles.adapters.sqlalchemy.payments import SqlPaymentStore
from subgraphs.profiles.adapters.sqlalchemy.personal_data import personal_data_of
from subgraphs.profiles.adapters.sqlalchemy.preferences import SqlConsentStore, SqlPreferenceStore
from subgraphs.profiles.adapters.sqlalchemy.tables import OUTBOX
from subgraphs.profiles.adapters.sqlalchemy.tables_billing import payments, provider_simulator_operations
from subgraphs.profiles.domain.accounts import Account, PlanId, Profile, Subscription, SubscriptionStatus, Terms
from subgraphs.profiles.domain.ledger import LedgerAudit
from subgraphs.profiles.domain.subscriptions import Dunning
from subgraphs.profiles.ports_billing import ProviderSilent
from subgraphs.profiles.services.billing import Billing
from subgraphs.profiles.services.billing_rounds import BillingRounds
from subgraphs.profiles.services.notices import Notices
from subgraphs.profiles.services.payment_saga import PaymentSaga, SagaLimits

__all__ = ["CRASHES", "LAPSED", "PROVIDER_TROUBLES", "STORE_TROUBLES", "BillingOffice", "Crash", "Trouble"]

DAY = timedelta(days=1)
LAPSED = Terms(PlanId.BASIC, Subscription(SubscriptionStatus.EXPIRED, None))
DUNNING = Dunning(grace=7 * DAY, retry_after=(DAY, 2 * DAY))
LIMITS = SagaLimits(patience_s=60.0, call_timeout_s=0.05)
PROVIDER_CALLS = frozenset({"authorise", "capture", "void", "refund", "answer_to"})
STORE_CALLS = frozenset({"begin", "advance", "settle", "move", "claim_due", "post"})


class Crash(BaseException):
    """The process is gone: nothing of it may run on, not even what handles exceptions."""


class Trouble(StrEnum):
    """What happens to one call; the words BEFORE and AFTER say whether it had its effect."""

    CRASH_BEFORE = "CRASH_BEFORE"
    CRASH_AFTER = "CRASH_AFTER"
    SILENT_BEFORE = "SILENT_BEFORE"
    SILENT_AFTER = "SILENT_AFTER"
    HANGS_BEFORE = "HANGS_BEFORE"
    HANGS_AFTER = "HANGS_AFTER"
    AWAY_BEFORE = "AWAY_BEFORE"
    AWAY_AFTER = "AWAY_AFTER"
    """The store committed, and its answer got lost."""


CRASHES = (Trouble.CRASH_BEFORE, Trouble.CRASH_AFTER)
PROVIDER_TROUBLES = (
    *CRASHES,
    Trouble.SILENT_BEFORE,
    Trouble.SILENT_AFTER,
    Trouble.HANGS_BEFORE,
    Trouble.HANGS_AFTER,
)
STORE_TROUBLES = (*CRASHES, Trouble.AWAY_BEFORE, Trouble.AWAY_AFTER)


@dataclass
class Line:
    """Between billing and what it calls: counts calls, and lets trouble happen at some of them."""

    target: Any
    names: frozenset[str]
    office: BillingOffice

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.target, name)
        if name not in self.names:
            return found

        async def call(*arguments: Any, **options: Any) -> Any:
            number = next(self.office.numbers)
            self.office.calls.append(name)
            trouble = self.office.trouble_at(number, name)
            await _raise(trouble, "BEFORE")
            self.office.fault = FAULTS.get(trouble, Fault.NONE)
            try:
                result = await found(*arguments, **options)
            except (ProviderSilent, asyncio.CancelledError):
                # On a busy machine the deadline may also end a call that went well.
                if self.office.fault not in {Fault.LOST_REQUEST, Fault.HANGS}:
                    await self._come_in_between(name)
                raise
            await self._come_in_between(name)
            await _raise(trouble, "AFTER")
            return result

        return call

    async def _come_in_between(self, name: str) -> None:
        for act in self.office.after_call.pop(name, ()):
            await _to_the_end(act)


async def _to_the_end(act: Callable[[], Any]) -> None:
    """Whatever comes in between is not the caller's: its deadline ends the caller only."""
    task = asyncio.ensure_future(act())
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


async def _raise(trouble: Trouble | None, moment: str) -> None:
    if trouble is None or not trouble.endswith(moment):
        return
    if trouble in CRASHES:
        raise Crash
    if trouble not in FAULTS:
        raise ServiceError(ErrorKind.UNAVAILABLE, trouble)


FAULTS: dict[Trouble | None, Fault] = {
    Trouble.SILENT_BEFORE: Fault.LOST_REQUEST,
    Trouble.SILENT_AFTER: Fault.LOST_ANSWER,
    Trouble.HANGS_BEFORE: Fault.HANGS,
    Trouble.HANGS_AFTER: Fault.HANGS_AFTER,
}
"""What the simulator itself does."""


def _no_trouble(number: int, name: str) -> Trouble | None:
    del number, name
    return None


@dataclass
class BillingOffice:
    """Accounts with a payment method, and billing over the real stores."""

    engine: AsyncEngine
    clock: Clock
    trouble_at: Callable[[int, str], Trouble | None] = _no_trouble
    after_call: dict[str, list[Callable[[], Any]]] = field(default_factory=dict)
    """What happens right after the next call of a name: things that come in between."""
    calls: list[str] = field(default_factory=list)
    fault: Fault = Fault.NONE
    numbers: Iterator[int] = field(default_factory=itertools.count)
    account_numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.accounts = SqlAccountStore(self.engine)
        self.payments = SqlPaymentStore(self.engine)
        self.ledger = SqlLedgerStore(self.engine)
        self.simulator = PaymentSimulator(self.engine, lambda _operation, _key: self.fault)
        store = cast("SqlPaymentStore", Line(self.payments, STORE_CALLS, self))
        saga = PaymentSaga(
            payments=store,
            ledger=cast("SqlLedgerStore", Line(self.ledger, STORE_CALLS, self)),
            provider=cast("PaymentSimulator", Line(self.simulator, PROVIDER_CALLS, self)),
            dunning=DUNNING,
            limits=LIMITS,
            clock=self.clock,
            on_commit=lambda: None,
        )
        self.billing = Billing(
            accounts=self.accounts,
            payments=store,
            saga=saga,
            rate_limiter=InMemoryRateLimiter(),
            charges=RateLimit("charges", 1_000_000, 1),
            clock=self.clock,
            on_commit=lambda: None,
        )
        self.notifications = SqlNotificationStore(self.engine)
        preferences, consents = SqlPreferenceStore(self.engine), SqlConsentStore(self.engine)
        notices = Notices(self.notifications, self.accounts, preferences, consents, wake=lambda: None)
        self.rounds = BillingRounds(self.billing, notices, every_s=60.0)

    @contextmanager
    def trouble(self, at: Callable[[int, str], Trouble | None]) -> Iterator[None]:
        """Calls are counted from 0 inside; afterwards everything works again."""
        self.calls.clear()
        self.numbers, self.trouble_at = itertools.count(), at
        try:
            yield
        finally:
            self.trouble_at = _no_trouble

    async def account(self, terms: Terms, *, token: str | None = "sim_visa_4242", country: str = "US") -> Account:
        """A new account with these terms, paying with this card."""
        number = next(self.account_numbers)
        account = Account(
            id=AccountId(f"acc_{number}"),
            email=f"{number}@example.org",
            country=country,
            plan_id=terms.plan_id,
            subscription=terms.subscription,
            scopes=frozenset(),
            created_at=self.clock.now(),
        )
        profile = Profile(ProfileId(f"prof_{number}"), account.id, "Ada", "avatar-1", False, 18, "en", self.clock.now())
        assert await self.accounts.create_account(account, "hash", profile, [])
        if token is not None:
            await self.use_card(account, token)
        return account

    async def use_card(self, account: Account, token: str) -> None:
        """Pay with another card from now on."""
        method = await self.simulator.describe(token)
        assert method is not None
        await self.payments.put_method(account.id, method, self.clock.now())

    async def erase(self, account: Account) -> None:
        """As the account's holder may ask for, while whatever is going on."""
        profiles = (await self.accounts.profiles_by_account([account.id]))[account.id]
        subject = Subject(account.id, tuple(profile.id for profile in profiles), (account.email,))
        await personal_data_of(self.engine).erase_personal(subject)

    def viewer(self, account: Account) -> Viewer:
        return Viewer(account_id=account.id, session_id="ses_1")

    async def again(self, account: Account) -> Account:
        """The account as it is now."""
        return (await self.accounts.accounts_by_id([account.id]))[account.id]

    async def recover(self) -> None:
        """Another process comes after the lease of the first one, until nothing is open."""
        assert isinstance(self.clock, FakeClock)
        for _ in range(20):
            self.clock.advance(LIMITS.longest_retry + LIMITS.lease)
            if not await self.billing.saga.recover(100):
                return
        raise AssertionError("payments stay open although everything works again")

    async def audit(self) -> LedgerAudit:
        """The ledger, compared with the provider's own book."""
        return await self.ledger.audit(await self.provider_balances())

    async def provider_balances(self) -> dict[str, int]:
        """What the provider holds, by currency."""
        balances: Counter[str] = Counter()
        for movement in await self.simulator.movements(0, 1_000_000):
            balances[movement.amount.currency] += movement.amount.amount_minor
        return dict(balances)

    async def provider_operations(self, account: Account) -> dict[str, int]:
        """How often the provider did what for an account: amounts of captures and refunds, counts of the others."""
        prefixes = tuple(f"{payment.id}:" for payment in await self.payments.newest_payments(account.id, 100, None))
        table, totals = provider_simulator_operations, Counter[str]()
        async with reading(self.engine) as connection:
            for row in (await connection.execute(select(table).where(table.c.refusal.is_(None)))).mappings():
                if row["operation_key"].startswith(prefixes):
                    totals[row["kind"]] += row["amount_minor"] if row["kind"] in {"capture", "refund"} else 1
                    totals[f"{row['kind']}s"] += 1
        return dict(totals)

    async def open_count(self) -> int:
        async with reading(self.engine) as connection:
            wanted = select(func.count()).select_from(payments).where(payments.c.status == "PENDING")
            return int((await connection.execute(wanted)).scalar_one())

    async def changes_told(self, account: Account) -> int:
        """subscription.changed events of an account."""
        table = OUTBOX.table
        async with reading(self.engine) as connection:
            rows = (await connection.execute(select(table.c.data).where(table.c.kind == "subscription.changed"))).all()
        return sum(data["accountId"] == account.id for (data,) in rows)


PRICE = {PlanId.BASIC: 799, PlanId.STANDARD: 1549, PlanId.PREMIUM: 2299}
"""In US cents, as the plan table has it."""
