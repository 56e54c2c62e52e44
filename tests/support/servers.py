"""Real servers for tests, given by environment variables: a namespace of one's own on each, empty, and gone afterwards.

A test asks for `postgres_url`, `redis_url`, `mongodb_url`, or `opensearch_url` and `opensearch_prefix`; fixtures of a
wider scope enter the context managers below instead. Unset variable: the test skips and says which one. Set, and the
server does not answer: the test fails. The end of every run tells which servers ran and how many tests used them.
"""

from __future__ import annotations

import asyncio
import os
import urllib.parse
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import httpx
import pytest
from pymongo import MongoClient
from redis import Redis

__all__ = [
    "OpenSearchNamespace",
    "mongodb_database",
    "opensearch_namespace",
    "postgres_database",
    "redis_database",
]

DEADLINE_S = 20.0
"""For anything a server is asked here."""
OWN_NAME = f"marquee_test_{os.getpid()}"
"""One process, one name: workers of one run and neighbours on the same server keep apart."""
REDIS_DATABASES = range(1, 16)
USED, ABSENT = "server used", "server absent"
"""Names of the properties of a test's report."""


@dataclass(frozen=True, slots=True)
class Server:
    """One kind of server that tests may be given; `version` asks the server itself."""

    name: str
    variable: str
    version: Callable[[str], str]

    @property
    def url(self) -> str:
        """From the environment; skips the test when there is none."""
        url = os.environ.get(self.variable, "")
        if not url:
            pytest.skip(f"no {self.name}: set {self.variable}, or run the tests with scripts/servers in front")
        return url


@dataclass(frozen=True, slots=True)
class OpenSearchNamespace:
    """Indexes and aliases whose names start with `prefix` belong to the test."""

    url: str
    prefix: str


IN_USE: Counter[str] = Counter()
"""Open namespaces by server's name, for the report of the test that is running."""


@contextmanager
def _used(server: Server) -> Iterator[str]:
    url = server.url
    IN_USE[server.name] += 1
    try:
        yield url
    finally:
        IN_USE[server.name] -= 1


@contextmanager
def postgres_database(suffix: str = "") -> Iterator[str]:
    """SQLAlchemy's URL (asyncpg) of an empty database."""
    with _used(POSTGRES) as url:
        parts = urllib.parse.urlsplit(url)
        name = OWN_NAME + suffix
        admin = parts._replace(scheme="postgresql").geturl()
        _wait_for(_run_sql(admin, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"'))
        try:
            yield parts._replace(path=f"/{name}").geturl()
        finally:
            _wait_for(_run_sql(admin, f'DROP DATABASE "{name}" WITH (FORCE)'))


@contextmanager
def redis_database() -> Iterator[str]:
    """URL of an empty database. Databases have numbers only, so one is claimed by this process's id in number 0."""
    with _used(REDIS) as url, Redis.from_url(_with_path(url, "/0"), socket_timeout=DEADLINE_S) as claims:
        number = next((each for each in REDIS_DATABASES if _claim(claims, each)), None)
        assert number is not None, f"all of Redis's databases are in use by live test processes; see KEYS {CLAIM}*"
        own = _with_path(url, f"/{number}")
        try:
            _flush(own)
            yield own
        finally:
            _flush(own)
            claims.delete(f"{CLAIM}{number}")


@contextmanager
def mongodb_database(suffix: str = "") -> Iterator[str]:
    """URL with the name of an empty database in its path."""
    with _used(MONGODB) as url, _mongo_client(url) as client:
        name = OWN_NAME + suffix
        client.drop_database(name)
        try:
            yield _with_path(url, f"/{name}")
        finally:
            client.drop_database(name)


@contextmanager
def opensearch_namespace(suffix: str = "") -> Iterator[OpenSearchNamespace]:
    """The node's URL and a prefix below which there is no index."""
    with _used(OPENSEARCH) as url:
        namespace = OpenSearchNamespace(url.rstrip("/"), f"{OWN_NAME}{suffix}-".replace("_", "-"))
        _delete_indexes(namespace)
        try:
            yield namespace
        finally:
            _delete_indexes(namespace)


@pytest.fixture(scope="session")
def _postgres_of_this_process() -> Iterator[str]:
    """Making a database takes a fifth of a second: one for all tests of a process, emptied for each."""
    with postgres_database() as url:
        # It is the tests that use it, one by one.
        IN_USE[POSTGRES.name] -= 1
        yield url
        IN_USE[POSTGRES.name] += 1


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """SQLAlchemy's URL (asyncpg) of an empty database."""
    with _used(POSTGRES):
        own: str = request.getfixturevalue("_postgres_of_this_process")
        plain = urllib.parse.urlsplit(own)._replace(scheme="postgresql").geturl()
        # Connections that a failed test left open would keep their locks.
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        end_others = f"SELECT pg_terminate_backend(pid) {others}"
        _wait_for(_run_sql(plain, end_others, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public"))
        yield own


@pytest.fixture
def redis_url() -> Iterator[str]:
    """URL of an empty database of a real Redis."""
    with redis_database() as url:
        yield url


@pytest.fixture
def mongodb_url() -> Iterator[str]:
    """URL of an empty database, its name in the path."""
    with mongodb_database() as url:
        yield url


@pytest.fixture
def _opensearch() -> Iterator[OpenSearchNamespace]:
    with opensearch_namespace() as namespace:
        yield namespace


@pytest.fixture
def opensearch_url(_opensearch: OpenSearchNamespace) -> str:
    """The node's URL; name indexes and aliases with `opensearch_prefix` in front."""
    return _opensearch.url


@pytest.fixture
def opensearch_prefix(_opensearch: OpenSearchNamespace) -> str:
    """What the names of the test's indexes and aliases start with; all of them are deleted afterwards."""
    return _opensearch.prefix


def _with_path(url: str, path: str) -> str:
    return urllib.parse.urlsplit(url)._replace(path=path).geturl()


def _wait_for(work: Coroutine[Any, Any, str]) -> str:
    """In a thread: an event loop may be running here already, when an async fixture asks for one of these."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _run_sql(url: str, *statements: str) -> str:
    """Each statement by itself; answers what the last one returned first."""
    connection = await asyncpg.connect(url, timeout=DEADLINE_S, command_timeout=DEADLINE_S)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return str(await connection.fetchval(statements[-1]))
    finally:
        await connection.close()


CLAIM = "marquee-test:database:"


def _claim(claims: Redis, number: int) -> bool:
    key = f"{CLAIM}{number}"
    owner = claims.get(key)
    if owner is not None and not _is_alive(int(owner)):
        claims.delete(key)
    return bool(claims.set(key, os.getpid(), nx=True))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _flush(url: str) -> None:
    with Redis.from_url(url, socket_timeout=DEADLINE_S) as client:
        client.flushdb()


def _mongo_client(url: str) -> MongoClient[dict[str, Any]]:
    milliseconds = int(DEADLINE_S * 1000)
    return MongoClient(url, serverSelectionTimeoutMS=milliseconds, socketTimeoutMS=milliseconds)


def _delete_indexes(namespace: OpenSearchNamespace) -> None:
    with httpx.Client(base_url=namespace.url, timeout=DEADLINE_S) as client:
        found = client.get(f"/_cat/indices/{namespace.prefix}*", params={"format": "json"})
        found.raise_for_status()
        for row in found.json():
            client.delete(f"/{row['index']}").raise_for_status()


def _postgres_version(url: str) -> str:
    plain = urllib.parse.urlsplit(url)._replace(scheme="postgresql").geturl()
    return _wait_for(_run_sql(plain, "SHOW server_version"))


def _redis_version(url: str) -> str:
    with Redis.from_url(url, socket_timeout=DEADLINE_S) as client:
        about = client.info("server")
    valkey = about.get("valkey_version")
    return f"Valkey {valkey}" if valkey else str(about["redis_version"])


def _mongodb_version(url: str) -> str:
    with _mongo_client(url) as client:
        about = client.admin.command("buildInfo")
    # Every build of MongoDB itself says from which commit it was made.
    return str(about["version"]) + ("" if "gitVersion" in about else ", wire-compatible server")


def _opensearch_version(url: str) -> str:
    answer = httpx.get(url, timeout=DEADLINE_S).raise_for_status().json()
    return str(answer["version"]["number"])


POSTGRES = Server("PostgreSQL", "MARQUEE_TEST_POSTGRES_URL", _postgres_version)
REDIS = Server("Redis", "MARQUEE_TEST_REDIS_URL", _redis_version)
MONGODB = Server("MongoDB", "MARQUEE_TEST_MONGODB_URL", _mongodb_version)
OPENSEARCH = Server("OpenSearch", "MARQUEE_TEST_OPENSEARCH_URL", _opensearch_version)
SERVERS = (POSTGRES, REDIS, MONGODB, OPENSEARCH)


@dataclass(eq=False)
class ServerTally:
    """Counts, where reports of all workers come together, and tells at the end."""

    used: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Once per test: at its end, its properties are complete."""
        if report.when != "teardown":
            return
        for name, value in report.user_properties:
            if name == USED:
                self.used[str(value)] += 1
            elif name == ABSENT:
                self.skipped[str(value)] += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """A line per server, unless no test that ran here wants any."""
        if not self.used and not self.skipped:
            return
        terminalreporter.section("real servers")
        for server in SERVERS:
            terminalreporter.write_line(self.line(server))

    def line(self, server: Server) -> str:
        """What there is to say of one server."""
        url = os.environ.get(server.variable, "")
        if not url:
            return f"{server.name}: absent ({server.variable} is unset), {self.skipped[server.name]} tests skipped"
        try:
            version = server.version(url)
        except Exception as error:  # noqa: BLE001  # foreign clients raise what they like; a summary must not fail
            version = f"does not answer any more ({type(error).__name__})"
        return f"{server.name} {version}: used by {self.used[server.name]} tests"


def pytest_configure(config: pytest.Config) -> None:
    """Where tests are reported (not in workers) they are counted."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(ServerTally(), "marquee-servers")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Note on the test which servers it used or wanted, so that the report carries it home."""
    if call.when == "setup":
        item.user_properties.extend((USED, name) for name, count in IN_USE.items() if count > 0)
        # By the sentence: a fixture of many tests skips once, and is then not asked again.
        reason = str(call.excinfo.value) if call.excinfo and call.excinfo.errisinstance(pytest.skip.Exception) else ""
        item.user_properties.extend((ABSENT, server.name) for server in SERVERS if server.variable in reason)
    return (yield)
