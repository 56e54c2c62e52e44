"""My List, ratings with their totals, and thumbs on SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, insert, literal, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from common.events import Event
from subgraphs.kernel.ids import ProfileId, TitleId
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy import tables, tables_people
from subgraphs.profiles.adapters.sqlalchemy.title_facts import read_facts
from subgraphs.profiles.domain.lists import NO_MARKS, ListEntry, Rating, RatingTotals, Thumb, TitleMarks

__all__ = ["SqlListStore", "lock_totals"]

ENTRIES = tables.list_entries
RATINGS = tables.ratings
TITLES = tables.title_facts
THUMBS = tables_people.thumbs
TOTALS = tables_people.rating_totals


class SqlListStore:
    """See the ListStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def entries_by_profile(self, ids: Sequence[ProfileId]) -> Mapping[ProfileId, tuple[ListEntry, ...]]:
        """See ListStore.entries_by_profile."""
        wanted = (
            select(ENTRIES.c.profile_id, ENTRIES.c.title_id.label("entry_title_id"), ENTRIES.c.added_at, TITLES)
            .join(TITLES, TITLES.c.title_id == ENTRIES.c.title_id, isouter=True)
            .where(ENTRIES.c.profile_id.in_(ids))
            .order_by(ENTRIES.c.added_at.desc(), ENTRIES.c.title_id.desc())
        )
        by_profile: dict[ProfileId, list[ListEntry]] = {}
        async with reading(self._engine) as connection:
            for row in (await connection.execute(wanted)).mappings():
                facts = None if row["title_id"] is None else read_facts(row)
                entry = ListEntry(TitleId(row["entry_title_id"]), row["added_at"], facts)
                by_profile.setdefault(ProfileId(row["profile_id"]), []).append(entry)
        return {profile_id: tuple(entries) for profile_id, entries in by_profile.items()}

    async def marks(self, profile_id: ProfileId, ids: Sequence[TitleId]) -> Mapping[TitleId, TitleMarks]:
        """See ListStore.marks."""
        # One statement for all three, so that a page of titles costs one round trip.
        statements = [
            select(table.c.title_id, at, stars, thumb).where(
                table.c.profile_id == profile_id, table.c.title_id.in_(ids)
            )
            for table, at, stars, thumb in (
                (ENTRIES, ENTRIES.c.added_at, literal(0), null()),
                (RATINGS, RATINGS.c.rated_at, RATINGS.c.stars, null()),
                (THUMBS, THUMBS.c.thumbed_at, literal(0), THUMBS.c.thumb),
            )
        ]
        marks: dict[TitleId, TitleMarks] = {}
        async with reading(self._engine) as connection:
            for title_id, at, stars, thumb in await connection.execute(union_all(*statements)):
                before = marks.get(title_id, NO_MARKS)
                if thumb is not None:
                    marks[title_id] = replace(before, thumb=Thumb(thumb))
                elif stars:
                    marks[title_id] = replace(before, rating=Rating(stars, at))
                else:
                    marks[title_id] = replace(before, is_in_list=True)
        return marks

    async def totals_by_title(self, ids: Sequence[TitleId]) -> Mapping[TitleId, RatingTotals]:
        """See ListStore.totals_by_title."""
        wanted = select(TOTALS).where(TOTALS.c.title_id.in_(ids), TOTALS.c.rating_count > 0)
        async with reading(self._engine) as connection:
            rows = await connection.execute(wanted)
            return {TitleId(title_id): RatingTotals(count, stars) for title_id, count, stars in rows}

    async def add_entry(
        self, profile_id: ProfileId, title_id: TitleId, at: datetime, *, max_entries: int, events: Sequence[Event]
    ) -> bool:
        """See ListStore.add_entry."""
        async with writing(self._engine) as connection:
            profile = tables.profiles.c.id == profile_id
            await connection.execute(select(tables.profiles.c.id).where(profile).with_for_update())
            own = ENTRIES.c.profile_id == profile_id
            if (
                await connection.execute(select(ENTRIES.c.title_id).where(own, ENTRIES.c.title_id == title_id))
            ).first():
                return True
            count = (await connection.execute(select(func.count()).select_from(ENTRIES).where(own))).scalar_one()
            if count >= max_entries:
                return False
            await connection.execute(insert(ENTRIES).values(profile_id=profile_id, title_id=title_id, added_at=at))
            await tables.OUTBOX.add(connection, events)
        return True

    async def remove_entry(self, profile_id: ProfileId, title_id: TitleId, events: Sequence[Event]) -> None:
        """See ListStore.remove_entry."""
        this = (ENTRIES.c.profile_id == profile_id) & (ENTRIES.c.title_id == title_id)
        async with writing(self._engine) as connection:
            if (await connection.execute(delete(ENTRIES).where(this))).rowcount:
                await tables.OUTBOX.add(connection, events)

    async def set_rating(
        self, profile_id: ProfileId, title_id: TitleId, rating: Rating | None, events: Sequence[Event]
    ) -> None:
        """See ListStore.set_rating."""
        async with writing(self._engine) as connection:
            # Triggers of the table keep the totals: whatever changes or deletes a rating, the sums follow.
            if rating is None:
                this = (RATINGS.c.profile_id == profile_id) & (RATINGS.c.title_id == title_id)
                await connection.execute(delete(RATINGS).where(this))
            else:
                row = {"stars": rating.stars, "rated_at": rating.rated_at}
                await self._put(connection, RATINGS, profile_id, title_id, row)
            await tables.OUTBOX.add(connection, events)

    async def set_thumb(
        self, profile_id: ProfileId, title_id: TitleId, thumb: Thumb | None, at: datetime, events: Sequence[Event]
    ) -> None:
        """See ListStore.set_thumb."""
        async with writing(self._engine) as connection:
            if thumb is None:
                this = (THUMBS.c.profile_id == profile_id) & (THUMBS.c.title_id == title_id)
                await connection.execute(delete(THUMBS).where(this))
            else:
                row = {"thumb": thumb.value, "thumbed_at": at}
                await self._put(connection, THUMBS, profile_id, title_id, row)
            await tables.OUTBOX.add(connection, events)

    async def rebuild_totals(self) -> int:
        """See ListStore.rebuild_totals."""
        counted = select(RATINGS.c.title_id, func.count(), func.sum(RATINGS.c.stars)).group_by(RATINGS.c.title_id)
        async with writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                # Ratings wait meanwhile: one that came between counting and writing would be lost from its total.
                await connection.exec_driver_sql("LOCK TABLE ratings, rating_totals IN SHARE ROW EXCLUSIVE MODE")
            await connection.execute(delete(TOTALS))
            return (await connection.execute(insert(TOTALS).from_select(list(TOTALS.c), counted))).rowcount

    async def _put(
        self, connection: AsyncConnection, table: Table, profile_id: ProfileId, title_id: TitleId, row: dict[str, Any]
    ) -> None:
        statement = tables.upsert(connection, table).values(profile_id=profile_id, title_id=title_id, **row)
        await connection.execute(statement.on_conflict_do_update(index_elements=["profile_id", "title_id"], set_=row))


async def lock_totals(connection: AsyncConnection, profile_id: ProfileId) -> None:
    """Before a profile is deleted: its ratings leave the totals one by one, and so nobody waits crosswise for them."""
    rated = select(RATINGS.c.title_id).where(RATINGS.c.profile_id == profile_id)
    totals = select(TOTALS.c.title_id).where(TOTALS.c.title_id.in_(rated)).order_by(TOTALS.c.title_id)
    await connection.execute(totals.with_for_update())
