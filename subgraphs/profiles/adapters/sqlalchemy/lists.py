"""My List and ratings on SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from common.events import Event
from subgraphs.kernel.ids import ProfileId, TitleId
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy import tables
from subgraphs.profiles.adapters.sqlalchemy.title_facts import read_facts
from subgraphs.profiles.domain.lists import ListEntry, Rating, TitleMarks

__all__ = ["SqlListStore"]

ENTRIES = tables.list_entries
RATINGS = tables.ratings
TITLES = tables.title_facts


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
        listed = select(ENTRIES.c.title_id, ENTRIES.c.added_at.label("at"), _NO_STARS).where(
            ENTRIES.c.profile_id == profile_id, ENTRIES.c.title_id.in_(ids)
        )
        rated = select(RATINGS.c.title_id, RATINGS.c.rated_at.label("at"), RATINGS.c.stars).where(
            RATINGS.c.profile_id == profile_id, RATINGS.c.title_id.in_(ids)
        )
        marks: dict[TitleId, TitleMarks] = {}
        async with reading(self._engine) as connection:
            # One statement for both, so that a page of titles costs one round trip.
            for title_id, at, stars in await connection.execute(listed.union_all(rated)):
                before = marks.get(title_id, TitleMarks(is_in_list=False, rating=None))
                marks[TitleId(title_id)] = (
                    TitleMarks(is_in_list=True, rating=before.rating)
                    if stars == 0
                    else TitleMarks(is_in_list=before.is_in_list, rating=Rating(stars, at))
                )
        return marks

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
            if rating is None:
                this = (RATINGS.c.profile_id == profile_id) & (RATINGS.c.title_id == title_id)
                await connection.execute(delete(RATINGS).where(this))
            else:
                statement = tables.upsert(connection, RATINGS).values(
                    profile_id=profile_id, title_id=title_id, stars=rating.stars, rated_at=rating.rated_at
                )
                await connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=["profile_id", "title_id"],
                        set_={"stars": statement.excluded.stars, "rated_at": statement.excluded.rated_at},
                    )
                )
            await tables.OUTBOX.add(connection, events)


_NO_STARS = literal(0).label("stars")
"""Marks the rows of My List among those of ratings, which have 1 to 5."""
