"""MongoDB for the stores that can live there. The one module that imports motor; a test holds that.

Motor is deprecated: its makers ended its development in 2025 in favour of PyMongo's own asynchronous client, which has
nearly the same calls. Stores therefore see only what is here (`MongoDatabase`, `MongoCollection`, `MongoSession`) and
PyMongo's plain values (`ReplaceOne`, `IndexModel`, errors), and changing the driver changes this file.

What holds of every server: one document is written whole or not at all, and a write that was acknowledged is on the
disk of a majority. Several documents are written as one only where the server has transactions, which are replica sets
and sharded clusters; a single server has none, and a store must say what a crash between two documents leaves behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import structlog
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import IndexModel, ReturnDocument
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
    WTimeoutError,
)
from pymongo.uri_parser import parse_uri

from common.errors import ErrorKind, ServiceError

__all__ = [
    "Document",
    "MongoCollection",
    "MongoDatabase",
    "MongoSchema",
    "MongoSession",
    "StoreNewerThanProgram",
    "mongo_errors",
    "open_mongo",
    "prepare_schema",
]

log = structlog.get_logger(__name__)

Document: TypeAlias = dict[str, Any]
MongoCollection: TypeAlias = AsyncIOMotorCollection[Document]
MongoSession: TypeAlias = AsyncIOMotorClientSession | None
"""None where the server has no transactions; every call of a collection takes it as `session`."""

AnswerT = TypeVar("AnswerT")

SERVER_SELECTION_MS = 2_000
"""How long a server is looked for: a fail-over of a replica set takes longer, and callers try again."""
ANSWER_MS = 5_000
"""For each answer, as a statement may take on the SQL stores. The driver's option for a whole operation, timeoutMS,
is not used: it would also replace the shorter wait for a server that is away."""
START_WAIT_S = 30.0
"""How long a start waits for its server: in one start of everything the server may be the slower one."""
START_PAUSE_S = 0.2
POOL_SIZE = 32
DEFAULTS: Mapping[str, Any] = {
    "serverSelectionTimeoutMS": SERVER_SELECTION_MS,
    "connectTimeoutMS": SERVER_SELECTION_MS,
    "waitQueueTimeoutMS": SERVER_SELECTION_MS,
    "socketTimeoutMS": ANSWER_MS,
    "maxPoolSize": POOL_SIZE,
    "tz_aware": True,
    # Acknowledged means durable: on the disk of most of the replicas.
    "w": "majority",
    "journal": True,
    "appname": "marquee",
}
"""Of the client, where the URL does not say otherwise."""
URL_FORM = "it looks like mongodb://host:27017/marquee"
VERSIONS = "schema_versions"
COMMAND_NOT_FOUND = 59


class StoreNewerThanProgram(Exception):
    """The database was prepared by a newer program; the message names both versions."""


class MongoDatabase:
    """One database of one server, replica set or cluster; made by `open_mongo`."""

    def __init__(
        self, client: AsyncIOMotorClient[Document], database: AsyncIOMotorDatabase[Document], *, has_transactions: bool
    ) -> None:
        self._client = client
        self._database = database
        self.has_transactions = has_transactions

    def collection(self, name: str) -> MongoCollection:
        """A collection; it exists from its first document or index on."""
        return self._database[name]

    async def check(self) -> None:
        """A health check: returns when the server answers; raises ServiceError(UNAVAILABLE)."""
        with mongo_errors():
            await self._database.command("ping")

    async def drop(self) -> None:
        """Delete the whole database, for tests."""
        with mongo_errors():
            await self._client.drop_database(self._database)

    async def atomically(self, work: Callable[[MongoSession], Coroutine[Any, Any, AnswerT]]) -> AnswerT:
        """Run `work` in one transaction where the server has them, else as it is, with None for a session.

        In a transaction `work` runs again when a concurrent one was in its way, so it must start from nothing each
        time. Raises ServiceError(UNAVAILABLE) when the server is away.
        """
        with mongo_errors():
            if not self.has_transactions:
                return await work(None)
            async with await self._client.start_session() as session:
                answer: AnswerT = await session.with_transaction(work)
                return answer


@asynccontextmanager
async def open_mongo(url: str, *, wait_s: float = START_WAIT_S) -> AsyncIterator[MongoDatabase]:
    """The database that `url` names, as mongodb://host:27017/marquee, closed at the block's end.

    Raises ValueError when the URL is none or names no database, ServiceError(UNAVAILABLE) when no server answers
    within `wait_s`.
    """
    try:
        # `from None`: a password in the URL must not appear in any message.
        parsed = parse_uri(url)
    except (InvalidURI, ConfigurationError, ValueError):
        raise ValueError(f"the MongoDB URL can't be read; {URL_FORM}") from None
    name = parsed["database"]
    if not name:
        raise ValueError(f"the MongoDB URL names no database; {URL_FORM}")
    given = {option.lower() for option in parsed["options"]}
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
        url, **{option: value for option, value in DEFAULTS.items() if option.lower() not in given}
    )
    try:
        database = client[name]
        has_transactions = await _first_answer(database, wait_s)
        yield MongoDatabase(client, database, has_transactions=has_transactions)
    finally:
        client.close()


@contextmanager
def mongo_errors() -> Iterator[None]:
    """What only time can mend becomes ServiceError(UNAVAILABLE); broken constraints and wrong commands pass as are."""
    try:
        yield
    except (ConnectionFailure, ExecutionTimeout, WTimeoutError, WaitQueueTimeoutError) as error:
        raise _unavailable(error) from error
    except PyMongoError as error:
        # A deadline that passed comes in several classes; `timeout` is what they share.
        if error.timeout or error.has_error_label("TransientTransactionError"):
            raise _unavailable(error) from error
        raise


Migration: TypeAlias = Callable[[MongoDatabase], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class MongoSchema:
    """What a store's collections look like: their indexes, and how documents of older versions become today's.

    `migrations[n]` brings version n to n + 1; it may be killed half-way and run again, so it must be idempotent.
    """

    name: str
    version: int
    indexes: Mapping[str, Sequence[IndexModel]]
    migrations: Mapping[int, Migration] = field(default_factory=dict)


async def prepare_schema(database: MongoDatabase, schema: MongoSchema) -> None:
    """Bring the database to `schema`'s version; doing it again, or from several processes at once, changes nothing.

    Raises StoreNewerThanProgram when a newer program was here, ServiceError(UNAVAILABLE) when the server is away.
    """
    versions = database.collection(VERSIONS)
    with mongo_errors():
        stored = await versions.find_one({"_id": schema.name})
        found = schema.version if stored is None else int(stored["version"])
        if found > schema.version:
            raise StoreNewerThanProgram(
                f"the database's {schema.name} collections have version {found}, this program knows {schema.version}; "
                "start the newer program, or restore the backup from before it ran"
            )
        for version in range(found, schema.version):
            await schema.migrations[version](database)
            await _record(versions, schema.name, version + 1)
        for collection_name, indexes in schema.indexes.items():
            if indexes:
                await database.collection(collection_name).create_indexes(list(indexes))
        await _record(versions, schema.name, schema.version)
    if stored is None or found < schema.version:
        log.info("store.migrated", store=schema.name, version=schema.version)


async def _record(versions: MongoCollection, name: str, version: int) -> None:
    """Write the version, never a lower one over a higher."""
    try:
        await versions.find_one_and_update(
            {"_id": name, "version": {"$lt": version}},
            {"$set": {"version": version}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
    except DuplicateKeyError:
        # It is there already with this version or a higher one: somebody else was here, or we were.
        return


async def _first_answer(database: AsyncIOMotorDatabase[Document], wait_s: float) -> bool:
    """Whether the server has transactions, once it is there; raises ServiceError(UNAVAILABLE) when `wait_s` is over."""
    clock = asyncio.get_running_loop()
    given_up_at = clock.time() + wait_s
    while True:
        try:
            with mongo_errors():
                return await _has_transactions(database)
        except ServiceError as error:
            if error.kind is not ErrorKind.UNAVAILABLE or clock.time() >= given_up_at:
                raise
        await asyncio.sleep(START_PAUSE_S)


async def _has_transactions(database: AsyncIOMotorDatabase[Document]) -> bool:
    try:
        hello = await database.command("hello")
    except OperationFailure as error:
        if error.code != COMMAND_NOT_FOUND:
            raise
        # Servers that only speak the protocol know the command by its older name, if at all.
        hello = await database.command("isMaster")
    is_replicated = "setName" in hello or hello.get("msg") == "isdbgrid"
    return is_replicated and hello.get("logicalSessionTimeoutMinutes") is not None


def _unavailable(error: Exception) -> ServiceError:
    log.warning("store.unavailable", error=str(error), error_type=type(error).__name__)
    return ServiceError(ErrorKind.UNAVAILABLE, "the store can't be reached or is busy; try again")
