"""The title store's port on SQLAlchemy: SQLite embedded, PostgreSQL by URL.

One writer at a time, any number of readers. A write is one transaction: the titles, their child rows, the change log
and the audit entry are there together or not at all. That writers stand in line is also what makes the change log safe
to follow: no sequence number becomes readable after a higher one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import RowMapping, Select, Table, and_, delete, func, insert, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.migrations import upgrade
from subgraphs.kernel.pagination import PageRequest
from subgraphs.kernel.personal_tables import SqlPersonalData
from subgraphs.kernel.sql import check_store, open_engine, reading, writing
from subgraphs.titles.adapters.sql import tables as t
from subgraphs.titles.adapters.sql.browse_query import (
    MAX_LISTS_PER_QUERY,
    browse_statement,
    facets_statement,
    ids_in_order,
    is_visible,
    read_facets,
)
from subgraphs.titles.adapters.sql.personal_data import personal_data_of
from subgraphs.titles.adapters.sql.rows import Row, audit_row, child_rows, read_audit, read_title, title_row
from subgraphs.titles.domain.browsing import WHOLE_KINDS, BrowseRequest, CatalogueScope, Facets, TitleFilter
from subgraphs.titles.domain.title import (
    EpisodeSlot,
    Genre,
    GenreId,
    Person,
    PersonId,
    Season,
    SeasonId,
    Title,
    VideoKind,
    VideoSlot,
)
from subgraphs.titles.ports import (
    NO_PERSON_EDITS,
    NO_REVISIONS,
    AuditEntry,
    CatalogueState,
    Change,
    ChangeFollowerName,
    StaleWrite,
)

__all__ = ["MIGRATIONS", "SqlTitleStore"]

KeyT = TypeVar("KeyT")

MAX_KEYS_PER_QUERY = 500
"""Bound variables of one statement stay below SQLite's oldest limit of 999."""
MIGRATIONS = Path(__file__).parent / "migrations"
_WRITERS_LOCK = 0x5449544C
"""PostgreSQL's lock that writers of all processes stand in line at; any number that nobody else uses."""

_IS_THERE = (t.titles.c.is_withdrawn.is_(False), t.titles.c.is_delisted.is_(False))

_CHILDREN: Mapping[str, Select[Any]] = {
    "title_genres": select(t.title_genres.c.title_id, t.title_genres.c.genre_id, t.genres.c.display_name)
    .join(t.genres)
    .order_by(t.title_genres.c.position),
    "credits": select(
        t.credits_.c.title_id,
        t.credits_.c.person_id,
        t.credits_.c.role,
        t.credits_.c.character,
        t.people.c.display_name,
    )
    .join(t.people)
    .order_by(t.credits_.c.position),
    "windows": select(t.windows).order_by(t.windows.c.position),
    "blocks": select(t.blocks),
    "certificates": select(t.certificates).order_by(t.certificates.c.country),
}
_CHILD_TABLES: Mapping[str, Table] = {
    "title_genres": t.title_genres,
    "credits": t.credits_,
    "windows": t.windows,
    "blocks": t.blocks,
    "certificates": t.certificates,
}


class SqlTitleStore:
    """Open with `SqlTitleStore.open(url)`; close with `aclose`. Every method raises ServiceError(UNAVAILABLE)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # SQLite lets one connection write; waiting here is fair and cheap, waiting in SQLite is neither.
        self._writing = asyncio.Lock()

    @classmethod
    async def open(cls, url: str) -> Self:
        """The store at `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`, brought to its newest form.

        Raises ValueError for another URL, ServiceError(UNAVAILABLE), and Alembic's CommandError for a store that a
        newer program has migrated.
        """
        engine = open_engine(url)
        try:
            await upgrade(engine, MIGRATIONS)
        except BaseException:
            await engine.dispose()
            raise
        return cls(engine)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    async def ping(self) -> None:
        """Return when the database answers."""
        await check_store(self._engine)

    @property
    def personal_data(self) -> SqlPersonalData:
        """See TitleStore."""
        return personal_data_of(self._engine)

    async def titles(self, ids: Sequence[TitleId]) -> dict[TitleId, Title]:
        """Whole titles, withdrawn ones included."""
        found: dict[TitleId, Title] = {}
        async with reading(self._engine) as connection:
            for some in _chunks(ids):
                rows = (await connection.execute(select(t.titles).where(t.titles.c.id.in_(some)))).mappings().all()
                for title in await _with_children(connection, rows):
                    found[title.id] = title
        return found

    async def digests(self, ids: Sequence[TitleId]) -> dict[TitleId, str]:
        """`fingerprint` of what is stored."""
        found: dict[TitleId, str] = {}
        async with reading(self._engine) as connection:
            for some in _chunks(ids):
                rows = await connection.execute(select(t.titles.c.id, t.titles.c.digest).where(t.titles.c.id.in_(some)))
                found.update((TitleId(row.id), row.digest) for row in rows)
        return found

    async def titles_matching(self, match_keys: Sequence[str], *, except_source: str) -> dict[str, TitleId]:
        """Titles of other sources by `match_key`."""
        found: dict[str, TitleId] = {}
        async with reading(self._engine) as connection:
            for some in _chunks(match_keys):
                rows = await connection.execute(
                    select(t.titles.c.match_key, t.titles.c.id)
                    .where(t.titles.c.match_key.in_(some), t.titles.c.source != except_source)
                    .order_by(t.titles.c.id)
                )
                found.update((row.match_key, TitleId(row.id)) for row in rows)
        return found

    async def save(
        self,
        titles: Sequence[Title],
        seasons: Sequence[Season] = (),
        *,
        person_edits: Mapping[PersonId, Person] = NO_PERSON_EDITS,
        audit: AuditEntry | None = None,
        seen: Mapping[TitleId, int] = NO_REVISIONS,
    ) -> None:
        """Create or replace, all or nothing."""
        async with self._write() as connection:
            await _require_revisions(connection, seen)
            await _upsert(connection, t.titles, [title_row(title) for title in titles])
            ids = [title.id for title in titles]
            for table in _CHILD_TABLES.values():
                for some in _chunks(ids):
                    await connection.execute(delete(table).where(table.c.title_id.in_(some)))
            children = child_rows(titles)
            await _upsert(connection, t.genres, list(children.genres.values()))
            await _upsert(connection, t.people, list(children.people.values()))
            for name, rows in (
                ("title_genres", children.title_genres),
                ("credits", children.credits),
                ("windows", children.windows),
                ("blocks", children.blocks),
                ("certificates", children.certificates),
            ):
                if rows:
                    await connection.execute(insert(_CHILD_TABLES[name]), rows)
            await _upsert(
                connection,
                t.seasons,
                [
                    {"id": s.id, "series_id": s.series_id, "number": s.number, "display_name": s.display_name}
                    for s in seasons
                ],
            )
            await _upsert(
                connection,
                t.person_edits,
                [
                    {"source_id": source_id, "person_id": person.id, "display_name": person.display_name}
                    for source_id, person in person_edits.items()
                ],
            )
            if ids:
                await connection.execute(insert(t.changes), [{"title_id": title_id} for title_id in ids])
            if audit is not None:
                await connection.execute(insert(t.audit), audit_row(audit))

    async def browse(self, scope: CatalogueScope, requests: Sequence[BrowseRequest]) -> list[list[TitleId]]:
        """For each request up to `page.first + 1` visible ids after its cursor."""
        found: list[list[TitleId]] = []
        async with reading(self._engine) as connection:
            for start in range(0, len(requests), MAX_LISTS_PER_QUERY):
                some = requests[start : start + MAX_LISTS_PER_QUERY]
                rows = await connection.execute(browse_statement(scope, some))
                found += ids_in_order(some, rows)
        return found

    async def genres(self, scope: CatalogueScope) -> list[Genre]:
        """Genres with at least one visible film or series, by name."""
        visible = (
            select(t.title_genres.c.title_id)
            .join(t.titles, t.titles.c.id == t.title_genres.c.title_id)
            .where(t.title_genres.c.genre_id == t.genres.c.id, t.titles.c.kind.in_(WHOLE_KINDS), *is_visible(scope))
            .exists()
        )
        async with reading(self._engine) as connection:
            rows = await connection.execute(select(t.genres).where(visible).order_by(t.genres.c.display_name))
            return [Genre(GenreId(row.id), row.display_name) for row in rows]

    async def genres_by_id(self, ids: Sequence[GenreId]) -> dict[GenreId, Genre]:
        """Genres, whether or not anything in them is visible."""
        found: dict[GenreId, Genre] = {}
        async with reading(self._engine) as connection:
            for some in _chunks(ids):
                rows = await connection.execute(select(t.genres).where(t.genres.c.id.in_(some)))
                found.update((GenreId(row.id), Genre(GenreId(row.id), row.display_name)) for row in rows)
        return found

    async def seasons_of(self, series_ids: Sequence[TitleId]) -> dict[TitleId, tuple[Season, ...]]:
        """Seasons in order of number."""
        found: dict[TitleId, list[Season]] = defaultdict(list)
        for season in await self._seasons(t.seasons.c.series_id, series_ids):
            found[season.series_id].append(season)
        return {series_id: tuple(sorted(found[series_id], key=lambda season: season.number)) for series_id in found}

    async def seasons_by_id(self, ids: Sequence[SeasonId]) -> dict[SeasonId, Season]:
        """Seasons."""
        return {season.id: season for season in await self._seasons(t.seasons.c.id, ids)}

    async def episodes_of(self, series_ids: Sequence[TitleId]) -> dict[TitleId, tuple[EpisodeSlot, ...]]:
        """Episodes in order of season and number, withdrawn ones left out."""
        found: dict[TitleId, list[EpisodeSlot]] = defaultdict(list)
        columns = t.titles.c
        async with reading(self._engine) as connection:
            for some in _chunks(series_ids):
                rows = await connection.execute(
                    select(
                        columns.id, columns.series_id, columns.season_id, columns.season_number, columns.episode_number
                    )
                    .where(columns.series_id.in_(some), *_IS_THERE)
                    .order_by(columns.season_number, columns.episode_number, columns.id)
                )
                for row in rows:
                    found[TitleId(row.series_id)].append(
                        EpisodeSlot(TitleId(row.id), SeasonId(row.season_id), row.season_number, row.episode_number)
                    )
        return {series_id: tuple(slots) for series_id, slots in found.items()}

    async def ids_after(self, after: str, limit: int) -> list[TitleId]:
        """Every id in order, to walk the whole catalogue by."""
        async with reading(self._engine) as connection:
            rows = await connection.execute(
                select(t.titles.c.id).where(t.titles.c.id > after).order_by(t.titles.c.id).limit(limit)
            )
            return [TitleId(row.id) for row in rows]

    async def timed_titles(self) -> list[Title]:
        """Titles with a window that opens or closes at some instant."""
        async with reading(self._engine) as connection:
            rows = await connection.execute(
                select(t.windows.c.title_id)
                .where(or_(t.windows.c.opens_at.is_not(None), t.windows.c.closes_at.is_not(None)))
                .distinct()
            )
            ids = [TitleId(row.title_id) for row in rows]
        return list((await self.titles(ids)).values())

    async def state(self) -> CatalogueState:
        """Of the titles that are neither withdrawn nor delisted."""
        statement = select(func.count(), func.coalesce(func.sum(t.titles.c.revision), 0)).where(*_IS_THERE)
        async with reading(self._engine) as connection:
            title_count, revision_sum = (await connection.execute(statement)).one()
            return CatalogueState(title_count, int(revision_sum))

    async def changes_for(self, follower: ChangeFollowerName, limit: int) -> list[Change]:
        """The next changes that this follower has not confirmed, in order."""
        confirmed = select(t.followers.c.confirmed).where(t.followers.c.name == follower).scalar_subquery()
        async with reading(self._engine) as connection:
            rows = await connection.execute(
                select(t.changes).where(t.changes.c.sequence > confirmed).order_by(t.changes.c.sequence).limit(limit)
            )
            return [Change(row.sequence, TitleId(row.title_id)) for row in rows]

    async def confirm_changes(self, follower: ChangeFollowerName, up_to: int) -> None:
        """Remember the position; what all followers have confirmed is dropped."""
        async with self._write() as connection:
            await connection.execute(t.followers.update().where(t.followers.c.name == follower).values(confirmed=up_to))
            slowest = select(func.min(t.followers.c.confirmed)).scalar_subquery()
            await connection.execute(delete(t.changes).where(t.changes.c.sequence <= slowest))

    async def follow(self, follower: ChangeFollowerName) -> None:
        """A follower that begins at the log's end as it is now."""
        newest = select(func.max(t.changes.c.sequence)).scalar_subquery()
        # An empty log was confirmed to its end by every follower.
        confirmed = select(func.max(t.followers.c.confirmed)).scalar_subquery()
        async with self._write() as connection:
            end = (await connection.execute(select(func.coalesce(newest, confirmed, 0)))).scalar_one()
            await _upsert(connection, t.followers, [{"name": follower, "confirmed": end}])

    async def followers(self) -> frozenset[ChangeFollowerName]:
        """Those that the log is kept for."""
        async with reading(self._engine) as connection:
            return frozenset((await connection.execute(select(t.followers.c.name))).scalars())

    async def unfollow(self, follower: ChangeFollowerName) -> None:
        """The log is no longer kept for this follower."""
        async with self._write() as connection:
            await connection.execute(delete(t.followers).where(t.followers.c.name == follower))

    async def announce_all(self) -> int:
        """Append every title to the change log, series before their episodes."""
        async with self._write() as connection:
            everything = select(t.titles.c.id).order_by(t.titles.c.kind.desc(), t.titles.c.id)
            result = await connection.execute(insert(t.changes).from_select(["title_id"], everything))
            return result.rowcount

    async def audit_entries(self, subject_id: str | None, page: PageRequest) -> list[AuditEntry]:
        """What was done by hand, newest first."""
        columns = t.audit.c
        statement = select(t.audit).order_by(columns.at.desc(), columns.id.desc()).limit(page.first + 1)
        if subject_id is not None:
            statement = statement.where(columns.subject_id == subject_id)
        if page.after is not None:
            at, last_id = page.after
            statement = statement.where(or_(columns.at < at, and_(columns.at == at, columns.id < last_id)))
        async with reading(self._engine) as connection:
            return [read_audit(row) for row in (await connection.execute(statement)).mappings()]

    async def person_edits(self) -> dict[PersonId, Person]:
        """Who was renamed or merged by hand."""
        async with reading(self._engine) as connection:
            rows = await connection.execute(select(t.person_edits))
            return {PersonId(row.source_id): Person(PersonId(row.person_id), row.display_name) for row in rows}

    async def people(self, scope: CatalogueScope, ids: Sequence[PersonId]) -> dict[PersonId, Person]:
        """People with at least one visible title."""
        visible = (
            select(t.credits_.c.title_id)
            .join(t.titles, t.titles.c.id == t.credits_.c.title_id)
            .where(t.credits_.c.person_id == t.people.c.id, *is_visible(scope))
            .exists()
        )
        found: dict[PersonId, Person] = {}
        async with reading(self._engine) as connection:
            for some in _chunks(ids):
                rows = await connection.execute(select(t.people).where(t.people.c.id.in_(some), visible))
                found.update((PersonId(row.id), Person(PersonId(row.id), row.display_name)) for row in rows)
        return found

    async def titles_of_person(self, person_id: PersonId, limit: int) -> list[TitleId]:
        """Titles that credit a person."""
        column = t.credits_.c.title_id
        statement = select(column).where(t.credits_.c.person_id == person_id).distinct().order_by(column).limit(limit)
        async with reading(self._engine) as connection:
            return [TitleId(row.title_id) for row in await connection.execute(statement)]

    async def videos_of(self, title_ids: Sequence[TitleId]) -> dict[TitleId, tuple[VideoSlot, ...]]:
        """Videos of films and series, newest first."""
        found: dict[TitleId, list[VideoSlot]] = defaultdict(list)
        columns = t.titles.c
        async with reading(self._engine) as connection:
            for some in _chunks(title_ids):
                rows = await connection.execute(
                    select(columns.id, columns.video_of, columns.video_kind, columns.season_id)
                    .where(columns.video_of.in_(some), *_IS_THERE)
                    .order_by(columns.added_at.desc(), columns.id)
                )
                for row in rows:
                    season_id = None if row.season_id is None else SeasonId(row.season_id)
                    found[row.video_of].append(VideoSlot(TitleId(row.id), VideoKind(row.video_kind), season_id))
        return {title_id: tuple(slots) for title_id, slots in found.items()}

    async def facets(self, scope: CatalogueScope, chosen: TitleFilter) -> Facets:
        """Counts of a list."""
        async with reading(self._engine) as connection:
            return read_facets(await connection.execute(facets_statement(scope, chosen)))

    async def ids_of_source(self, source: str, after: str, limit: int) -> list[TitleId]:
        """Ids of a source's titles that are not delisted."""
        columns = t.titles.c
        async with reading(self._engine) as connection:
            rows = await connection.execute(
                select(columns.id)
                .where(columns.source == source, columns.id > after, columns.is_delisted.is_(False))
                .order_by(columns.id)
                .limit(limit)
            )
            return [TitleId(row.id) for row in rows]

    async def position(self, name: str) -> int | None:
        """A number that was kept under a name."""
        async with reading(self._engine) as connection:
            statement = select(t.positions.c.value).where(t.positions.c.name == name)
            return (await connection.execute(statement)).scalar_one_or_none()

    async def set_position(self, name: str, value: int) -> None:
        """Keep a number."""
        async with self._write() as connection:
            await _upsert(connection, t.positions, [{"name": name, "value": value}])

    async def _seasons(self, column: Any, keys: Sequence[str]) -> list[Season]:
        found: list[Season] = []
        async with reading(self._engine) as connection:
            for some in _chunks(keys):
                rows = await connection.execute(select(t.seasons).where(column.in_(some)))
                found += [
                    Season(SeasonId(row.id), TitleId(row.series_id), row.number, row.display_name) for row in rows
                ]
        return found

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncConnection]:
        async with self._writing, writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS_LOCK})
            yield connection


async def _require_revisions(connection: AsyncConnection, seen: Mapping[TitleId, int]) -> None:
    """Nobody else writes while the transaction lasts."""
    for some in _chunks(list(seen)):
        rows = await connection.execute(select(t.titles.c.id, t.titles.c.revision).where(t.titles.c.id.in_(some)))
        if {row.id: row.revision for row in rows} != {title_id: seen[title_id] for title_id in some}:
            raise StaleWrite


async def _with_children(connection: AsyncConnection, rows: Sequence[RowMapping]) -> list[Title]:
    """Titles from their rows: one query per child table, however many titles there are."""
    ids = [row["id"] for row in rows]
    if not ids:
        return []
    children: dict[str, dict[str, list[RowMapping]]] = {}
    for name, statement in _CHILDREN.items():
        by_title: dict[str, list[RowMapping]] = defaultdict(list)
        chosen = statement.where(_CHILD_TABLES[name].c.title_id.in_(ids))
        for child in (await connection.execute(chosen)).mappings():
            by_title[child["title_id"]].append(child)
        children[name] = by_title
    return [read_title(row, {name: by_title.get(row["id"], []) for name, by_title in children.items()}) for row in rows]


async def _upsert(connection: AsyncConnection, table: Table, rows: list[Row]) -> None:
    if not rows:
        return
    # Both spell it alike.
    statement = postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def _chunks(keys: Sequence[KeyT]) -> Iterator[Sequence[KeyT]]:
    for start in range(0, len(keys), MAX_KEYS_PER_QUERY):
        yield keys[start : start + MAX_KEYS_PER_QUERY]
