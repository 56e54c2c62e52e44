"""MongoDB behind the kernel's one module: URLs, errors, versions."""

from __future__ import annotations

import ast
import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel import mongo
from subgraphs.kernel.mongo import MongoDatabase, MongoSchema, MongoSession, StoreNewerThanProgram, open_mongo
from subgraphs.kernel.mongo import prepare_schema as prepare
from tests.support.unsteady_line import UnsteadyLine

ROOT = Path(__file__).resolve().parents[3]


IMPATIENT = "serverSelectionTimeoutMS=100"


@pytest.fixture
async def database(mongodb_url: str) -> AsyncIterator[MongoDatabase]:
    async with open_mongo(mongodb_url) as opened:
        yield opened


def test_only_one_module_imports_the_driver() -> None:
    """Motor is deprecated; changing the driver must change one file."""
    importers = [
        str(path.relative_to(ROOT))
        for folder in ("common", "gateway", "media_pipeline", "stack", "subgraphs", "tests", "benchmarks", "scripts")
        for path in (ROOT / folder).rglob("*.py")
        if "motor" in _imported(path)
    ]
    assert importers == ["subgraphs/kernel/mongo.py"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/marquee", "mongodb://127.0.0.1:27017", "mongodb://user:secret@[::1/marquee", ""]
)
async def test_refuses_urls_that_name_no_database(url: str) -> None:
    """With an example of one that does, and without the password."""
    with pytest.raises(ValueError, match=r"mongodb://host:27017/marquee") as refused:
        async with open_mongo(url):
            pass
    assert "secret" not in str(refused.value)


async def test_a_server_that_is_away_is_unavailable() -> None:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ServiceError) as away:
            async with open_mongo(f"mongodb://127.0.0.1:{taken.getsockname()[1]}/x?{IMPATIENT}", wait_s=0.0):
                pass
    assert away.value.kind is ErrorKind.UNAVAILABLE


async def test_a_start_waits_for_a_server_that_is_slower(mongodb_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no way to it at the first look; a start that gave up would take the whole system with it."""
    parts = urlsplit(mongodb_url)
    look = mongo._has_transactions
    looks = 0
    async with UnsteadyLine(parts.hostname or "", parts.port or 27017) as line:
        await line.cut()

        async def watched_look(database: Any) -> bool:
            nonlocal looks
            looks += 1
            if looks == 2:
                await line.mend()
            return await look(database)

        monkeypatch.setattr(mongo, "_has_transactions", watched_look)
        async with open_mongo(f"mongodb://127.0.0.1:{line.port}{parts.path}?{IMPATIENT}") as opened:
            await opened.check()
    assert looks >= 2


async def test_prepares_once_and_again(database: MongoDatabase) -> None:
    """Several processes at once and later starts find the same indexes and version."""
    schema = MongoSchema("films", 1, {"films": [IndexModel([("year", 1)], name="by_year")]})
    await asyncio.gather(*(prepare(database, schema) for _ in range(4)))
    await prepare(database, schema)
    assert {"_id_", "by_year"} == set(await database.collection("films").index_information())
    assert await database.collection("schema_versions").find_one({"_id": "films"}) == {"_id": "films", "version": 1}


async def test_migrates_step_by_step(database: MongoDatabase) -> None:
    """From the stored version to the program's, each step recorded: a killed one is repeated, the ones before are not."""
    films, steps = database.collection("films"), list[int]()

    async def to_two(_: MongoDatabase) -> None:
        steps.append(2)
        await films.update_many({}, {"$rename": {"yr": "year"}})

    async def to_three(_: MongoDatabase) -> None:
        steps.append(3)
        if steps.count(3) == 1:
            raise RuntimeError("killed")
        await films.update_many({}, {"$set": {"kind": "MOVIE"}})

    await prepare(database, MongoSchema("films", 1, {}))
    await films.insert_one({"_id": "f", "yr": 1922})
    newest = MongoSchema("films", 3, {}, {1: to_two, 2: to_three})
    with pytest.raises(RuntimeError):
        await prepare(database, newest)
    await prepare(database, newest)
    assert steps == [2, 3, 3]
    assert await films.find_one({"_id": "f"}) == {"_id": "f", "year": 1922, "kind": "MOVIE"}


async def test_refuses_a_newer_store(database: MongoDatabase) -> None:
    """By name, before anything is read; and the newer version stays written."""
    await prepare(database, MongoSchema("films", 2, {}))
    with pytest.raises(StoreNewerThanProgram, match="films collections have version 2, this program knows 1"):
        await prepare(database, MongoSchema("films", 1, {}))
    assert await database.collection("schema_versions").find_one({"_id": "films"}) == {"_id": "films", "version": 2}


async def test_atomically_is_all_or_nothing_where_the_server_can(database: MongoDatabase) -> None:
    """With transactions the first document is gone again; a single server says that it has none."""
    films = database.collection("films")
    await films.insert_one({"_id": "there"})

    async def two(session: MongoSession) -> None:
        await films.insert_one({"_id": "first"}, session=session)
        await films.insert_one({"_id": "there"}, session=session)

    with pytest.raises(DuplicateKeyError):
        await database.atomically(two)
    assert await films.count_documents({"_id": "first"}) == (0 if database.has_transactions else 1)


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    text = path.read_text("utf-8")
    for node in ast.walk(ast.parse(text)) if "motor" in text else ():
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names
