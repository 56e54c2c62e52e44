"""ArtworkLog on a relational store: a row per profile, title, role, variant, policy and epoch.

Screens tell of the same card again and again; what this process wrote lately it does not write twice.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Boolean, Column, Integer, LargeBinary, MetaData, Row, String, Table, delete, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.personal_data import Owner
from subgraphs.kernel.personal_tables import PersonalTable
from subgraphs.kernel.sql import UtcDateTime, reading, writing
from subgraphs.recommendations.domain.artwork_choice import ArtworkContext, ArtworkDecision, ShownArtwork
from subgraphs.recommendations.domain.artwork_sizes import ArtworkRole

__all__ = ["PERSONAL_TABLES", "SqlArtworkLog"]

KNOWN_IN_MEMORY = 50_000
READ_AT_ONCE = 5_000

metadata = MetaData()

artwork_decisions = Table(
    "artwork_decisions",
    metadata,
    Column("profile_id", String(64), primary_key=True),
    Column("title_id", String(200), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("variant", String(32), primary_key=True),
    Column("policy_id", String(64), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("shown_at", UtcDateTime, nullable=False, index=True),
    Column("is_opened", Boolean, nullable=False),
    Column("details", LargeBinary, nullable=False),
)

PERSONAL_TABLES = (PersonalTable(artwork_decisions.c.profile_id, Owner.PROFILE),)


class _Details(msgspec.Struct):
    """What nobody looks for: the probabilities of all variants, and the context."""

    propensities: tuple[float, ...]
    genres: dict[str, float]


class SqlArtworkLog:
    """See the ArtworkLog port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
        self._known: OrderedDict[tuple[object, ...], bool] = OrderedDict()

    async def add(self, decision: ArtworkDecision) -> None:
        """Remember it; of one that is known, only that it was opened."""
        key = _key(decision)
        if self._known.get(key, False) or (key in self._known and not decision.is_opened):
            return
        shown = decision.shown
        details = _Details(shown.propensities, dict(shown.context.genres))
        statement = self._insert(artwork_decisions).values(
            **_key_columns(decision),
            shown_at=decision.shown_at,
            is_opened=decision.is_opened,
            details=msgspec.json.encode(details),
        )
        statement = statement.on_conflict_do_update(
            index_elements=list(artwork_decisions.primary_key.columns),
            set_={"is_opened": or_(artwork_decisions.c.is_opened, statement.excluded.is_opened)},
        )
        async with writing(self._engine) as connection:
            await connection.execute(statement)
        self._known[key] = decision.is_opened
        if len(self._known) > KNOWN_IN_MEMORY:
            self._known.popitem(last=False)

    async def decisions(self, since: datetime, limit: int) -> AsyncIterator[ArtworkDecision]:
        """Those shown since then, the latest first, at most `limit`."""
        shown_at, key = artwork_decisions.c.shown_at, tuple(artwork_decisions.primary_key.columns)
        latest = select(artwork_decisions).where(shown_at >= since).order_by(shown_at.desc(), *key)
        # From the last row on: an offset would read all before it again, and rows twice while others come in.
        rest = latest
        for start in range(0, limit, READ_AT_ONCE):
            async with reading(self._engine) as connection:
                count = min(READ_AT_ONCE, limit - start)
                rows = (await connection.execute(rest.limit(count))).all()
            for row in rows:
                yield _decision(row)
            if len(rows) < count:
                return
            last = rows[-1]
            is_below = tuple_(*key) > tuple_(*(getattr(last, column.name) for column in key))
            rest = latest.where(shown_at <= last.shown_at, or_(shown_at < last.shown_at, is_below))

    async def forget_before(self, before: datetime) -> int:
        """Delete what was shown before then; how many entries."""
        async with writing(self._engine) as connection:
            deleted = await connection.execute(delete(artwork_decisions).where(artwork_decisions.c.shown_at < before))
        self._known.clear()
        return deleted.rowcount

    async def forget(self, profile_id: str) -> None:
        """Everything of a profile."""
        async with writing(self._engine) as connection:
            await connection.execute(delete(artwork_decisions).where(artwork_decisions.c.profile_id == profile_id))
        self._known.clear()


def _key_columns(decision: ArtworkDecision) -> dict[str, Any]:
    """What makes two reports the same decision."""
    shown = decision.shown
    return {
        "profile_id": decision.profile_id,
        "title_id": decision.title_id,
        "role": shown.role.value,
        "variant": shown.variant,
        "policy_id": shown.policy_id,
        "epoch": shown.context.epoch,
    }


def _key(decision: ArtworkDecision) -> tuple[object, ...]:
    return tuple(_key_columns(decision).values())


def _decision(row: Row[Any]) -> ArtworkDecision:
    details = msgspec.json.decode(row.details, type=_Details)
    shown = ShownArtwork(
        ArtworkRole(row.role),
        row.variant,
        details.propensities,
        row.policy_id,
        ArtworkContext(row.epoch, details.genres),
    )
    return ArtworkDecision(row.profile_id, row.title_id, shown, row.shown_at, row.is_opened)
