"""The account store on SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from common.events import Event
from subgraphs.kernel.ids import AccountId, ProfileId, SessionId
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy import tables, tables_billing
from subgraphs.profiles.adapters.sqlalchemy.lists import lock_totals
from subgraphs.profiles.domain.accounts import (
    Account,
    Credentials,
    Plan,
    PlanId,
    Profile,
    Subscription,
    SubscriptionStatus,
    Terms,
)
from subgraphs.profiles.ports import Deletion

__all__ = ["SqlAccountStore", "read_account", "subscription_row", "terms_row"]

PRICES = tables_billing.plan_prices


class SqlAccountStore:
    """See the AccountStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def plans(self, country: str | None = None) -> tuple[Plan, ...]:
        """See AccountStore.plans."""
        # The country's own price comes after the one for everywhere and takes its place.
        wanted = (
            select(tables.plans, PRICES.c.amount_minor.label("price_cents"), PRICES.c.currency)
            .join(PRICES, PRICES.c.plan_id == tables.plans.c.id)
            .where(PRICES.c.country.in_(["*", country or "*"]))
            .order_by(PRICES.c.country != "*")
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(wanted)).mappings()
            by_id = {row["id"]: Plan(**{**row, "id": PlanId(row["id"])}) for row in rows}
        return tuple(sorted(by_id.values(), key=lambda plan: plan.price_cents))

    async def create_account(
        self, account: Account, password_hash: str, profile: Profile, events: Sequence[Event]
    ) -> bool:
        """See AccountStore.create_account."""
        try:
            async with writing(self._engine) as connection:
                await connection.execute(
                    insert(tables.accounts).values(
                        id=account.id,
                        email=account.email,
                        password_hash=password_hash,
                        country=account.country,
                        **terms_row(account.terms),
                        scopes=sorted(account.scopes),
                        created_at=account.created_at,
                    )
                )
                await connection.execute(insert(tables.profiles).values(asdict(profile)))
                await tables.OUTBOX.add(connection, events)
        except IntegrityError:
            # The ids are fresh and random: what can be there already is the e-mail.
            if await self.credentials(account.email) is None:
                raise
            return False
        return True

    async def credentials(self, email: str) -> Credentials | None:
        """See AccountStore.credentials."""
        async with reading(self._engine) as connection:
            found = await connection.execute(select(tables.accounts).where(tables.accounts.c.email == email))
            row = found.mappings().one_or_none()
        return None if row is None else Credentials(read_account(row), row["password_hash"])

    async def accounts_by_id(self, ids: Sequence[AccountId]) -> Mapping[AccountId, Account]:
        """See AccountStore.accounts_by_id."""
        async with reading(self._engine) as connection:
            rows = await connection.execute(select(tables.accounts).where(tables.accounts.c.id.in_(ids)))
            return {AccountId(row["id"]): read_account(row) for row in rows.mappings()}

    async def account_of_session(self, session_id: SessionId) -> Account | None:
        """See AccountStore.account_of_session."""
        live = (tables.sessions.c.id == session_id) & tables.sessions.c.revoked_at.is_(None)
        wanted = select(tables.accounts).join(tables.sessions, tables.sessions.c.account_id == tables.accounts.c.id)
        async with reading(self._engine) as connection:
            row = (await connection.execute(wanted.where(live))).mappings().one_or_none()
        return None if row is None else read_account(row)

    async def replace_password_hash(self, account_id: AccountId, before: str, after: str) -> None:
        """See AccountStore.replace_password_hash."""
        same = (tables.accounts.c.id == account_id) & (tables.accounts.c.password_hash == before)
        async with writing(self._engine) as connection:
            await connection.execute(update(tables.accounts).where(same).values(password_hash=after))

    async def set_subscription(self, account_id: AccountId, subscription: Subscription) -> None:
        """See AccountStore.set_subscription."""
        async with writing(self._engine) as connection:
            await connection.execute(
                update(tables.accounts).where(tables.accounts.c.id == account_id).values(subscription_row(subscription))
            )

    async def profiles_by_account(self, ids: Sequence[AccountId]) -> Mapping[AccountId, tuple[Profile, ...]]:
        """See AccountStore.profiles_by_account."""
        wanted = select(tables.profiles).where(tables.profiles.c.account_id.in_(ids))
        by_account: dict[AccountId, tuple[Profile, ...]] = {}
        async with reading(self._engine) as connection:
            rows = await connection.execute(wanted.order_by(tables.profiles.c.created_at, tables.profiles.c.id))
            for row in rows.mappings():
                profile = _profile(row)
                by_account[profile.account_id] = (*by_account.get(profile.account_id, ()), profile)
        return by_account

    async def profiles_by_id(self, ids: Sequence[ProfileId]) -> Mapping[ProfileId, Profile]:
        """See AccountStore.profiles_by_id."""
        async with reading(self._engine) as connection:
            rows = await connection.execute(select(tables.profiles).where(tables.profiles.c.id.in_(ids)))
            return {ProfileId(row["id"]): _profile(row) for row in rows.mappings()}

    async def create_profile(self, profile: Profile, *, max_profiles: int, events: Sequence[Event]) -> bool:
        """See AccountStore.create_profile."""
        async with writing(self._engine) as connection:
            # The account's row is the lock: whoever counts next waits until this transaction is over.
            account = tables.accounts.c.id == profile.account_id
            await connection.execute(select(tables.accounts.c.id).where(account).with_for_update())
            own = tables.profiles.c.account_id == profile.account_id
            count = (
                await connection.execute(select(func.count()).select_from(tables.profiles).where(own))
            ).scalar_one()
            if count >= max_profiles:
                return False
            await connection.execute(insert(tables.profiles).values(asdict(profile)))
            await tables.OUTBOX.add(connection, events)
        return True

    async def update_profile(self, before: Profile, after: Profile, events: Sequence[Event]) -> bool:
        """See AccountStore.update_profile."""
        unchanged = [tables.profiles.c[name] == value for name, value in asdict(before).items()]
        async with writing(self._engine) as connection:
            outcome = await connection.execute(update(tables.profiles).where(*unchanged).values(asdict(after)))
            if outcome.rowcount == 0:
                return False
            await tables.OUTBOX.add(connection, events)
        return True

    async def delete_profile(self, account_id: AccountId, profile_id: ProfileId, events: Sequence[Event]) -> Deletion:
        """See AccountStore.delete_profile."""
        async with writing(self._engine) as connection:
            account = tables.accounts.c.id == account_id
            await connection.execute(select(tables.accounts.c.id).where(account).with_for_update())
            found = await connection.execute(
                select(tables.profiles.c.id).where(tables.profiles.c.account_id == account_id)
            )
            ids = set(found.scalars())
            if profile_id not in ids:
                return Deletion.MISSING
            if len(ids) == 1:
                return Deletion.LAST
            this = tables.profiles.c.id == profile_id
            await connection.execute(select(tables.profiles.c.id).where(this).with_for_update())
            await lock_totals(connection, profile_id)
            # Foreign keys take along all that is the profile's, and its selection in sessions.
            await connection.execute(delete(tables.profiles).where(this))
            await tables.OUTBOX.add(connection, events)
        return Deletion.DONE


def subscription_row(subscription: Subscription) -> dict[str, Any]:
    """The columns of accounts that hold a subscription."""
    pending = subscription.pending_plan_id
    return {
        "subscription_status": subscription.status.value,
        "is_trial": subscription.is_trial,
        "period_starts_at": subscription.period_starts_at,
        "period_ends_at": subscription.period_ends_at,
        "pending_plan_id": None if pending is None else pending.value,
        "grace_ends_at": subscription.grace_ends_at,
        "next_attempt_at": subscription.next_attempt_at,
        "failed_attempts": subscription.failed_attempts,
        "billing_due_at": subscription.due_at,
    }


def terms_row(terms: Terms) -> dict[str, Any]:
    """The columns of accounts that hold the plan and its subscription."""
    return {"plan_id": terms.plan_id.value, **subscription_row(terms.subscription)}


def read_account(row: Mapping[Any, Any]) -> Account:
    """The account in a row of accounts."""
    return Account(
        id=AccountId(row["id"]),
        email=row["email"],
        country=row["country"],
        plan_id=PlanId(row["plan_id"]),
        subscription=_subscription(row),
        scopes=frozenset(row["scopes"]),
        created_at=row["created_at"],
    )


def _subscription(row: Mapping[Any, Any]) -> Subscription:
    pending = row["pending_plan_id"]
    return Subscription(
        status=SubscriptionStatus(row["subscription_status"]),
        period_ends_at=row["period_ends_at"],
        period_starts_at=row["period_starts_at"],
        is_trial=row["is_trial"],
        pending_plan_id=None if pending is None else PlanId(pending),
        grace_ends_at=row["grace_ends_at"],
        next_attempt_at=row["next_attempt_at"],
        failed_attempts=row["failed_attempts"],
    )


def _profile(row: Mapping[Any, Any]) -> Profile:
    return Profile(
        id=ProfileId(row["id"]),
        account_id=AccountId(row["account_id"]),
        name=row["name"],
        avatar=row["avatar"],
        is_kids=row["is_kids"],
        maturity_limit=row["maturity_limit"],
        language=row["language"],
        created_at=row["created_at"],
    )
