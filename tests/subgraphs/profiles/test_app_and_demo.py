"""The whole subgraph as it runs: HTTP, real Valkey, migrations, key set, events in and out, the demo."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from graphql import parse, print_ast
from redis.asyncio import Redis
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from common.clock import FakeClock
from common.events import Event, EventPublisher, stream_key
from common.settings import SharedSettings
from common.signing_keys import KeyRing
from common.tokens import TokenVerifier, ensure_key_file, sign_viewer_context
from subgraphs.kernel.export_sdl import export_sdl, load_schema
from subgraphs.kernel.migrations import downgrade, upgrade
from subgraphs.profiles.adapters.sqlalchemy.tables import MIGRATIONS, metadata
from subgraphs.profiles.app import create_app
from subgraphs.profiles.demo import DEMO_PASSWORD, seed_demo
from subgraphs.profiles.services.access_tokens import AccessTokens
from subgraphs.profiles.settings import ProfilesSettings
from tests.support.valkey_server import valkey_server

ROOT = Path(__file__).resolve().parents[3]
LOG_IN = """mutation($email: String!, $password: String!) { logIn(input: {email: $email, password: $password}) {
  __typename ... on LogInSuccess { session { accessToken account { profiles { id name } } } }
  ... on RateLimited { retryAfterSeconds } } }"""
SELECT = """mutation($id: ID!) { selectProfile(input: {profileId: $id}) {
  ... on SelectProfileSuccess { session { accessToken } } } }"""
ADD = 'mutation { addToMyList(titleId: "mov_1") { __typename } }'


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(valkey_url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def app_settings(tmp_path: Path, valkey_url: str, redis: Redis) -> ProfilesSettings:
    shared = SharedSettings(state_dir=tmp_path, valkey_url=valkey_url)
    return ProfilesSettings(shared=shared, argon2_memory_kib=64, argon2_passes=1)


@pytest.fixture
async def app(app_settings: ProfilesSettings) -> AsyncIterator[Starlette]:
    made = create_app(app_settings)
    async with made.router.lifespan_context(made):
        yield made


class Gateway:
    """Asks the application as the gateway does: access token verified by the key set, viewer context signed."""

    def __init__(self, app: Starlette, settings: ProfilesSettings) -> None:
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://profiles")
        self.key = ensure_key_file(settings.shared.keys_dir / "viewer.pem")

    async def ask(self, query: str, token: str | None = None, **variables: Any) -> dict[str, Any]:
        headers = {}
        if token is not None:
            jwks = (await self.http.get("/.well-known/jwks.json")).json()
            viewer = TokenVerifier.for_access(jwks).verify_viewer(token)
            headers["x-marquee-viewer"] = sign_viewer_context(self.key, viewer.to_claims(), datetime.now(UTC))
        answer = await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert "errors" not in body, body
        data: dict[str, Any] = body["data"]
        return data


async def test_a_viewer_from_log_in_to_a_told_change(
    app: Starlette, app_settings: ProfilesSettings, redis: Redis
) -> None:
    """News of a title come in, a demo viewer puts it on the list, the event goes out."""
    gateway = Gateway(app, app_settings)
    await seed_demo(app.state.resources)
    snapshot = {
        "id": "mov_1",
        "kind": "MOVIE",
        "displayName": "A film",
        "synopsis": "",
        "genres": [],
        "cast": [],
        "directors": [],
        "minimumAge": 12,
        "isKids": False,
        "windows": [{"country": "*", "from": None, "until": None}],
        "blockedCountries": [],
        "popularity": 0.5,
        "addedAt": "2026-11-01T00:00:00+00:00",
        "markers": [],
    }
    await EventPublisher(redis).publish(Event("titles", "title.changed", {"titles": [snapshot]}, datetime.now(UTC)))
    session = (await gateway.ask(LOG_IN, email="premium@marquee.example", password=DEMO_PASSWORD))["logIn"]["session"]
    by_name = {profile["name"]: profile["id"] for profile in session["account"]["profiles"]}
    tokens = {
        name: (await gateway.ask(SELECT, session["accessToken"], id=by_name[name]))["selectProfile"]["session"]
        for name in ("Ada", "Milo")
    }
    ada, milo = tokens["Ada"]["accessToken"], tokens["Milo"]["accessToken"]
    async with asyncio.timeout(10):
        while (await gateway.ask(ADD, ada))["addToMyList"]["__typename"] == "TitleNotFound":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert (await gateway.ask(ADD, milo))["addToMyList"]["__typename"] == "TitleNotFound"
        while not await redis.xlen(stream_key("feedback")):  # noqa: ASYNC110  # the other side is a server
            await asyncio.sleep(0.01)
    entries: Any = await redis.xrange(stream_key("feedback"))
    assert [fields[b"kind"] for _, fields in entries] == [b"list.changed"]


async def test_log_ins_are_limited_by_the_address_that_the_gateway_saw(
    app: Starlette, app_settings: ProfilesSettings
) -> None:
    """The 21st of one address is limited, the first of another is not."""
    http = Gateway(app, app_settings).http
    body = {"query": LOG_IN, "variables": {"email": "nobody@example.org", "password": "guess"}}
    kinds = []
    for number in range(22):
        address = "203.0.113.5" if number < 21 else "203.0.113.6"
        answer = await http.post("/graphql", json=body, headers={"x-forwarded-for": f"10.0.0.{number}, {address}"})
        kinds.append(answer.json()["data"]["logIn"]["__typename"])
    assert kinds == ["InvalidCredentials"] * 20 + ["RateLimited", "InvalidCredentials"]


async def test_health_and_key_set(app: Starlette, app_settings: ProfilesSettings) -> None:
    """Ready, and the public key alone."""
    http = Gateway(app, app_settings).http
    health = (await http.get("/health")).json()
    assert (health["ready"], health["checks"]) == (True, {"store": "ok", "events": "ok"})
    answer = await http.get("/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    [key] = answer.json()["keys"]
    assert (key["alg"], key["use"], "d" in key) == ("ES256", "sig", False)


async def test_runs_without_valkey_and_says_so(tmp_path: Path) -> None:
    """Log-ins go on; events wait in the outbox; health is degraded, not unready."""
    shared = SharedSettings(state_dir=tmp_path, valkey_url="unix:///nowhere/at/all")
    settings = ProfilesSettings(shared=shared, argon2_memory_kib=64, argon2_passes=1)
    app = create_app(settings)
    async with asyncio.timeout(10), app.router.lifespan_context(app):
        await seed_demo(app.state.resources)
        gateway = Gateway(app, settings)
        result = await gateway.ask(LOG_IN, email="basic@marquee.example", password=DEMO_PASSWORD)
        assert result["logIn"]["__typename"] == "LogInSuccess"
        health = await gateway.http.get("/health")
        assert (health.status_code, health.json()["status"]) == (200, "degraded")


async def test_a_restart_keeps_everything(app_settings: ProfilesSettings) -> None:
    """Accounts, keys and sessions: a token from before still works after."""
    first = create_app(app_settings)
    async with first.router.lifespan_context(first):
        await seed_demo(first.state.resources)
        gateway = Gateway(first, app_settings)
        answer = await gateway.ask(LOG_IN, email="basic@marquee.example", password=DEMO_PASSWORD)
        token = answer["logIn"]["session"]["accessToken"]
    second = create_app(app_settings)
    async with second.router.lifespan_context(second):
        viewer = (await Gateway(second, app_settings).ask("{ viewer { account { email } } }", token))["viewer"]
    assert viewer == {"account": {"email": "basic@marquee.example"}}


async def test_the_demo_is_made_once_and_keeps_what_users_did(app: Starlette) -> None:
    """Five accounts with their profiles, a lapsed one and one of the studio; a second time changes nothing."""
    first = await seed_demo(app.state.resources)
    second = await seed_demo(app.state.resources)
    assert first == second
    profiles = {seeded.account.email: [profile.name for profile in seeded.profiles] for seeded in first}
    assert profiles == {
        "basic@marquee.example": ["Alan"],
        "standard@marquee.example": ["Barbara", "Edsger"],
        "premium@marquee.example": ["Ada", "Grace", "Milo"],
        "lapsed@marquee.example": ["Charles"],
        "studio@marquee.example": ["Studio"],
    }
    by_email = {seeded.account.email: seeded for seeded in first}
    assert by_email["lapsed@marquee.example"].account.subscription.status == "EXPIRED"
    assert by_email["studio@marquee.example"].account.scopes == {"studio"}
    milo = by_email["premium@marquee.example"].profiles[2]
    assert (milo.is_kids, milo.maturity_limit) == (True, 7)


def test_a_rotated_key_keeps_old_tokens_good(tmp_path: Path) -> None:
    """The new key is published at once and signs in its time; the old one stays published beside it."""
    settings, clock = ProfilesSettings(shared=SharedSettings(state_dir=tmp_path)), FakeClock(datetime.now(UTC))
    tokens = AccessTokens.open(settings.access_key_path, settings.access_token_life, clock)
    first = tokens.ring.signing_key().key_id
    KeyRing(settings.access_key_path, clock=clock).rotate(timedelta(minutes=10))
    published = {key["kid"] for key in tokens.jwks["keys"]}
    assert (len(published), tokens.ring.signing_key().key_id) == (2, first)
    clock.advance(timedelta(minutes=11))
    assert tokens.ring.signing_key().key_id in published - {first}
    assert {key["kid"] for key in tokens.jwks["keys"]} == published
    assert not any("d" in key for key in tokens.jwks["keys"])


async def test_the_tables_are_what_the_migrations_make(any_engine: AsyncEngine) -> None:
    """No drift between the two, on either database."""

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": connection.dialect.name != "sqlite"})
        return list(compare_metadata(context, metadata))

    async with any_engine.connect() as connection:
        found = await connection.run_sync(differences)
    assert [difference for difference in found if "alembic_version" not in str(difference)] == []


async def test_migrations_go_down_and_up_again(any_engine: AsyncEngine) -> None:
    """Down to nothing; up twice is up once."""
    await downgrade(any_engine, MIGRATIONS, "base")
    async with any_engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    assert tables == ["alembic_version"]
    await upgrade(any_engine, MIGRATIONS)
    await upgrade(any_engine, MIGRATIONS)


def test_the_committed_sdl_is_the_codes() -> None:
    """Word for word, so that a change of the schema shows in review."""
    assert (ROOT / "schema/subgraphs/profiles.graphql").read_text() == export_sdl(load_schema("profiles"))


def test_the_sdl_reads_back() -> None:
    """As valid SDL, in a stable form."""
    text = export_sdl(load_schema("profiles"))
    assert print_ast(parse(text)) + "\n" == text


async def test_sessions_that_ended_are_told_to_the_gateway(app: Starlette, app_settings: ProfilesSettings) -> None:
    """From the log-out on."""
    gateway = Gateway(app, app_settings)
    await seed_demo(app.state.resources)
    session = (await gateway.ask(LOG_IN, email="basic@marquee.example", password=DEMO_PASSWORD))["logIn"]["session"]
    assert (await gateway.http.get("/.well-known/revoked-sessions.json")).json() == {"sessions": []}
    await gateway.ask("mutation { logOut(everywhere: true) { loggedOut } }", session["accessToken"])
    told = (await gateway.http.get("/.well-known/revoked-sessions.json")).json()["sessions"]
    claims = TokenVerifier.for_access(app.state.resources.signing_in.tokens.jwks).verify(session["accessToken"])
    assert told == [claims["sid"]]
