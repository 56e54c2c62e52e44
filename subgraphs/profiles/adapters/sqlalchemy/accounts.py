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
from subgraphs.profiles.adapters.sqlalchemy import tables
from subgraphs.profiles.domain.accounts import (
    Account,
    Credentials,
    Plan,
    PlanId,
    Profile,
    Subscription,
    SubscriptionStatus,
)
from subgraphs.profiles.ports import Deletion

__all__ = ["SqlAccountStore"]


class SqlAccountStore:
    """See the AccountStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def plans(self) -> tuple[Plan, ...]:
        """See AccountStore.plans."""
        async with reading(self._engine) as connection:
            rows = await connection.execute(select(tables.plans).order_by(tables.plans.c.price_cents))
            return tuple(Plan(**{**row, "id": PlanId(row["id"])}) for row in rows.mappings())

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
                        plan_id=account.plan_id.value,
                        subscription_status=account.subscription.status.value,
                        period_ends_at=account.subscription.period_ends_at,
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
        return None if row is None else Credentials(_account(row), row["password_hash"])

    async def accounts_by_id(self, ids: Sequence[AccountId]) -> Mapping[AccountId, Account]:
        """See AccountStore.accounts_by_id."""
        async with reading(self._engine) as connection:
            rows = await connection.execute(select(tables.accounts).where(tables.accounts.c.id.in_(ids)))
            return {AccountId(row["id"]): _account(row) for row in rows.mappings()}

    async def account_of_session(self, session_id: SessionId) -> Account | None:
        """See AccountStore.account_of_session."""
        live = (tables.sessions.c.id == session_id) & tables.sessions.c.revoked_at.is_(None)
        wanted = select(tables.accounts).join(tables.sessions, tables.sessions.c.account_id == tables.accounts.c.id)
        async with reading(self._engine) as connection:
            row = (await connection.execute(wanted.where(live))).mappings().one_or_none()
        return None if row is None else _account(row)

    async def replace_password_hash(self, account_id: AccountId, before: str, after: str) -> None:
        """See AccountStore.replace_password_hash."""
        same = (tables.accounts.c.id == account_id) & (tables.accounts.c.password_hash == before)
        async with writing(self._engine) as connection:
            await connection.execute(update(tables.accounts).where(same).values(password_hash=after))

    async def set_subscription(self, account_id: AccountId, subscription: Subscription) -> None:
        """See AccountStore.set_subscription."""
        async with writing(self._engine) as connection:
            await connection.execute(
                update(tables.accounts)
                .where(tables.accounts.c.id == account_id)
                .values(subscription_status=subscription.status.value, period_ends_at=subscription.period_ends_at)
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

    async def update_profile(self, profile: Profile, events: Sequence[Event]) -> bool:
        """See AccountStore.update_profile."""
        async with writing(self._engine) as connection:
            outcome = await connection.execute(
                update(tables.profiles)
                .where(tables.profiles.c.id == profile.id)
                .values(
                    name=profile.name,
                    avatar=profile.avatar,
                    maturity_limit=profile.maturity_limit,
                    language=profile.language,
                )
            )
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
            # Foreign keys take its list, its ratings and its selection in sessions along.
            await connection.execute(delete(tables.profiles).where(tables.profiles.c.id == profile_id))
            await tables.OUTBOX.add(connection, events)
        return Deletion.DONE


def _account(row: Mapping[Any, Any]) -> Account:
    return Account(
        id=AccountId(row["id"]),
        email=row["email"],
        country=row["country"],
        plan_id=PlanId(row["plan_id"]),
        subscription=Subscription(SubscriptionStatus(row["subscription_status"]), row["period_ends_at"]),
        scopes=frozenset(row["scopes"]),
        created_at=row["created_at"],
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
