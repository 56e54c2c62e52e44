"""The title store's port on SQLAlchemy and SQLite.

One writer at a time (SQLite has no other way), any number of readers (WAL). A write is one transaction: the titles,
their child rows, the change log and the audit entry are there together or not at all.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import RowMapping, Select, Table, delete, event, func, insert, or_, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from subgraphs.kernel.ids import TitleId
from subgraphs.titles.adapters.sql import tables as t
from subgraphs.titles.adapters.sql.browse_query import MAX_LISTS_PER_QUERY, browse_statement, ids_in_order, is_visible
from subgraphs.titles.adapters.sql.rows import Row, child_rows, read_title, title_row
from subgraphs.titles.domain.browsing import BrowseRequest, CatalogueScope
from subgraphs.titles.domain.title import EpisodeSlot, Genre, GenreId, Season, SeasonId, Title
from subgraphs.titles.ports import AuditEntry, Change, ChangeFollowerName

__all__ = ["SqlTitleStore", "StoreVersionMismatch"]

KeyT = TypeVar("KeyT")

MAX_KEYS_PER_QUERY = 500
"""Bound variables of one statement stay below SQLite's oldest limit of 999."""
BUSY_TIMEOUT_S = 10
FOLLOWERS = ("events", "search")
"""The change log keeps what one of them has not confirmed."""

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


class StoreVersionMismatch(Exception):
    """The file was written by another version of this program."""


class SqlTitleStore:
    """Open with `SqlTitleStore.open(path)`; close with `aclose`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # SQLite lets one connection write; waiting here is fair and cheap, waiting in SQLite is neither.
        self._writing = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Self:
        """The store in a file, created with its tables when there is none; raises StoreVersionMismatch."""
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_S})
        event.listen(engine.sync_engine, "connect", _set_pragmas)
        store = cls(engine)
        async with engine.begin() as connection:
            await connection.run_sync(t.metadata.create_all)
            version = (await connection.execute(select(t.schema_version.c.version))).scalar()
            if version is None:
                await connection.execute(insert(t.schema_version), {"version": t.SCHEMA_VERSION})
                await connection.execute(insert(t.followers), [{"name": name, "confirmed": 0} for name in FOLLOWERS])
        if version not in {None, t.SCHEMA_VERSION}:
            await engine.dispose()
            raise StoreVersionMismatch(
                f"{path} has tables of version {version}, this program writes version {t.SCHEMA_VERSION}; "
                "start the version that wrote it, or move the file away and import the catalogue again"
            )
        return store

    async def aclose(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    async def ping(self) -> None:
        """Return when the database answers."""
        async with self._engine.connect() as connection:
            await connection.execute(select(1))

    async def titles(self, ids: Sequence[TitleId]) -> dict[TitleId, Title]:
        """Whole titles, withdrawn ones included."""
        found: dict[TitleId, Title] = {}
        async with self._engine.connect() as connection:
            for some in _chunks(ids):
                rows = (await connection.execute(select(t.titles).where(t.titles.c.id.in_(some)))).mappings().all()
                for title in await _with_children(connection, rows):
                    found[title.id] = title
        return found

    async def digests(self, ids: Sequence[TitleId]) -> dict[TitleId, str]:
        """`fingerprint` of what is stored."""
        found: dict[TitleId, str] = {}
        async with self._engine.connect() as connection:
            for some in _chunks(ids):
                rows = await connection.execute(select(t.titles.c.id, t.titles.c.digest).where(t.titles.c.id.in_(some)))
                found.update((TitleId(row.id), row.digest) for row in rows)
        return found

    async def titles_matching(self, match_keys: Sequence[str], *, except_source: str) -> dict[str, TitleId]:
        """Titles of other sources by `match_key`."""
        found: dict[str, TitleId] = {}
        async with self._engine.connect() as connection:
            for some in _chunks(match_keys):
                rows = await connection.execute(
                    select(t.titles.c.match_key, t.titles.c.id)
                    .where(t.titles.c.match_key.in_(some), t.titles.c.source != except_source)
                    .order_by(t.titles.c.id)
                )
                found.update((row.match_key, TitleId(row.id)) for row in rows)
        return found

    async def save(
        self, titles: Sequence[Title], seasons: Sequence[Season] = (), *, audit: AuditEntry | None = None
    ) -> None:
        """Create or replace, all or nothing."""
        async with self._write() as connection:
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
            if ids:
                await connection.execute(insert(t.changes), [{"title_id": title_id} for title_id in ids])
            if audit is not None:
                await connection.execute(insert(t.audit), _audit_row(audit))

    async def browse(self, scope: CatalogueScope, requests: Sequence[BrowseRequest]) -> list[list[TitleId]]:
        """For each request up to `page.first + 1` visible ids after its cursor."""
        found: list[list[TitleId]] = []
        async with self._engine.connect() as connection:
            for start in range(0, len(requests), MAX_LISTS_PER_QUERY):
                some = requests[start : start + MAX_LISTS_PER_QUERY]
                rows = await connection.execute(browse_statement(scope, some))
                found += ids_in_order(some, rows)
        return found

    async def genres(self, scope: CatalogueScope) -> list[Genre]:
        """Genres with at least one visible title, by name."""
        visible = (
            select(t.title_genres.c.title_id)
            .join(t.titles, t.titles.c.id == t.title_genres.c.title_id)
            .where(t.title_genres.c.genre_id == t.genres.c.id, *is_visible(scope))
            .exists()
        )
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(t.genres).where(visible).order_by(t.genres.c.display_name))
            return [Genre(GenreId(row.id), row.display_name) for row in rows]

    async def genres_by_id(self, ids: Sequence[GenreId]) -> dict[GenreId, Genre]:
        """Genres, whether or not anything in them is visible."""
        found: dict[GenreId, Genre] = {}
        async with self._engine.connect() as connection:
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
        async with self._engine.connect() as connection:
            for some in _chunks(series_ids):
                rows = await connection.execute(
                    select(
                        columns.id, columns.series_id, columns.season_id, columns.season_number, columns.episode_number
                    )
                    .where(columns.series_id.in_(some), columns.is_withdrawn.is_(False))
                    .order_by(columns.season_number, columns.episode_number, columns.id)
                )
                for row in rows:
                    found[TitleId(row.series_id)].append(
                        EpisodeSlot(TitleId(row.id), SeasonId(row.season_id), row.season_number, row.episode_number)
                    )
        return {series_id: tuple(slots) for series_id, slots in found.items()}

    async def ids_after(self, after: str, limit: int) -> list[TitleId]:
        """Every id in order, to walk the whole catalogue by."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                select(t.titles.c.id).where(t.titles.c.id > after).order_by(t.titles.c.id).limit(limit)
            )
            return [TitleId(row.id) for row in rows]

    async def timed_titles(self) -> list[Title]:
        """Titles with a window that opens or closes at some instant."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                select(t.windows.c.title_id)
                .where(or_(t.windows.c.opens_at.is_not(None), t.windows.c.closes_at.is_not(None)))
                .distinct()
            )
            ids = [TitleId(row.title_id) for row in rows]
        return list((await self.titles(ids)).values())

    async def present_count(self) -> int:
        """How many titles are stored and not withdrawn."""
        statement = select(func.count()).select_from(t.titles).where(t.titles.c.is_withdrawn.is_(False))
        async with self._engine.connect() as connection:
            return (await connection.execute(statement)).scalar_one()

    async def changes_for(self, follower: ChangeFollowerName, limit: int) -> list[Change]:
        """The next changes that this follower has not confirmed, in order."""
        confirmed = select(t.followers.c.confirmed).where(t.followers.c.name == follower).scalar_subquery()
        async with self._engine.connect() as connection:
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

    async def announce_all(self) -> int:
        """Append every title to the change log, series before their episodes."""
        async with self._write() as connection:
            everything = select(t.titles.c.id).order_by(t.titles.c.kind.desc(), t.titles.c.id)
            result = await connection.execute(insert(t.changes).from_select(["title_id"], everything))
            return result.rowcount

    async def audit_entries(self, title_id: TitleId) -> list[AuditEntry]:
        """What was done to a title by hand, oldest first."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                select(t.audit).where(t.audit.c.title_id == title_id).order_by(t.audit.c.id)
            )
            return [
                AuditEntry(at, row.account_id, row.action, TitleId(row.title_id), row.detail)
                for row in rows
                if (at := t.from_micros(row.at)) is not None
            ]

    async def _seasons(self, column: Any, keys: Sequence[str]) -> list[Season]:
        found: list[Season] = []
        async with self._engine.connect() as connection:
            for some in _chunks(keys):
                rows = await connection.execute(select(t.seasons).where(column.in_(some)))
                found += [
                    Season(SeasonId(row.id), TitleId(row.series_id), row.number, row.display_name) for row in rows
                ]
        return found

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncConnection]:
        async with self._writing, self._engine.begin() as connection:
            yield connection


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
    statement = upsert(table)
    keys = [column.name for column in table.primary_key]
    changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def _audit_row(entry: AuditEntry) -> Row:
    return {
        "at": t.to_micros(entry.at),
        "account_id": entry.account_id,
        "action": entry.action,
        "title_id": entry.title_id,
        "detail": dict(entry.detail),
    }


def _chunks(keys: Sequence[KeyT]) -> Iterator[Sequence[KeyT]]:
    for start in range(0, len(keys), MAX_KEYS_PER_QUERY):
        yield keys[start : start + MAX_KEYS_PER_QUERY]


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # WAL: readers go on while something is written. NORMAL: a power cut may lose the last transactions, never the file;
    # whatever an import had not finished is imported again.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-32000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
