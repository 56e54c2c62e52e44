"""The stores of notifications and of one-time tokens on SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.ids import AccountId
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy import tables_people
from subgraphs.profiles.adapters.sqlalchemy.tables import upsert
from subgraphs.profiles.domain.notifications import (
    KIND_TABLE,
    NEEDED_CONSENT,
    Delivery,
    Notification,
    NotificationKind,
)
from subgraphs.profiles.domain.one_time_tokens import OneTimeToken, TokenPurpose
from subgraphs.profiles.ports import ResetRequest

__all__ = ["SqlNotificationStore", "SqlOneTimeTokenStore"]

NOTIFICATIONS = tables_people.notifications
TOKENS = tables_people.one_time_tokens
REQUESTS = tables_people.reset_requests

_IN_INBOX = tuple(kind.value for kind, row in KIND_TABLE.items() if row.in_inbox)

_FOR_MANY = tuple(kind.value for kind, row in KIND_TABLE.items() if row.category in NEEDED_CONSENT)
"""Kinds that thousands get in one hour: nobody waits for one, as somebody does who forgot a password."""

_FOR_ONE = tuple(kind.value for kind in KIND_TABLE if kind.value not in _FOR_MANY)

PRUNED_AT_ONCE = 100


class SqlNotificationStore:
    """See the NotificationStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, notification: Notification) -> bool:
        """See NotificationStore.add."""
        row = {
            "id": notification.id,
            "account_id": notification.account_id,
            "kind": notification.kind.value,
            "key": notification.key,
            "recipient": notification.recipient,
            "language": notification.language,
            "details": dict(notification.details),
            "created_at": notification.created_at,
            "read_at": notification.read_at,
            "delivery": notification.delivery.value,
            "attempts": notification.attempts,
            "next_attempt_at": notification.created_at,
        }
        async with writing(self._engine) as connection:
            statement = upsert(connection, NOTIFICATIONS).values(row).on_conflict_do_nothing()
            return (await connection.execute(statement)).rowcount > 0

    async def claim_due(self, now: datetime, lease: timedelta, limit: int) -> tuple[Notification, ...]:
        """See NotificationStore.claim_due."""
        due = (NOTIFICATIONS.c.delivery == Delivery.WAITING.value) & (NOTIFICATIONS.c.next_attempt_at <= now)
        # All kinds by name, as the index wants it.
        any_due = select(NOTIFICATIONS.c.id).where(due, NOTIFICATIONS.c.kind.in_(_FOR_ONE + _FOR_MANY)).limit(1)
        order = (NOTIFICATIONS.c.next_attempt_at, NOTIFICATIONS.c.id)
        oldest = select(NOTIFICATIONS).where(due).order_by(*order).with_for_update(skip_locked=True)
        async with reading(self._engine) as connection:
            # Nearly always there is nothing: no reason to stand in the writers' queue, nor to order what waits.
            if (await connection.execute(any_due)).first() is None:
                return ()
        async with writing(self._engine) as connection:
            for_one = oldest.where(NOTIFICATIONS.c.kind.in_(_FOR_ONE)).limit(limit)
            rows = list((await connection.execute(for_one)).mappings())
            rest: list[RowMapping] = []
            if len(rows) < limit:
                # Kind by kind, each of which the index has in its order: thousands wait, and would be sorted each time.
                for kind in _FOR_MANY:
                    of_kind = oldest.where(NOTIFICATIONS.c.kind == kind).limit(limit - len(rows))
                    rest += (await connection.execute(of_kind)).mappings()
            rest.sort(key=itemgetter("next_attempt_at", "id"))
            rows += rest[: limit - len(rows)]
            claimed = NOTIFICATIONS.c.id.in_([row["id"] for row in rows])
            await connection.execute(
                update(NOTIFICATIONS)
                .where(claimed)
                .values(attempts=NOTIFICATIONS.c.attempts + 1, next_attempt_at=now + lease)
            )
        return tuple(_notification({**row, "attempts": row["attempts"] + 1}) for row in rows)

    async def settle(self, id_: str, delivery: Delivery, next_attempt_at: datetime | None = None) -> None:
        """See NotificationStore.settle."""
        values: dict[str, Any] = {"delivery": delivery.value}
        if next_attempt_at is not None:
            values["next_attempt_at"] = next_attempt_at
        async with writing(self._engine) as connection:
            await connection.execute(update(NOTIFICATIONS).where(NOTIFICATIONS.c.id == id_).values(values))

    async def delivery_of(self, account_id: AccountId, key: str) -> Delivery | None:
        """See NotificationStore.delivery_of."""
        this = (NOTIFICATIONS.c.account_id == account_id) & (NOTIFICATIONS.c.key == key)
        async with reading(self._engine) as connection:
            found = (await connection.execute(select(NOTIFICATIONS.c.delivery).where(this))).scalar_one_or_none()
        return None if found is None else Delivery(found)

    async def inbox(
        self, account_id: AccountId, first: int, after: tuple[datetime, str] | None
    ) -> tuple[Notification, ...]:
        """See NotificationStore.inbox."""
        wanted = select(NOTIFICATIONS).where(
            NOTIFICATIONS.c.account_id == account_id, NOTIFICATIONS.c.kind.in_(_IN_INBOX)
        )
        if after is not None:
            created_at, id_ = after
            at = (NOTIFICATIONS.c.created_at < created_at) | (
                (NOTIFICATIONS.c.created_at == created_at) & (NOTIFICATIONS.c.id < id_)
            )
            wanted = wanted.where(at)
        newest = wanted.order_by(NOTIFICATIONS.c.created_at.desc(), NOTIFICATIONS.c.id.desc()).limit(first)
        async with reading(self._engine) as connection:
            return tuple(_notification(row) for row in (await connection.execute(newest)).mappings())

    async def unread_count(self, account_id: AccountId) -> int:
        """See NotificationStore.unread_count."""
        wanted = (
            select(func.count())
            .select_from(NOTIFICATIONS)
            .where(
                NOTIFICATIONS.c.account_id == account_id,
                NOTIFICATIONS.c.kind.in_(_IN_INBOX),
                NOTIFICATIONS.c.read_at.is_(None),
            )
        )
        async with reading(self._engine) as connection:
            return (await connection.execute(wanted)).scalar_one()

    async def mark_read(self, account_id: AccountId, ids: Sequence[str] | None, now: datetime) -> int:
        """See NotificationStore.mark_read."""
        own = (NOTIFICATIONS.c.account_id == account_id) & NOTIFICATIONS.c.read_at.is_(None)
        if ids is not None:
            own &= NOTIFICATIONS.c.id.in_(ids)
        async with writing(self._engine) as connection:
            return (await connection.execute(update(NOTIFICATIONS).where(own).values(read_at=now))).rowcount

    async def prune(self, account_id: AccountId, keep: int) -> None:
        """See NotificationStore.prune."""
        newest_first = (
            select(NOTIFICATIONS.c.id)
            .where(NOTIFICATIONS.c.account_id == account_id, NOTIFICATIONS.c.delivery != Delivery.WAITING.value)
            .order_by(NOTIFICATIONS.c.created_at.desc(), NOTIFICATIONS.c.id.desc())
        )
        async with writing(self._engine) as connection:
            surplus = (await connection.execute(newest_first.offset(keep).limit(PRUNED_AT_ONCE))).scalars().all()
            if surplus:
                await connection.execute(delete(NOTIFICATIONS).where(NOTIFICATIONS.c.id.in_(surplus)))


class SqlOneTimeTokenStore:
    """See the OneTimeTokenStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def ask_reset(self, email: str, now: datetime, *, max_waiting: int) -> bool:
        """See OneTimeTokenStore.ask_reset."""
        async with writing(self._engine) as connection:
            waiting = (await connection.execute(select(func.count()).select_from(REQUESTS))).scalar_one()
            if waiting >= max_waiting:
                return False
            await connection.execute(insert(REQUESTS).values(email=email, requested_at=now))
        return True

    async def waiting_resets(self, limit: int) -> tuple[ResetRequest, ...]:
        """See OneTimeTokenStore.waiting_resets."""
        async with reading(self._engine) as connection:
            rows = await connection.execute(select(REQUESTS).order_by(REQUESTS.c.sequence).limit(limit))
            return tuple(ResetRequest(**row) for row in rows.mappings())

    async def finish_reset_request(self, sequence: int) -> None:
        """See OneTimeTokenStore.finish_reset_request."""
        async with writing(self._engine) as connection:
            await connection.execute(delete(REQUESTS).where(REQUESTS.c.sequence == sequence))

    async def put(self, token: OneTimeToken, now: datetime) -> None:
        """See OneTimeTokenStore.put."""
        replaced = (TOKENS.c.account_id == token.account_id) & (TOKENS.c.purpose == token.purpose.value)
        async with writing(self._engine) as connection:
            await connection.execute(delete(TOKENS).where(replaced | (TOKENS.c.expires_at <= now)))
            await connection.execute(
                insert(TOKENS).values(
                    hash=token.hash,
                    account_id=token.account_id,
                    purpose=token.purpose.value,
                    email=token.email,
                    expires_at=token.expires_at,
                )
            )

    async def take(self, token_hash: str, purpose: TokenPurpose, now: datetime) -> OneTimeToken | None:
        """See OneTimeTokenStore.take."""
        this = (TOKENS.c.hash == token_hash) & (TOKENS.c.purpose == purpose.value) & (TOKENS.c.expires_at > now)
        async with writing(self._engine) as connection:
            taken = await connection.execute(delete(TOKENS).where(this).returning(*TOKENS.c))
            row = taken.mappings().one_or_none()
        return None if row is None else OneTimeToken(**{**row, "purpose": TokenPurpose(row["purpose"])})


def _notification(row: Mapping[Any, Any]) -> Notification:
    return Notification(
        id=row["id"],
        account_id=AccountId(row["account_id"]),
        kind=NotificationKind(row["kind"]),
        key=row["key"],
        recipient=row["recipient"],
        language=row["language"],
        details=row["details"],
        created_at=row["created_at"],
        read_at=row["read_at"],
        delivery=Delivery(row["delivery"]),
        attempts=row["attempts"],
    )
