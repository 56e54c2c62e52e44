"""The store of PINs on SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.ids import ProfileId
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy import tables_people
from subgraphs.profiles.adapters.sqlalchemy.tables import upsert
from subgraphs.profiles.domain.pins import PinLocked, PinRules, PinTry, count_try

__all__ = ["SqlPinStore"]

PINS = tables_people.profile_pins


class SqlPinStore:
    """See the PinStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def locked_profiles(self, ids: Sequence[ProfileId]) -> frozenset[ProfileId]:
        """See PinStore.locked_profiles."""
        async with reading(self._engine) as connection:
            found = await connection.execute(select(PINS.c.profile_id).where(PINS.c.profile_id.in_(ids)))
            return frozenset(ProfileId(profile_id) for profile_id in found.scalars())

    async def begin_try(self, profile_id: ProfileId, now: datetime, rules: PinRules) -> PinTry | PinLocked | None:
        """See PinStore.begin_try."""
        this = PINS.c.profile_id == profile_id
        async with writing(self._engine) as connection:
            row = (await connection.execute(select(PINS).where(this).with_for_update())).mappings().one_or_none()
            if row is None:
                return None
            before = [datetime.fromisoformat(text) for text in row["tries"]]
            outcome = count_try(row["pin_hash"], before, now, rules)
            if isinstance(outcome, PinTry):
                counted = [at.isoformat() for at in outcome.tries]
                await connection.execute(update(PINS).where(this).values(tries=counted))
            return outcome

    async def forget_tries(self, profile_id: ProfileId, pin_hash: str) -> None:
        """See PinStore.forget_tries."""
        same = (PINS.c.profile_id == profile_id) & (PINS.c.pin_hash == pin_hash)
        async with writing(self._engine) as connection:
            await connection.execute(update(PINS).where(same).values(tries=[]))

    async def set_pin(self, profile_id: ProfileId, pin_hash: str | None, now: datetime) -> None:
        """See PinStore.set_pin."""
        async with writing(self._engine) as connection:
            if pin_hash is None:
                await connection.execute(delete(PINS).where(PINS.c.profile_id == profile_id))
                return
            row = {"pin_hash": pin_hash, "tries": [], "set_at": now}
            statement = upsert(connection, PINS).values(profile_id=profile_id, **row)
            await connection.execute(statement.on_conflict_do_update(index_elements=["profile_id"], set_=row))
