"""Subscribers on a relational store: one row for each profile that asked for digests at some time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import JSON, Boolean, Column, Index, Integer, MetaData, String, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.personal_data import Owner
from subgraphs.kernel.personal_tables import PersonalTable
from subgraphs.kernel.sql import UtcDateTime, reading, writing
from subgraphs.recommendations.domain.digests import REMEMBERED_TITLES, Subscriber

__all__ = ["PERSONAL_TABLES", "SqlSubscribers"]

metadata = MetaData()

subscribers = Table(
    "digest_subscribers",
    metadata,
    Column("profile_id", String(64), primary_key=True),
    Column("account_id", String(64), nullable=False),
    Column("country", String(2), nullable=False),
    Column("maturity", Integer, nullable=False),
    Column("is_wanted", Boolean, nullable=False),
    Column("told_at", UtcDateTime, nullable=False),
    Column("last_week", String(10), nullable=False),
    Column("mailed", JSON, nullable=False),
    Index("ix_digest_subscribers_due", "is_wanted", "last_week", "profile_id"),
)

PERSONAL_TABLES = (PersonalTable(subscribers.c.profile_id, Owner.PROFILE),)


class SqlSubscribers:
    """See the Subscribers port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert

    async def put(self, subscriber: Subscriber, week: str, at: datetime) -> None:
        """See Subscribers.put."""
        now = {
            "account_id": subscriber.account_id,
            "country": subscriber.country,
            "maturity": subscriber.maturity,
            "is_wanted": True,
            "told_at": at,
        }
        new = self._insert(subscribers).values(profile_id=subscriber.profile_id, last_week=week, mailed=[], **now)
        async with writing(self._engine) as connection:
            await connection.execute(
                new.on_conflict_do_update(
                    index_elements=["profile_id"], set_=now, where=subscribers.c.told_at <= new.excluded.told_at
                )
            )

    async def stop(self, profile_ids: Sequence[str], at: datetime) -> None:
        """See Subscribers.stop."""
        told = subscribers.c.profile_id.in_(profile_ids) & (subscribers.c.told_at <= at)
        async with writing(self._engine) as connection:
            await connection.execute(update(subscribers).where(told).values(is_wanted=False, told_at=at))

    async def forget(self, profile_ids: Sequence[str]) -> None:
        """See Subscribers.forget."""
        async with writing(self._engine) as connection:
            await connection.execute(delete(subscribers).where(subscribers.c.profile_id.in_(profile_ids)))

    async def due(self, week: str, after: str, limit: int) -> Sequence[Subscriber]:
        """See Subscribers.due; days in ISO 8601 are ordered as their texts are."""
        columns = subscribers.c
        is_due = columns.is_wanted.is_(True) & (columns.last_week < week) & (columns.profile_id > after)
        wanted = select(columns.profile_id, columns.account_id, columns.country, columns.maturity, columns.mailed)
        async with reading(self._engine) as connection:
            rows = await connection.execute(wanted.where(is_due).order_by(columns.profile_id).limit(limit))
            return [Subscriber(*row[:4], mailed=tuple(row.mailed)) for row in rows]

    async def composed(self, subscriber: Subscriber, week: str, title_ids: Sequence[str]) -> None:
        """See Subscribers.composed."""
        mailed = [*subscriber.mailed, *title_ids][-REMEMBERED_TITLES:]
        this = subscribers.c.profile_id == subscriber.profile_id
        async with writing(self._engine) as connection:
            await connection.execute(update(subscribers).where(this).values(last_week=week, mailed=mailed))
