"""Opens the store that the settings name, whatever its kind: the one place that knows both adapters.

SQLite and PostgreSQL are the relational adapter's, MongoDB has its own; services see ports only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from common.events import EventPublisher
from subgraphs.kernel import migrations
from subgraphs.kernel.app import HealthCheck
from subgraphs.kernel.mongo import open_mongo, prepare_schema
from subgraphs.kernel.outbox import OutboxRelay
from subgraphs.kernel.personal_data import PersonalDataStore
from subgraphs.kernel.sql import check_store, open_engine
from subgraphs.playback.adapters.mongo.bookmarks import MongoBookmarkStore
from subgraphs.playback.adapters.mongo.catalogue import MongoTitleCatalogue
from subgraphs.playback.adapters.mongo.downloads import MongoDownloadStore
from subgraphs.playback.adapters.mongo.events import MongoEventRelay
from subgraphs.playback.adapters.mongo.personal_data import MongoPersonalData
from subgraphs.playback.adapters.mongo.schema import SCHEMA
from subgraphs.playback.adapters.sqlalchemy import tables
from subgraphs.playback.adapters.sqlalchemy.bookmarks import SqlBookmarkStore
from subgraphs.playback.adapters.sqlalchemy.catalogue import SqlTitleCatalogue
from subgraphs.playback.adapters.sqlalchemy.downloads import SqlDownloadStore
from subgraphs.playback.adapters.sqlalchemy.file_reader import open_file_reader, sqlite_file
from subgraphs.playback.adapters.sqlalchemy.personal_data import personal_data_of
from subgraphs.playback.ports import BookmarkStore, DownloadStore, TitleCatalogue
from subgraphs.playback.settings import PlaybackSettings

__all__ = ["MIGRATIONS", "Stores", "open_stores"]

MIGRATIONS = Path(__file__).parent / "adapters" / "sqlalchemy" / "migrations"


@dataclass(frozen=True, slots=True)
class Stores:
    """What one store keeps, and a check whether it answers."""

    bookmarks: BookmarkStore
    catalogue: TitleCatalogue
    downloads: DownloadStore
    personal_data: PersonalDataStore
    check: HealthCheck


@asynccontextmanager
async def open_stores(settings: PlaybackSettings, publisher: EventPublisher | None = None) -> AsyncIterator[Stores]:
    """The store, brought to today's form and closed at the block's end.

    With a publisher its events are published while the block runs; without one they wait for whoever has one.
    """
    url = settings.resolved_store_url
    async with AsyncExitStack() as stack:
        if url.startswith(("mongodb://", "mongodb+srv://")):
            yield await _open_mongo(stack, url, publisher)
        else:
            yield await _open_sql(stack, url, publisher)


async def _open_sql(stack: AsyncExitStack, url: str, publisher: EventPublisher | None) -> Stores:
    engine = open_engine(url)
    stack.push_async_callback(engine.dispose)
    await migrations.upgrade(engine, MIGRATIONS)
    on_commit = _nobody_to_wake
    if publisher is not None:
        relay = OutboxRelay(engine, tables.outbox, publisher)
        on_commit = relay.wake
        await stack.enter_async_context(relay.running())
    file = sqlite_file(engine)
    reader = None if file is None else await stack.enter_async_context(open_file_reader(file))
    bookmarks = SqlBookmarkStore(engine, on_commit, reader)
    await stack.enter_async_context(bookmarks.running())
    return Stores(
        bookmarks,
        SqlTitleCatalogue(engine),
        SqlDownloadStore(engine),
        personal_data_of(engine),
        partial(check_store, engine),
    )


async def _open_mongo(stack: AsyncExitStack, url: str, publisher: EventPublisher | None) -> Stores:
    database = await stack.enter_async_context(open_mongo(url))
    await prepare_schema(database, SCHEMA)
    on_commit = _nobody_to_wake
    if publisher is not None:
        relay = MongoEventRelay(database, publisher)
        on_commit = relay.wake
        await stack.enter_async_context(relay.running())
    bookmarks = MongoBookmarkStore(database, on_commit)
    await stack.enter_async_context(bookmarks.running())
    return Stores(
        bookmarks,
        MongoTitleCatalogue(database),
        MongoDownloadStore(database),
        MongoPersonalData(database),
        database.check,
    )


def _nobody_to_wake() -> None:
    """The relay of another process finds the events by looking."""
