"""The titles subgraph for tests: plain parts without a server, and the application as it runs, on a real Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from common.clock import FakeClock
from common.settings import SharedSettings
from common.tokens import VIEWER_HEADER, SigningKey, Viewer, ensure_key_file, sign_service_token, sign_viewer_context
from subgraphs.kernel.sql import sqlite_url
from subgraphs.titles.adapters.sql import SqlTitleStore
from subgraphs.titles.adapters.tantivy_index import TantivyIndex
from subgraphs.titles.app import create_app
from subgraphs.titles.demo import seed_demo
from subgraphs.titles.domain.personal import ProfileTaste
from subgraphs.titles.domain.title import Title
from subgraphs.titles.ports import SearchIndex, TitleStore
from subgraphs.titles.services.calendar import AvailabilityCalendar
from subgraphs.titles.services.catalogue import Catalogue
from subgraphs.titles.services.editing import CatalogueEditor
from subgraphs.titles.services.following import ChangeFollower
from subgraphs.titles.services.indexing import SearchUpdater
from subgraphs.titles.services.search import SearchService
from subgraphs.titles.services.tastes import KnownTastes
from subgraphs.titles.services.writing import CatalogueWriter
from subgraphs.titles.settings import TitlesSettings
from tests.support.valkey_server import valkey_server

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
ADULT = Viewer(account_id="acc_1", country="US", profile_id="prof_1", maturity=18, subscription="ACTIVE")
CHILD = Viewer(account_id="acc_1", country="US", profile_id="prof_2", maturity=7, is_kids=True, subscription="ACTIVE")
STUDIO = Viewer(account_id="acc_9", country="US", scopes=frozenset({"studio"}))


@dataclass
class KeptTastes:
    """The port of tastes in memory."""

    kept: dict[str, ProfileTaste] = field(default_factory=dict)

    async def taste(self, profile_id: str) -> ProfileTaste | None:
        return self.kept.get(profile_id)

    async def put(self, profile_id: str, taste: ProfileTaste, at: datetime) -> None:
        self.kept[profile_id] = taste

    async def decide(self, profile_id: str, at: datetime, *, is_refused: bool) -> None:
        self.kept.pop(profile_id, None)

    async def end(self, profile_id: str, at: datetime) -> None:
        self.kept.pop(profile_id, None)

    async def forget(self, profile_id: str) -> None:
        self.kept.pop(profile_id, None)


@dataclass
class Parts:
    """The services on one store and one index."""

    store: TitleStore
    index: SearchIndex
    updater: SearchUpdater
    catalogue: Catalogue
    writer: CatalogueWriter
    editor: CatalogueEditor
    search: SearchService
    follower: ChangeFollower
    clock: FakeClock
    tastes: KeptTastes

    async def put(self, *titles: Title, **options: Any) -> None:
        await self.store.save(titles, **options)
        self.catalogue.replace(titles)
        await self.follower.catch_up()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlTitleStore]:
    store = await SqlTitleStore.open(sqlite_url(tmp_path / "titles.sqlite"))
    yield store
    await store.aclose()


@pytest.fixture
async def index() -> AsyncIterator[SearchIndex]:
    """In memory; the contract's tests put each engine in its place."""
    index = TantivyIndex(None)
    yield index
    await index.aclose()


@pytest.fixture
async def parts(store: TitleStore, index: SearchIndex) -> Parts:
    clock, calendar = FakeClock(NOW), AvailabilityCalendar()
    catalogue = Catalogue(store, clock, cache_size=10_000)
    updater = SearchUpdater(store, index, calendar, catalogue.titles)
    follower = updater.follower
    writer = CatalogueWriter(store, catalogue, follower.wake)
    tastes = KeptTastes()
    search = SearchService(index, catalogue, calendar, KnownTastes(tastes))
    editor = CatalogueEditor(writer, catalogue, store, clock)
    await updater.start()
    return Parts(store, index, updater, catalogue, writer, editor, search, follower, clock, tastes)


@pytest.fixture
async def demo(parts: Parts) -> Parts:
    """The demo catalogue, searchable."""
    await seed_demo(parts.writer)
    await parts.follower.catch_up()
    return parts


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(valkey_url)
    await client.flushall()
    yield client
    await client.aclose()


@dataclass
class Service:
    """A started application."""

    http: httpx.AsyncClient
    key: SigningKey
    clock: FakeClock
    resources: Any
    state_dir: Path = field(default_factory=Path)

    async def ask(self, query: str, viewer: Viewer | None = ADULT, **variables: Any) -> dict[str, Any]:
        """The whole answer's JSON."""
        headers = {}
        if viewer is not None:
            headers[VIEWER_HEADER] = sign_viewer_context(self.key, viewer.to_claims(), self.clock.now())
        response = await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def data(self, query: str, viewer: Viewer | None = ADULT, **variables: Any) -> Any:
        """The answer's data, which must have come without errors."""
        answer = await self.ask(query, viewer, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def settled(self) -> None:
        """What was written can be found."""
        async with asyncio.timeout(20):
            await self.resources.search_follower.settled()

    def service_token(self) -> dict[str, str]:
        # Service tokens are verified against the machine's clock.
        return {"authorization": f"Bearer {sign_service_token(self.key, 'test', datetime.now(UTC))}"}


OpenService = Callable[..., Any]


@asynccontextmanager
async def opened_service(state_dir: Path, *, valkey_url: str, **settings: Any) -> AsyncIterator[Service]:
    shared = SharedSettings(state_dir=state_dir, valkey_url=valkey_url)
    key = ensure_key_file(shared.keys_dir / "viewer.pem")
    clock = FakeClock(NOW)
    values = {"seed_demo": True, "artwork_prerendered_titles": 0, **settings}
    app = create_app(TitlesSettings(shared=shared, **values), clock)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://titles.test") as http,
    ):
        yield Service(http, key, clock, app.state.resources, state_dir)


@pytest.fixture
def open_service(tmp_path: Path, valkey_url: str) -> OpenService:
    """Opens services on one state folder, one after the other."""
    return partial(opened_service, tmp_path, valkey_url=valkey_url)


@pytest.fixture
async def own_service(open_service: OpenService, redis: Redis) -> AsyncIterator[Service]:
    """For a test that changes something."""
    async with open_service() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> AsyncIterator[Service]:
    """For tests that only read; started once for all of a module, which must use the module's event loop."""
    async with opened_service(tmp_path_factory.mktemp("state"), valkey_url=valkey_url) as opened:
        yield opened
