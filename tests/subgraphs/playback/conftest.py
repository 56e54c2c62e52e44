"""The playback subgraph as it runs: a real store, a real Valkey, and media services that speak real gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from common.clock import FakeClock
from common.events import Event, EventPublisher
from common.settings import SharedSettings
from common.tokens import VIEWER_HEADER, SigningKey, Viewer, ensure_key_file, sign_viewer_context
from grpc_protos.generated.marquee.common.v1 import media_pb2
from grpc_protos.generated.marquee.licensing.v1 import licensing_pb2, licensing_pb2_grpc
from grpc_protos.generated.marquee.steering.v1 import steering_pb2, steering_pb2_grpc
from subgraphs.playback.app import create_app
from subgraphs.playback.settings import PlaybackSettings
from subgraphs.playback.stores import Stores, open_stores
from tests.support.servers import mongodb_database, postgres_database
from tests.support.valkey_server import valkey_server

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(valkey_url)
    await client.flushdb()
    yield client
    await client.aclose()


class LicensingServer(licensing_pb2_grpc.LicensingServiceServicer):
    """Grants by plan as the contract says, remembers what it was asked, and can be told to fail."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.revoked: list[str] = []
        self.viewer_tokens: list[str] = []
        self.failure: grpc.StatusCode | None = None
        self.delay: Callable[[], Awaitable[None]] | None = None

    async def IssueEntitlement(self, request: Any, context: Any) -> Any:  # noqa: N802  # the contract's name
        self.requests.append(request)
        self.viewer_tokens.append(dict(context.invocation_metadata())[VIEWER_HEADER])
        if self.delay is not None:
            await self.delay()
        if self.failure is not None:
            await context.abort(self.failure, "as the test wants it")
        is_protected = request.supports_clearkey
        return licensing_pb2.IssueEntitlementResponse(
            playback_token=f"token-{request.session_id}",
            licence_url="http://media.test/licence/clearkey" if is_protected else "",
            max_height_px=min(1080, request.max_height_px or 1080),
            encryption=media_pb2.ENCRYPTION_CLEARKEY if is_protected else media_pb2.ENCRYPTION_CLEAR,
            entitlement_id="ent_1",
            media_token=f"media-{request.session_id}",
        )

    async def RevokeSession(self, request: Any, context: Any) -> Any:  # noqa: N802  # the contract's name
        self.revoked.append(request.session_id)
        return licensing_pb2.RevokeSessionResponse(revoked_count=1)


class SteeringServer(steering_pb2_grpc.SteeringServiceServicer):
    """Two pathways, named in the wrong order so that the caller must sort."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.failure: grpc.StatusCode | None = None

    async def OrderPathways(self, request: Any, context: Any) -> Any:  # noqa: N802  # the contract's name
        self.requests.append(request)
        if self.failure is not None:
            await context.abort(self.failure, "as the test wants it")
        return steering_pb2.OrderPathwaysResponse(
            pathways=[
                steering_pb2.OrderedPathway(id="edge-b", base_url="http://b.test", priority=1),
                steering_pb2.OrderedPathway(id="edge-a", base_url="http://a.test", priority=0),
            ],
            steering_url="http://a.test/steering/m/hls.json",
            media_token="m",
        )


@dataclass
class Subgraph:
    """A running playback subgraph."""

    client: httpx.AsyncClient
    clock: FakeClock
    key: SigningKey
    redis: Redis
    licensing: LicensingServer
    steering: SteeringServer
    services: Any
    settings: PlaybackSettings
    follow: Any

    async def ask(self, query: str, variables: dict[str, Any] | None = None, viewer: Viewer | None = None) -> Any:
        """The whole answer."""
        headers = {}
        if viewer is not None:
            headers[VIEWER_HEADER] = sign_viewer_context(self.key, viewer.to_claims(), self.clock.now())
        answer = await self.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        return answer.json()

    async def data(self, query: str, variables: dict[str, Any] | None = None, viewer: Viewer | None = None) -> Any:
        """The data of an answer without errors."""
        body = await self.ask(query, variables, viewer)
        assert "errors" not in body, body["errors"]
        return body["data"]

    async def tell_titles(self, *snapshots: dict[str, Any]) -> None:
        event = Event("titles", "title.changed", {"titles": list(snapshots)}, self.clock.now(), "1-1")
        await self.follow.on_titles(event)

    async def tell_asset(self, title_id: str, **overrides: Any) -> None:
        data = {**published(title_id), **overrides}
        await self.follow.on_assets(Event("assets", "asset.published", data, self.clock.now(), "1-2"))


def snapshot(title_id: str, **overrides: Any) -> dict[str, Any]:
    return {
        "id": title_id,
        "kind": "MOVIE",
        "displayName": title_id,
        "durationSeconds": 6000,
        "minimumAge": 12,
        "isKids": False,
        "windows": [{"country": "*", "from": None, "until": None}],
        "blockedCountries": [],
        "markers": [],
        **overrides,
    }


def published(title_id: str) -> dict[str, Any]:
    root = f"assets/ast_{title_id}"
    return {
        "titleId": title_id,
        "assetId": f"ast_{title_id}",
        "variants": {
            "clear": {"hls": f"{root}/clear/master.m3u8", "dash": f"{root}/clear/manifest.mpd"},
            "clearkey": {"hls": f"{root}/clearkey/master.m3u8", "dash": f"{root}/clearkey/manifest.mpd"},
        },
        "durationSeconds": 6000.0,
        "maxHeightPx": 720,
        "audioLanguages": ["en"],
        "subtitleLanguages": ["pt-BR"],
    }


@dataclass(frozen=True)
class Place:
    """Where a store is; `open` opens it, as often as wanted."""

    settings: PlaybackSettings

    @asynccontextmanager
    async def open(self, publisher: EventPublisher | None = None) -> AsyncIterator[Stores]:
        async with open_stores(self.settings, publisher) as stores:
            yield stores


@pytest.fixture(params=["sqlite", "postgresql", "mongodb"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    shared = SharedSettings(state_dir=tmp_path)
    if request.param == "sqlite":
        yield Place(PlaybackSettings(shared=shared))
        return
    database = postgres_database if request.param == "postgresql" else mongodb_database
    with database("_playback") as url:
        yield Place(PlaybackSettings(shared=shared, store_url=SecretStr(url)))


@pytest.fixture
def make_snapshot() -> Callable[..., dict[str, Any]]:
    return snapshot


@pytest.fixture
def viewer() -> Viewer:
    return Viewer(
        account_id="acc_1",
        session_id="ses_1",
        country="US",
        plan="STANDARD",
        subscription="ACTIVE",
        profile_id="prof_1",
        maturity=18,
        language="en",
    )


@asynccontextmanager
async def media_servers() -> AsyncIterator[tuple[LicensingServer, SteeringServer, str]]:
    server = grpc.aio.server()
    licensing, steering = LicensingServer(), SteeringServer()
    licensing_pb2_grpc.add_LicensingServiceServicer_to_server(licensing, server)
    steering_pb2_grpc.add_SteeringServiceServicer_to_server(steering, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield licensing, steering, f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@pytest.fixture
async def subgraph(
    tmp_path: Path, valkey_url: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Subgraph]:
    from subgraphs.playback.adapters.sqlalchemy.bookmarks import SqlBookmarkStore
    from subgraphs.playback.adapters.sqlalchemy.catalogue import SqlTitleCatalogue
    from subgraphs.playback.services.follow_events import FollowEvents

    key = ensure_key_file(tmp_path / "keys" / "viewer.pem")
    clock = FakeClock(NOW)
    async with media_servers() as (licensing, steering, target):
        settings = PlaybackSettings(
            shared=SharedSettings(state_dir=tmp_path, valkey_url=valkey_url),
            licensing_target=target,
            steering_target=target,
            call_timeout_s=1.0,
        )
        app = create_app(settings, clock)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://playback.test") as client:
                services = app.state.resources
                catalogue = services.start._catalogue
                bookmarks = services.start._bookmarks
                assert isinstance(catalogue, SqlTitleCatalogue)
                assert isinstance(bookmarks, SqlBookmarkStore)
                yield Subgraph(
                    client=client,
                    clock=clock,
                    key=key,
                    redis=redis,
                    licensing=licensing,
                    steering=steering,
                    services=services,
                    settings=settings,
                    follow=FollowEvents(catalogue, bookmarks, services.end),
                )


@dataclass
class Player:
    """A device that plays one title and numbers its reports."""

    subgraph: Subgraph
    viewer: Viewer
    session: dict[str, Any]
    sequence: int = field(default=0)

    async def report(self, position_s: float, sequence: int | None = None) -> Any:
        self.sequence = self.sequence + 1 if sequence is None else sequence
        values = {"sessionId": self.session["id"], "positionSeconds": position_s, "sequence": self.sequence}
        return (await self.subgraph.data(HEARTBEAT, {"input": values}, self.viewer))["heartbeat"]

    async def stop(self, position_s: float) -> Any:
        self.sequence += 1
        values = {"sessionId": self.session["id"], "positionSeconds": position_s, "sequence": self.sequence}
        return (await self.subgraph.data(STOP, {"input": values}, self.viewer))["stopPlayback"]


START = """mutation ($input: StartPlaybackInput!) { startPlayback(input: $input) { __typename
  ... on StartPlaybackSuccess { session { id startedAt title { id } manifests { protocol url encryption mimeType } licenceUrl
    playbackToken steeringUrl resumePositionSeconds durationSeconds maxHeightPx heartbeatIntervalSeconds
    markers { kind startSeconds endSeconds } subtitles { language label } audioTracks { language label } thumbnailsUrl
    nextTitle { id } pathways { id priority } isSteered } }
  ... on PlaybackRefused { reason message maxStreams retryAfterSeconds } } }"""
HEARTBEAT = """mutation ($input: HeartbeatInput!) { heartbeat(input: $input) { __typename
  ... on HeartbeatSuccess { acceptedPositionSeconds refusal title { id } }
  ... on SessionNotFound { message sessionId } ... on InvalidInput { message fields { path message } } } }"""
STOP = """mutation ($input: StopPlaybackInput!) { stopPlayback(input: $input) { __typename
  ... on StopPlaybackSuccess { title { id progress { positionSeconds completed } } }
  ... on SessionNotFound { message } ... on InvalidInput { message fields { path message } } } }"""


@pytest.fixture
def start(subgraph: Subgraph, viewer: Viewer) -> Callable[..., Awaitable[Any]]:
    """Press play; the result as it came."""

    async def press(
        title_id: str, *, as_viewer: Viewer | None = viewer, start_over: bool = False, **device: Any
    ) -> Any:
        values = {
            "titleId": title_id,
            "device": {"id": "tv-1", "formFactor": "TV", **device},
            "startOver": start_over,
        }
        return (await subgraph.data(START, {"input": values}, as_viewer))["startPlayback"]

    return press


@pytest.fixture
def play(subgraph: Subgraph, viewer: Viewer, start: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Player]]:
    """Press play where that must work."""

    async def press(title_id: str, *, as_viewer: Viewer = viewer, **options: Any) -> Player:
        # Two starts at one instant do not happen.
        subgraph.clock.advance(timedelta(seconds=1))
        result = await start(title_id, as_viewer=as_viewer, **options)
        assert result["__typename"] == "StartPlaybackSuccess", result
        return Player(subgraph, as_viewer, result["session"])

    return press
