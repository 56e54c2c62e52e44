"""The title store's port on MongoDB: titles are whole documents, and writes go through the journal.

Ids are asked for in pieces of MAX_KEYS_PER_QUERY. Several lists of `browse` are asked for side by side, each one its
own query that stops after a page: MongoDB has no union of queries that each keep their index.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from pymongo import ASCENDING, DESCENDING

from common.clock import Clock, SystemClock
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.mongo import Document, MongoCollection, MongoDatabase, mongo_errors, open_mongo, prepare_schema
from subgraphs.kernel.pagination import PageRequest
from subgraphs.titles.adapters.mongo import schema
from subgraphs.titles.adapters.mongo.documents import (
    audit_document,
    read_audit,
    read_season,
    read_title,
    season_document,
    title_document,
)
from subgraphs.titles.adapters.mongo.filters import IS_THERE, is_chosen, is_visible, order_of, page_filter
from subgraphs.titles.adapters.mongo.journal import Journal, Write
from subgraphs.titles.adapters.mongo.personal_data import MongoPersonalData
from subgraphs.titles.domain.browsing import PART_KINDS, BrowseRequest, CatalogueScope, Facets, TitleFilter
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
)

__all__ = ["MongoTitleStore"]

KeyT = TypeVar("KeyT")

MAX_KEYS_PER_QUERY = 1_000
MAX_LISTS_AT_ONCE = 16
ANNOUNCED_AT_ONCE = 1_000
FOLLOWERS = ("events", "search")
"""Those that every catalogue has from its first title on."""


class MongoTitleStore:
    """Open with `MongoTitleStore.open(url)`. Every method raises ServiceError(UNAVAILABLE) when the server is away."""

    def __init__(self, database: MongoDatabase, clock: Clock) -> None:
        self._database = database
        self._titles = database.collection(schema.TITLES)
        self._seasons = database.collection(schema.SEASONS)
        self._journal = Journal(database, clock)
        self._asking = asyncio.Semaphore(MAX_LISTS_AT_ONCE)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, clock: Clock | None = None) -> AsyncIterator[MongoTitleStore]:
        """The store in the database that the URL names, brought to its newest form and closed at the block's end.

        Raises ValueError for a URL without a database, StoreNewerThanProgram, ServiceError(UNAVAILABLE).
        """
        async with open_mongo(url) as database:
            await prepare_schema(database, schema.SCHEMA)
            store = cls(database, clock or SystemClock())
            await store._journal.open(FOLLOWERS)
            yield store

    async def ping(self) -> None:
        """Return when the server answers."""
        await self._database.check()

    @property
    def personal_data(self) -> MongoPersonalData:
        """See TitleStore."""
        return MongoPersonalData(self._database)

    async def titles(self, ids: Sequence[TitleId]) -> dict[TitleId, Title]:
        """Whole titles, withdrawn ones included."""
        return {TitleId(each["_id"]): read_title(each) for each in await _by_key(self._titles, "_id", ids)}

    async def digests(self, ids: Sequence[TitleId]) -> dict[TitleId, str]:
        """`fingerprint` of what is stored."""
        rows = await _by_key(self._titles, "_id", ids, ("digest",))
        return {TitleId(row["_id"]): row["digest"] for row in rows}

    async def titles_matching(self, match_keys: Sequence[str], *, except_source: str) -> dict[str, TitleId]:
        """Titles of other sources by `match_key`."""
        rows = await _by_key(self._titles, "match_key", match_keys, ("match_key", "source"))
        rows.sort(key=lambda row: row["_id"])
        return {row["match_key"]: TitleId(row["_id"]) for row in rows if row["source"] != except_source}

    async def save(
        self,
        titles: Sequence[Title],
        seasons: Sequence[Season] = (),
        *,
        person_edits: Mapping[PersonId, Person] = NO_PERSON_EDITS,
        audit: AuditEntry | None = None,
        seen: Mapping[TitleId, int] = NO_REVISIONS,
    ) -> None:
        """Create or replace, all or nothing; see `journal` for what readers see meanwhile."""
        genres = {genre.id: genre.display_name for title in titles for genre in title.genres}
        others: dict[str, list[Document]] = {
            schema.GENRES: [{"_id": genre_id, "display_name": name} for genre_id, name in genres.items()],
            schema.SEASONS: [season_document(season) for season in seasons],
            schema.PERSON_EDITS: [
                {"_id": source_id, "person_id": person.id, "display_name": person.display_name}
                for source_id, person in person_edits.items()
            ],
            schema.AUDIT: [] if audit is None else [audit_document(audit)],
        }
        documents = [title_document(title) for title in titles]
        write = Write(titles=documents, others={name: each for name, each in others.items() if each})
        await self._journal.write(write, seen)

    async def browse(self, scope: CatalogueScope, requests: Sequence[BrowseRequest]) -> list[list[TitleId]]:
        """For each request up to `page.first + 1` visible ids after its cursor."""

        async def ask(request: BrowseRequest) -> list[TitleId]:
            async with self._asking:
                count = request.page.first + 1
                found = self._titles.find(page_filter(scope, request), {"_id": 1}).sort(order_of(request)).limit(count)
                return [TitleId(row["_id"]) for row in await found.to_list(count)]

        with mongo_errors():
            return list(await asyncio.gather(*map(ask, requests)))

    async def genres(self, scope: CatalogueScope) -> list[Genre]:
        """Genres with at least one visible film or series, by name."""
        rows = await self._aggregated(
            {"$match": {"$and": [is_visible(scope), is_chosen(TitleFilter())]}},
            {"$project": {"genres": 1}},
            {"$unwind": "$genres"},
            {"$group": {"_id": "$genres.id"}},
        )
        found = await self.genres_by_id([GenreId(row["_id"]) for row in rows])
        return sorted(found.values(), key=lambda genre: genre.display_name)

    async def genres_by_id(self, ids: Sequence[GenreId]) -> dict[GenreId, Genre]:
        """Genres, whether or not anything in them is visible."""
        rows = await _by_key(self._database.collection(schema.GENRES), "_id", ids)
        return {GenreId(row["_id"]): Genre(GenreId(row["_id"]), row["display_name"]) for row in rows}

    async def seasons_of(self, series_ids: Sequence[TitleId]) -> dict[TitleId, tuple[Season, ...]]:
        """Seasons in order of number."""
        found: dict[TitleId, list[Season]] = defaultdict(list)
        for season in map(read_season, await _by_key(self._seasons, "series_id", series_ids)):
            found[season.series_id].append(season)
        return {series_id: tuple(sorted(found[series_id], key=lambda season: season.number)) for series_id in found}

    async def seasons_by_id(self, ids: Sequence[SeasonId]) -> dict[SeasonId, Season]:
        """Seasons."""
        return {season.id: season for season in map(read_season, await _by_key(self._seasons, "_id", ids))}

    async def episodes_of(self, series_ids: Sequence[TitleId]) -> dict[TitleId, tuple[EpisodeSlot, ...]]:
        """Episodes in order of season and number; withdrawn and delisted ones left out."""
        names = ("series_id", "season_id", "season_number", "episode_number")
        rows = await _by_key(self._titles, "series_id", series_ids, names, IS_THERE)
        rows.sort(key=lambda row: (row["season_number"], row["episode_number"], row["_id"]))
        found: dict[TitleId, list[EpisodeSlot]] = defaultdict(list)
        for row in rows:
            found[TitleId(row["series_id"])].append(
                EpisodeSlot(
                    TitleId(row["_id"]), SeasonId(row["season_id"]), row["season_number"], row["episode_number"]
                )
            )
        return {series_id: tuple(slots) for series_id, slots in found.items()}

    async def videos_of(self, title_ids: Sequence[TitleId]) -> dict[TitleId, tuple[VideoSlot, ...]]:
        """Videos of films and series, newest first and then by id."""
        names = ("video_of", "video_kind", "season_id", "added_at")
        rows = await _by_key(self._titles, "video_of", title_ids, names, IS_THERE)
        rows.sort(key=lambda row: (-row["added_at"], row["_id"]))
        found: dict[TitleId, list[VideoSlot]] = defaultdict(list)
        for row in rows:
            season_id = None if row["season_id"] is None else SeasonId(row["season_id"])
            found[row["video_of"]].append(VideoSlot(TitleId(row["_id"]), VideoKind(row["video_kind"]), season_id))
        return {title_id: tuple(slots) for title_id, slots in found.items()}

    async def people(self, scope: CatalogueScope, ids: Sequence[PersonId]) -> dict[PersonId, Person]:
        """People with at least one visible title."""
        found: dict[PersonId, Person] = {}
        for some in _chunks(ids):
            credited = {"credits.person_id": {"$in": list(some)}}
            rows = await self._aggregated(
                {"$match": {"$and": [credited, is_visible(scope)]}},
                {"$project": {"credits": 1}},
                {"$unwind": "$credits"},
                {"$match": credited},
                {"$group": {"_id": "$credits.person_id", "display_name": {"$first": "$credits.display_name"}}},
            )
            found.update((PersonId(row["_id"]), Person(PersonId(row["_id"]), row["display_name"])) for row in rows)
        return found

    async def person_edits(self) -> dict[PersonId, Person]:
        """Who was renamed or merged by hand."""
        with mongo_errors():
            rows = self._database.collection(schema.PERSON_EDITS).find()
            return {PersonId(row["_id"]): Person(PersonId(row["person_id"]), row["display_name"]) async for row in rows}

    async def titles_of_person(self, person_id: PersonId, limit: int) -> list[TitleId]:
        """Titles that credit a person."""
        return await self._ids({"credits.person_id": person_id}, limit)

    async def facets(self, scope: CatalogueScope, chosen: TitleFilter) -> Facets:
        """Counts of a list."""
        groups: Document = {"initial": "$initial", "year": "$release_year"}
        if chosen.kind in PART_KINDS:
            groups["parent"] = {"$ifNull": ["$video_of", "$series_id"]}
        rows = await self._aggregated(
            {"$match": {"$and": [is_visible(scope), is_chosen(chosen)]}},
            {"$group": {"_id": groups, "title_count": {"$sum": 1}}},
        )
        parents = {row["_id"]["parent"] for row in rows if row["_id"].get("parent") is not None}
        hidden = await self._hidden(scope, sorted(parents))
        return Facets.of(
            (row["_id"]["initial"], row["_id"]["year"], row["title_count"])
            for row in rows
            if row["_id"].get("parent") not in hidden
        )

    async def ids_after(self, after: str, limit: int) -> list[TitleId]:
        """Every id in order, to walk the whole catalogue by."""
        return await self._ids({"_id": {"$gt": after}}, limit)

    async def ids_of_source(self, source: str, after: str, limit: int) -> list[TitleId]:
        """Ids of a source's titles that are not delisted."""
        return await self._ids({"source": source, "_id": {"$gt": after}, "is_delisted": False}, limit)

    async def timed_titles(self) -> list[Title]:
        """Titles with a window that opens or closes at some instant."""
        with mongo_errors():
            return [read_title(document) async for document in self._titles.find({"is_timed": True})]

    async def state(self) -> CatalogueState:
        """Of the titles that are neither withdrawn nor delisted."""
        rows = await self._aggregated(
            {"$match": IS_THERE},
            {"$group": {"_id": None, "title_count": {"$sum": 1}, "revision_sum": {"$sum": "$revision"}}},
        )
        return CatalogueState(rows[0]["title_count"], rows[0]["revision_sum"]) if rows else CatalogueState(0, 0)

    async def changes_for(self, follower: ChangeFollowerName, limit: int) -> list[Change]:
        """The next changes that this follower has not confirmed, in order; of one title only the last."""
        return await self._journal.changes_for(follower, limit)

    async def confirm_changes(self, follower: ChangeFollowerName, up_to: int) -> None:
        """Remember the position."""
        await self._journal.confirm(follower, up_to)

    async def follow(self, follower: ChangeFollowerName) -> None:
        """A follower that begins at the log's end as it is now."""
        await self._journal.follow(follower)

    async def followers(self) -> frozenset[ChangeFollowerName]:
        """Those whose position is kept."""
        return await self._journal.followers()

    async def unfollow(self, follower: ChangeFollowerName) -> None:
        """Forget the position."""
        await self._journal.unfollow(follower)

    async def announce_all(self) -> int:
        """Give every title a new number, series before their episodes."""
        announced = 0
        with mongo_errors():
            order = [("kind", DESCENDING), ("_id", ASCENDING)]
            rows = await self._titles.find({}, {"kind": 1}).sort(order).to_list(None)
        for some in _chunks([TitleId(row["_id"]) for row in rows], ANNOUNCED_AT_ONCE):
            await self._journal.write(Write(announced=some))
            announced += len(some)
        return announced

    async def audit_entries(self, subject_id: str | None, page: PageRequest) -> list[AuditEntry]:
        """What was done by hand, newest first."""
        wanted: Document = {} if subject_id is None else {"subject_id": subject_id}
        if page.after is not None:
            at, last_id = page.after
            wanted["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": last_id}}]
        order = [("at", DESCENDING), ("_id", DESCENDING)]
        with mongo_errors():
            rows = self._database.collection(schema.AUDIT).find(wanted).sort(order).limit(page.first + 1)
            return [read_audit(row) async for row in rows]

    async def position(self, name: str) -> int | None:
        """A number that was kept under a name."""
        with mongo_errors():
            row = await self._database.collection(schema.POSITIONS).find_one({"_id": name})
            return None if row is None else int(row["value"])

    async def set_position(self, name: str, value: int) -> None:
        """Keep a number."""
        with mongo_errors():
            await self._database.collection(schema.POSITIONS).update_one(
                {"_id": name}, {"$set": {"value": value}}, upsert=True
            )

    async def _hidden(self, scope: CatalogueScope, ids: Sequence[str]) -> set[str]:
        """Those of them that are not visible."""
        there = {row["_id"] for row in await _by_key(self._titles, "_id", ids, ("_id",))}
        return there - {row["_id"] for row in await _by_key(self._titles, "_id", ids, ("_id",), is_visible(scope))}

    async def _ids(self, wanted: Document, limit: int) -> list[TitleId]:
        with mongo_errors():
            rows = self._titles.find(wanted, {"_id": 1}).sort([("_id", ASCENDING)]).limit(limit)
            return [TitleId(row["_id"]) for row in await rows.to_list(limit)]

    async def _aggregated(self, *stages: Document) -> list[Document]:
        with mongo_errors():
            return list(await self._titles.aggregate(list(stages)).to_list(None))


async def _by_key(
    collection: MongoCollection,
    field: str,
    keys: Sequence[str],
    names: Sequence[str] | None = None,
    condition: Mapping[str, Any] | None = None,
) -> list[Document]:
    """Documents whose `field` is one of `keys`; only `names` of them, whole ones without."""
    found: list[Document] = []
    with mongo_errors():
        for some in _chunks(keys):
            wanted = {field: {"$in": list(some)}, **(condition or {})}
            projection = None if names is None else dict.fromkeys(names, 1)
            found += await collection.find(wanted, projection).to_list(None)
    return found


def _chunks(keys: Sequence[KeyT], size: int = MAX_KEYS_PER_QUERY) -> Iterator[Sequence[KeyT]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
