"""Personal data in tables and keys: handed out without secrets, erased for one account only, counted to zero."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import strawberry
from redis.asyncio import Redis
from sqlalchemy import JSON, Column, Integer, MetaData, String, Table, insert
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from common.tokens import ensure_key_file, sign_service_token, sign_viewer_context
from subgraphs.kernel.app import OpenedSubgraph, create_subgraph_app
from subgraphs.kernel.context import RequestContext
from subgraphs.kernel.entities import build_schema
from subgraphs.kernel.ids import AccountId, ProfileId
from subgraphs.kernel.personal_data import Owner, Subject
from subgraphs.kernel.personal_keys import OWNER_MARK, PersonalKeys, ValkeyPersonalData
from subgraphs.kernel.personal_tables import ERASED_OWNER, Ending, PersonalTable, SqlPersonalData
from subgraphs.kernel.settings import SubgraphSettings
from subgraphs.kernel.sql import open_engine, sqlite_url, writing

metadata = MetaData()
accounts = Table("accounts", metadata, Column("id", String, primary_key=True), Column("password_hash", String))
sessions = Table("sessions", metadata, Column("id", String, primary_key=True), Column("account_id", String))
tokens = Table("tokens", metadata, Column("hash", String, primary_key=True), Column("session_id", String))
places = Table("places", metadata, Column("number", Integer, primary_key=True), Column("profile_id", String))
waiting = Table("waiting", metadata, Column("number", Integer, primary_key=True), Column("data", JSON))
audit = Table("audit", metadata, Column("number", Integer, primary_key=True), Column("account_id", String))

TABLES = (
    PersonalTable(tokens.c.session_id, Owner.ACCOUNT, (sessions.c.id, sessions.c.account_id), frozenset({"hash"})),
    PersonalTable(sessions.c.account_id, Owner.ACCOUNT),
    PersonalTable(places.c.profile_id, Owner.PROFILE),
    PersonalTable(waiting.c.data, Owner.MENTIONED, is_exported=False),
    PersonalTable(audit.c.account_id, Owner.ACCOUNT, ending=Ending.ANONYMISED),
    PersonalTable(accounts.c.id, Owner.ACCOUNT, hidden=frozenset({"password_hash"})),
)
ADA = Subject(AccountId("acc_ada"), (ProfileId("prof_ada_1"), ProfileId("prof_ada_2")))
BOB = Subject(AccountId("acc_bob"), (ProfileId("prof_bob_1"),))


async def plant(engine: AsyncEngine, subject: Subject, number: int) -> None:
    async with writing(engine) as connection:
        name = subject.account_id
        await connection.execute(insert(accounts).values(id=name, password_hash=f"secret of {name}"))
        await connection.execute(insert(sessions).values(id=f"ses_{name}", account_id=name))
        await connection.execute(insert(tokens).values(hash=f"token of {name}", session_id=f"ses_{name}"))
        await connection.execute(insert(places).values(number=number, profile_id=subject.profile_ids[-1]))
        data = {"profileId": subject.profile_ids[0]}
        await connection.execute(insert(waiting).values(number=number, data=data))
        await connection.execute(insert(audit).values(number=number, account_id=name))


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(sqlite_url(tmp_path / "store" / "store.sqlite"))
    async with writing(opened) as connection:
        await connection.run_sync(metadata.create_all)
    await plant(opened, ADA, 1)
    await plant(opened, BOB, 2)
    yield opened
    await opened.dispose()


async def test_tables_are_exported_without_secrets_and_without_neighbours(engine: AsyncEngine) -> None:
    """Rows by place, found by account, by profile, and by another table's row."""
    records = await SqlPersonalData(engine, TABLES).export_personal(ADA)

    assert records == {
        "table:tokens": [{"session_id": "ses_acc_ada"}],
        "table:sessions": [{"id": "ses_acc_ada", "account_id": "acc_ada"}],
        "table:places": [{"number": 1, "profile_id": "prof_ada_2"}],
        "table:audit": [{"number": 1, "account_id": "acc_ada"}],
        "table:accounts": [{"id": "acc_ada"}],
    }


async def test_tables_are_erased_for_one_account(engine: AsyncEngine) -> None:
    """Everything of it, again changes nothing, and the neighbour keeps all."""
    data = SqlPersonalData(engine, TABLES)
    before = await data.count_personal(BOB)

    erased = await data.erase_personal(ADA)

    assert erased == dict.fromkeys(before, 1)
    assert await data.count_personal(ADA) == dict.fromkeys(before, 0)
    assert await data.erase_personal(ADA) == dict.fromkeys(before, 0)
    assert await data.count_personal(BOB) == before == dict.fromkeys(before, 1)
    kept = await data.export_personal(Subject(AccountId(ERASED_OWNER)))
    assert kept["table:audit"] == [{"number": 1, "account_id": ERASED_OWNER}]


async def test_scrubbing_leaves_no_byte(engine: AsyncEngine, tmp_path: Path) -> None:
    """Neither in the file nor in its write-ahead log."""
    data = SqlPersonalData(engine, TABLES)
    await data.erase_personal(ADA)
    await data.scrub()

    content = b"".join(path.read_bytes() for path in (tmp_path / "store").iterdir())

    assert b"acc_ada" not in content
    assert b"prof_ada" not in content
    assert b"acc_bob" in content


KEYS = (
    PersonalKeys(f"test:taste:{OWNER_MARK}", Owner.PROFILE),
    PersonalKeys(f"test:lease:{{{OWNER_MARK}}}", Owner.ACCOUNT, is_exported=False),
    PersonalKeys(f"test:view:{OWNER_MARK}:*", Owner.PROFILE),
    PersonalKeys("test:session:*", Owner.MENTIONED),
)


async def plant_keys(redis: Redis, subject: Subject) -> None:
    profile_id, account_id = subject.profile_ids[0], subject.account_id
    await redis.hset(f"test:taste:{profile_id}", mapping={"country": '"FI"', "v": "2"})  # type: ignore[misc]
    await redis.zadd(f"test:lease:{{{account_id}}}", {"device": 1})
    await redis.set(f"test:view:{profile_id}:mov_1:5", 1)
    await redis.set(f"test:session:{account_id[::-1]}", f'{{"account_id": "{account_id}"}}')
    await redis.xadd(f"test:session:stream:{account_id[::-1]}", {"who": account_id})


async def test_keys_are_found_by_name_and_by_value(redis: Redis) -> None:
    """Of any type; exported as JSON where it is JSON; erased for one account."""
    await plant_keys(redis, ADA)
    await plant_keys(redis, BOB)
    data = ValkeyPersonalData(redis, KEYS)

    records = await data.export_personal(ADA)
    erased = await data.erase_personal(ADA)

    assert records["keys:test:taste:"] == [{"key": "test:taste:prof_ada_1", "value": {"country": "FI", "v": 2}}]
    assert all(record["value"] for record in records["keys:test:session:"])
    assert len(records["keys:test:session:"]) == 2
    assert "keys:test:lease:" not in records
    assert erased == {"keys:test:taste:": 1, "keys:test:lease:": 1, "keys:test:view:": 1, "keys:test:session:": 2}
    assert set((await data.count_personal(ADA)).values()) == {0}
    assert sum((await data.count_personal(BOB)).values()) == 5


async def test_an_id_is_no_pattern(redis: Redis) -> None:
    """Whatever an id looks like, it means itself."""
    await plant_keys(redis, BOB)
    assert set(
        (await ValkeyPersonalData(redis, KEYS).erase_personal(Subject(AccountId("*"), (ProfileId("prof_*"),)))).values()
    ) == {0}


@strawberry.type
class Query:
    """Something to ask."""

    ping: str = "pong"


@pytest.fixture
async def client(
    engine: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path))
    ensure_key_file(tmp_path / "keys" / "viewer.pem")

    @asynccontextmanager
    async def open_subgraph() -> AsyncIterator[OpenedSubgraph]:
        yield OpenedSubgraph(
            make_context=lambda head: RequestContext(head=head), personal_data=[SqlPersonalData(engine, TABLES)]
        )

    app: Starlette = create_subgraph_app(
        name="things", schema=build_schema(query=Query), settings=SubgraphSettings(), open_subgraph=open_subgraph
    )
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://things") as opened,
    ):
        yield opened


def token(tmp_path: Path) -> dict[str, str]:
    key = ensure_key_file(tmp_path / "keys" / "viewer.pem")
    return {"authorization": f"Bearer {sign_service_token(key, 'profiles', datetime.now(UTC))}"}


async def ask(client: httpx.AsyncClient, action: str, headers: dict[str, str], body: Any) -> httpx.Response:
    return await client.post(f"/internal/personal-data/{action}", json=body, headers=headers)


async def test_the_route_exports_erases_and_counts(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """For a bearer of a service token."""
    headers, body = token(tmp_path), ADA.to_json()

    exported = (await ask(client, "export", headers, body)).json()["records"]
    erased = (await ask(client, "erase", headers, body)).json()["counts"]
    left = (await ask(client, "count", headers, body)).json()["counts"]
    scrubbed = await ask(client, "scrub", headers, body)

    assert exported["table:accounts"] == [{"id": "acc_ada"}]
    assert set(erased.values()) == {1}
    assert set(left.values()) == {0}
    assert scrubbed.status_code == 200


async def test_the_route_is_for_services_alone(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """Without a token, with a viewer's, or with nonsense, nothing is told and nothing erased."""
    key = ensure_key_file(tmp_path / "keys" / "viewer.pem")
    viewer = sign_viewer_context(key, {"sub": "acc_ada"}, datetime.now(UTC))
    for headers in ({}, {"authorization": "Bearer x"}, {"authorization": f"Bearer {viewer}"}):
        assert (await ask(client, "erase", headers, ADA.to_json())).status_code == 401
    counts = (await ask(client, "count", token(tmp_path), ADA.to_json())).json()["counts"]
    assert set(counts.values()) == {1}


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("forget", {"accountId": "acc_ada"}, 404),
        ("erase", {}, 400),
        ("erase", [], 400),
        ("erase", {"accountId": ""}, 400),
        ("erase", {"accountId": "acc_ada", "profileIds": "prof_1"}, 400),
        ("erase", {"accountId": "acc_ada", "profileIds": ["x" * 201]}, 400),
    ],
)
async def test_bad_requests_are_refused_by_name(
    client: httpx.AsyncClient, tmp_path: Path, action: str, body: Any, status: int
) -> None:
    """With what was wrong, and nothing done."""
    answer = await ask(client, action, token(tmp_path), body)
    assert answer.status_code == status
    assert answer.json()["error"]
