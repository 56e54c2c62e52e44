"""The namespaces on real servers that tests are given are empty each time, and the run's end says who used which."""

from __future__ import annotations

import asyncpg
import httpx
import pytest
from pymongo import MongoClient
from redis import Redis

from tests.support.servers import SERVERS, USED, ServerTally, mongodb_database, redis_database


@pytest.mark.parametrize("_turn", [1, 2])
async def test_postgresql_is_empty_each_time(postgres_url: str, _turn: int) -> None:
    """The second turn makes the same table again, though the first one died with a lock on it."""
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    await connection.execute("CREATE TABLE left_behind (id int)")
    await connection.execute("BEGIN")
    await connection.execute("LOCK TABLE left_behind")
    connection.terminate()


@pytest.mark.parametrize("_turn", [1, 2])
def test_redis_is_empty_each_time(redis_url: str, _turn: int) -> None:
    with Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left behind", 1)


def test_two_who_ask_for_a_redis_database_get_two(redis_url: str) -> None:
    """What the other one flushes is not ours."""
    with Redis.from_url(redis_url) as client:
        client.set("mine", 1)
        with redis_database() as other:
            assert other != redis_url
        assert client.get("mine") == b"1"


@pytest.mark.parametrize("_turn", [1, 2])
def test_mongodb_is_empty_each_time(mongodb_url: str, _turn: int) -> None:
    with MongoClient[dict[str, object]](mongodb_url) as client:
        database = client.get_default_database()
        assert database.list_collection_names() == []
        database["titles"].insert_one({"_id": "left behind"})


def test_mongodb_databases_of_two_suffixes_are_two(mongodb_url: str) -> None:
    with mongodb_database("_other") as other:
        assert other == f"{mongodb_url}_other"


@pytest.mark.parametrize("_turn", [1, 2])
def test_opensearch_is_empty_below_the_prefix_each_time(
    opensearch_url: str, opensearch_prefix: str, _turn: int
) -> None:
    with httpx.Client(base_url=opensearch_url) as client:
        assert client.head(f"/{opensearch_prefix}titles").status_code == 404
        assert client.put(f"/{opensearch_prefix}titles").status_code == 200


def test_the_summary_counts_users_and_names_what_was_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted once per test, from the report of its end; an absent server's line names its variable."""
    postgres = SERVERS[0]
    tally = ServerTally()
    for when in ("setup", "call", "teardown"):
        report = pytest.TestReport(
            "tests/x.py::test", ("", 0, ""), {}, "passed", None, when, user_properties=[(USED, "PostgreSQL")]
        )
        tally.pytest_runtest_logreport(report)
    assert tally.used == {"PostgreSQL": 1}
    monkeypatch.delenv(postgres.variable, raising=False)
    assert tally.line(postgres) == "PostgreSQL: absent (MARQUEE_TEST_POSTGRES_URL is unset), 0 tests skipped"


def test_a_summary_does_not_fail_with_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens on port 1."""
    postgres = SERVERS[0]
    monkeypatch.setenv(postgres.variable, "postgresql+asyncpg://nobody@127.0.0.1:1/none")
    assert ServerTally().line(postgres).startswith("PostgreSQL does not answer any more (")
