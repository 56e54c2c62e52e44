"""Values planted for one account, and a search for them in everything that a stack keeps."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import httpx
from pymongo import MongoClient
from redis import Redis

SERVER_DEADLINE_S = 30.0
MAX_DOCUMENTS = 10_000
"""Of one index: what OpenSearch hands out at once."""
CHUNK_BYTES = 1 << 20
OVERLAP_BYTES = 512


@dataclass(frozen=True)
class Canary:
    """A value that nobody else has. `is_exported`: the account is shown it; a secret is not."""

    name: str
    text: str
    is_exported: bool = True
    number: float | None = None

    @property
    def needles(self) -> tuple[bytes, ...]:
        """As text, and, for a number, as a database writes it."""
        if self.number is None:
            return (self.text.encode(),)
        return (self.text.encode(), struct.pack(">d", self.number))


def find_in_files(folder: Path, canaries: Iterable[Canary]) -> list[str]:
    """`<canary> in <file>` for every file below a folder that holds one: databases with their logs and free pages too."""
    wanted = [(canary.name, needle) for canary in canaries for needle in canary.needles]
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            names = {name for name, needle in wanted if _holds(path, needle)} if _holds_any(path, wanted) else set()
            found += [f"{name} in {path.relative_to(folder)}" for name in sorted(names)]
    return found


def find_in_valkey(url: str, canaries: Iterable[Canary]) -> list[str]:
    """`<canary> in <key>` for every key whose name or value holds one, whatever its type."""
    wanted = [(canary.name, needle) for canary in canaries for needle in canary.needles]
    found = []
    with Redis.from_url(url) as redis:
        for key in redis.scan_iter(count=1000):
            content = b"\n".join([key, *_flat(_value(redis, key))])
            found += [f"{name} in {key.decode()}" for name, needle in wanted if needle in content]
    return sorted(set(found))


def find_in_postgres(url: str, canaries: Iterable[Canary]) -> list[str]:
    """`<canary> in <table>` for every table of every schema of a database, its rows as text."""
    return asyncio.run(_find_in_postgres(url, list(canaries)))


def find_in_mongodb(url: str, canaries: Iterable[Canary]) -> list[str]:
    """`<canary> in <collection>` for every collection of the database that the URL names."""
    wanted, found = list(canaries), []
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        for name in database.list_collection_names():
            content = "\n".join(str(document) for document in database[name].find())
            found += [f"{canary.name} in {name}" for canary in wanted if canary.text in content]
    return sorted(found)


def find_in_opensearch(url: str, prefix: str, canaries: Iterable[Canary]) -> list[str]:
    """`<canary> in <index>` for every index whose name starts with the prefix."""
    wanted, found = list(canaries), []
    with httpx.Client(base_url=url, timeout=SERVER_DEADLINE_S) as client:
        for index in client.get(f"/_cat/indices/{prefix}*", params={"format": "json"}).raise_for_status().json():
            name = index["index"]
            content = client.get(f"/{name}/_search", params={"size": MAX_DOCUMENTS}).raise_for_status()
            assert content.json()["hits"]["total"]["value"] < MAX_DOCUMENTS, f"{name} is too big to be looked through"
            found += [f"{canary.name} in {name}" for canary in wanted if canary.text in content.text]
    return sorted(found)


def key_prefixes(url: str) -> set[str]:
    """The first two parts of all keys' names."""
    with Redis.from_url(url) as redis:
        return {":".join(key.decode().split(":")[:2]) for key in redis.scan_iter(count=1000)}


async def _find_in_postgres(url: str, canaries: list[Canary]) -> list[str]:
    own_tables = """SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
                    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"""
    found = []
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), timeout=SERVER_DEADLINE_S)
    try:
        for (table,) in await connection.fetch(own_tables):
            rows = await connection.fetch(f"SELECT t::text FROM {table} AS t")  # quoted by the server
            content = "\n".join(row[0] for row in rows)
            # Binary columns are shown as hexadecimal digits.
            found += [
                f"{canary.name} in {table}"
                for canary in canaries
                if canary.text in content or canary.text.encode().hex() in content
            ]
    finally:
        await connection.close()
    return sorted(found)


def _value(redis: Redis, key: bytes) -> Any:
    kind = redis.type(key)
    match kind:
        case b"string":
            return redis.get(key)
        case b"hash":
            return redis.hgetall(key)
        case b"list":
            return redis.lrange(key, 0, -1)
        case b"set":
            return list(redis.smembers(key))  # type: ignore[arg-type]
        case b"zset":
            return redis.zrange(key, 0, -1)
        case b"stream":
            return redis.xrange(key)
    return b""


def _flat(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, dict):
        for item in value.items():
            yield from _flat(list(item))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _flat(part)


def _holds_any(path: Path, wanted: list[tuple[str, bytes]]) -> bool:
    return any(needle in chunk for chunk in _chunks(path) for _, needle in wanted)


def _holds(path: Path, needle: bytes) -> bool:
    return any(needle in chunk for chunk in _chunks(path))


def _chunks(path: Path) -> Iterator[bytes]:
    """Overlapping, so that nothing is cut apart."""
    kept = b""
    try:
        with path.open("rb") as file:
            while read := file.read(CHUNK_BYTES):
                yield kept + read
                kept = read[-OVERLAP_BYTES:]
    except FileNotFoundError:
        return
