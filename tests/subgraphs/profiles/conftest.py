"""The profiles subgraph on a fresh store, with a clock that stands still and cheap password hashes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from common.clock import FakeClock
from common.settings import SharedSettings
from common.tokens import TokenVerifier, Viewer
from subgraphs.kernel.context import RequestHead
from subgraphs.kernel.graphql_http import shape_result
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.migrations import downgrade, upgrade
from subgraphs.kernel.policy import TitleFacts, Window
from subgraphs.kernel.rate_limit import InMemoryRateLimiter
from subgraphs.kernel.sql import open_engine, sqlite_url
from subgraphs.profiles.adapters.argon2_hasher import Argon2PasswordHasher
from subgraphs.profiles.adapters.sqlalchemy.tables import MIGRATIONS
from subgraphs.profiles.adapters.sqlalchemy.title_facts import SqlTitleFactsStore
from subgraphs.profiles.api.context import ProfilesContext, ProfilesServices
from subgraphs.profiles.api.schema import schema
from subgraphs.profiles.app import build_services
from subgraphs.profiles.domain.lists import KnownTitle
from subgraphs.profiles.settings import ProfilesSettings

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
EVERYWHERE = (Window("*"),)

FILMS = {
    "mov_film": TitleFacts(minimum_age=12, is_kids=False, windows=EVERYWHERE),
    "mov_adult": TitleFacts(minimum_age=18, is_kids=False, windows=EVERYWHERE),
    "mov_cartoon": TitleFacts(minimum_age=0, is_kids=True, windows=EVERYWHERE),
    "mov_german": TitleFacts(minimum_age=0, is_kids=True, windows=(Window("DE"),)),
    "mov_withdrawn": TitleFacts(minimum_age=0, is_kids=True, windows=EVERYWHERE, is_withdrawn=True),
}

SESSION = """session { accessToken accessTokenExpiresAt refreshToken
  account { id email country profiles { id name isKids } } profile { id name } }"""
SIGN_UP = f"""mutation($input: SignUpInput!) {{ signUp(input: $input) {{ __typename
  ... on SignUpSuccess {{ {SESSION} }} ... on InvalidInput {{ message fields {{ path message }} }}
  ... on EmailTaken {{ message }} ... on RateLimited {{ message retryAfterSeconds }} }} }}"""
SELECT = f"""mutation($input: SelectProfileInput!) {{ selectProfile(input: $input) {{ __typename
  ... on SelectProfileSuccess {{ {SESSION} }} ... on ProfileNotFound {{ message profileId }} }} }}"""


@dataclass
class Graph:
    """Sends operations to the schema as a viewer, and counts the statements that they cost."""

    services: ProfilesServices
    clock: FakeClock
    engine: AsyncEngine
    statements: list[str] = field(default_factory=list)

    async def __call__(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        *,
        token: str | None = None,
        address: str = "192.0.2.1",
    ) -> dict[str, Any]:
        """The answer's object; `token` is an access token, verified as the gateway does."""
        head = RequestHead(self.viewer(token), self.clock, self.clock.now(), "request-1", address)
        self.statements.clear()
        context = ProfilesContext(head=head, services=self.services)
        result = await schema.execute(query, variable_values=variables, context_value=context)
        return shape_result(result, "request-1")

    async def data(self, query: str, variables: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        """The answer's data; there must be no errors."""
        answer = await self(query, variables, **options)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def viewer(self, token: str | None) -> Viewer:
        if token is None:
            return Viewer()
        return TokenVerifier.for_access(self.services.signing_in.tokens.jwks, self.clock).verify_viewer(token)

    async def sign_up(self, email: str = "ada@example.org", **overrides: Any) -> dict[str, Any]:
        """A new account's session, account level."""
        values = {"email": email, "password": "correct horse", "country": "US", "profileName": "Ada", **overrides}
        result = (await self.data(SIGN_UP, {"input": values}, address=email))["signUp"]
        assert result["__typename"] == "SignUpSuccess", result
        # Profiles are shown by age: what is made next must be younger.
        self.clock.advance(timedelta(milliseconds=1))
        session: dict[str, Any] = result["session"]
        return session

    async def select(self, session: dict[str, Any], profile_id: str | None = None) -> dict[str, Any]:
        """The session with a profile (the first one)."""
        wanted = profile_id or session["account"]["profiles"][0]["id"]
        result = (await self.data(SELECT, {"input": {"profileId": wanted}}, token=session["accessToken"]))[
            "selectProfile"
        ]
        assert result["__typename"] == "SelectProfileSuccess", result
        selected: dict[str, Any] = result["session"]
        return selected

    async def viewer_token(self, email: str = "ada@example.org", **overrides: Any) -> str:
        """A new account's token with its first profile."""
        return str((await self.select(await self.sign_up(email, **overrides)))["accessToken"])

    async def kid_token(self, session: dict[str, Any]) -> str:
        """A token of a new kids profile in the session's account."""
        create = """mutation { createProfile(input: {name: "Milo", isKids: true}) {
          ... on CreateProfileSuccess { profile { id } } } }"""
        created = await self.data(create, token=session["accessToken"])
        return str((await self.select(session, created["createProfile"]["profile"]["id"]))["accessToken"])


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def settings(tmp_path: Path) -> ProfilesSettings:
    return ProfilesSettings(
        shared=SharedSettings(state_dir=tmp_path), argon2_memory_kib=64, argon2_passes=1, max_list_length=6
    )


@pytest.fixture(params=["sqlite", "postgresql"])
async def any_engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """Each store that is promised, migrated and empty."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    else:
        url = sqlite_url(tmp_path / "profiles.sqlite")
    opened = open_engine(url)
    await upgrade(opened, MIGRATIONS)
    yield opened
    await downgrade(opened, MIGRATIONS, "base")
    await opened.dispose()


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(sqlite_url(tmp_path / "profiles.sqlite"))
    await upgrade(opened, MIGRATIONS)
    yield opened
    await opened.dispose()


@pytest.fixture
async def graph(engine: AsyncEngine, settings: ProfilesSettings, clock: FakeClock) -> AsyncIterator[Graph]:
    hasher = Argon2PasswordHasher(memory_kib=64, passes=1, lanes=1, threads=2, max_waiting=10)
    services = build_services(settings, engine, hasher, InMemoryRateLimiter(), lambda: None, clock=clock)
    made = Graph(services, clock, engine)

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        made.statements.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", count)
    yield made
    hasher.close()


@pytest.fixture
async def films(engine: AsyncEngine) -> Sequence[str]:
    """FILMS are known."""
    known = [KnownTitle(TitleId(id_), "MOVIE", facts) for id_, facts in FILMS.items()]
    await SqlTitleFactsStore(engine).put_titles(known, START - timedelta(days=1))
    return tuple(FILMS)
