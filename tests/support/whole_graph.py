"""The graph in one process: the gateway, the four subgraphs, licensing and steering, as they are, on a real Valkey.

Nothing is replaced: the supergraph is composed from the code, subgraphs are called through their ASGI interface, the
media services speak gRPC on free ports, facts travel as events. What runs in one event loop can be counted exactly.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import httpx
from redis.asyncio import Redis
from starlette.applications import Starlette

from common.clock import SystemClock
from common.events import Event, EventPublisher
from common.settings import SharedSettings
from common.tokens import (
    VIEWER_HEADER,
    SigningKey,
    Viewer,
    ensure_key_file,
    sign_access_token,
    sign_service_token,
    sign_viewer_context,
)
from gateway.pipeline.persisted import sha256_of
from gateway.server.app import create_app as create_gateway
from gateway.settings import GatewaySettings
from grpc_protos.generated.marquee.common.v1 import media_pb2
from grpc_protos.generated.marquee.licensing.v1 import licensing_pb2, licensing_pb2_grpc
from media_pipeline.licensing.server import running_server as licensing_server
from media_pipeline.licensing.settings import LicensingSettings
from media_pipeline.steering.server import running_server as steering_server
from media_pipeline.steering.settings import SteeringSettings
from stack.schema_artifacts import build_artifacts
from subgraphs.playback.app import create_app as create_playback
from subgraphs.playback.settings import PlaybackSettings
from subgraphs.profiles.app import create_app as create_profiles
from subgraphs.profiles.settings import ProfilesSettings
from subgraphs.recommendations.app import create_app as create_recommendations
from subgraphs.recommendations.settings import RecommendationsSettings
from subgraphs.titles.app import create_app as create_titles
from subgraphs.titles.domain.title import MediaStatus, Title
from subgraphs.titles.services.media import read_asset
from subgraphs.titles.services.writing import CatalogueWriter
from subgraphs.titles.settings import TitlesSettings
from tests.support.planted_catalogue import PlantedCatalogue, plant_catalogue

__all__ = ["GraphAnswer", "WholeGraph", "whole_graph"]

SETTLE_S = 30.0
"""Until everybody has heard of the planted titles; it takes about a second."""
GENEROUS = 1_000_000
"""For limits that have tests of their own."""


@dataclass(frozen=True)
class GraphAnswer:
    """One HTTP answer with a GraphQL body."""

    status: int
    text: str
    body: dict[str, Any]

    @property
    def data(self) -> Any:
        """Without errors, or the test fails."""
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]


@dataclass
class WholeGraph:
    """The running graph and the keys to it. `supergraph` and `api` are SDL, `subgraph_sdl` by name."""

    shared: SharedSettings
    gateway: httpx.AsyncClient
    subgraphs: Mapping[str, httpx.AsyncClient]
    applications: Mapping[str, Starlette]
    channels: Mapping[str, grpc.aio.Channel]
    redis: Redis
    artifacts: Mapping[str, str]
    catalogue: PlantedCatalogue
    known_texts: set[str] = field(default_factory=set)

    @property
    def viewer_key(self) -> SigningKey:
        """What the gateway signs viewer contexts with."""
        return ensure_key_file(self.shared.keys_dir / "viewer.pem")

    @property
    def access_key(self) -> SigningKey:
        """What profiles signs access tokens with."""
        return ensure_key_file(self.shared.keys_dir / "access.pem")

    async def ask(
        self, query: str, variables: Mapping[str, Any] | None = None, *, token: str | None = None
    ) -> GraphAnswer:
        """By POST, as clients usually do."""
        return _answer(
            await self.gateway.post(
                "/graphql", json={"query": query, "variables": dict(variables or {})}, headers=_bearer(token)
            )
        )

    async def ask_by_get(
        self, query: str, variables: Mapping[str, Any] | None = None, *, token: str | None = None
    ) -> GraphAnswer:
        """With everything in the URL."""
        parameters = {"query": query, "variables": json.dumps(dict(variables or {}))}
        return _answer(await self.gateway.get("/graphql", params=parameters, headers=_bearer(token)))

    async def ask_by_hash(
        self, query: str, variables: Mapping[str, Any] | None = None, *, token: str | None = None
    ) -> GraphAnswer:
        """By the text's hash alone; an anonymous client taught it before."""
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256_of(query)}}
        if query not in self.known_texts:
            self.known_texts.add(query)
            # Taught with variables that do not fit, so that nothing is executed meanwhile.
            await self.gateway.post(
                "/graphql", json={"query": query, "operationName": "NotThere", "extensions": extensions}
            )
        body = {"variables": dict(variables or {}), "extensions": extensions}
        return _answer(await self.gateway.post("/graphql", json=body, headers=_bearer(token)))

    async def ask_subgraph(
        self,
        name: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        viewer: Viewer | None = None,
        viewer_token: str | None = None,
    ) -> GraphAnswer:
        """Past the gateway, with a viewer context that the gateway could have signed, or with `viewer_token` as it is."""
        if viewer is not None:
            viewer_token = sign_viewer_context(self.viewer_key, viewer.to_claims(), datetime.now(UTC))
        headers = {} if viewer_token is None else {VIEWER_HEADER: viewer_token}
        body = {"query": query, "variables": dict(variables or {})}
        return _answer(await self.subgraphs[name].post("/graphql", json=body, headers=headers))

    def access_token(self, viewer: Viewer, life: timedelta = timedelta(minutes=15)) -> str:
        """A client's token for a viewer, signed as profiles signs them; a negative life: expired."""
        return sign_access_token(self.access_key, viewer, datetime.now(UTC), life)

    async def publish(self, topic: str, kind: str, data: Mapping[str, Any], at: datetime | None = None) -> None:
        """One event, as its owner would tell it; now, unless it says when."""
        await EventPublisher(self.redis).publish(Event(topic, kind, data, at or datetime.now(UTC)))

    def catalogue_writer(self) -> CatalogueWriter:
        """The titles subgraph's, over its own store and cache."""
        resources = self.applications["titles"].state.resources
        return CatalogueWriter(resources.store, resources.catalogue, resources.announce)

    async def save_titles(self, titles: Sequence[Title]) -> None:
        """Write titles as they are given and wait until every subgraph knows them."""
        writer = self.catalogue_writer()
        async with writer.deciding():
            await writer.save(list(titles))
        await self.settled()

    async def settled(self) -> None:
        """Return when the search index and every consumer of every topic are where the writers are."""
        resources = self.applications["titles"].state.resources
        async with asyncio.timeout(SETTLE_S):
            await resources.search_follower.settled()
            while not await self._is_all_heard():  # noqa: ASYNC110  # consumers have no event to wait for
                await asyncio.sleep(0.02)

    async def _is_all_heard(self) -> bool:
        follower = "events"
        store = self.applications["titles"].state.resources.store
        if await store.changes_for(follower, 1):
            return False
        for key in await self.redis.keys("marquee:events:*"):
            for group in await self.redis.xinfo_groups(key):
                # What the group was never given and what it has not finished.
                if group["pending"] or group["lag"] != 0:
                    return False
        # Recommendations builds its columns anew behind the event.
        models = self.applications["recommendations"].state.resources
        known = {record.id: record.facts for record in models.models.catalogue.records}
        return known == {record.id: record.facts for record in models._records.values()}


@asynccontextmanager
async def whole_graph(
    state_dir: Path,
    valkey_url: str,
    *,
    cache_titles: int = 10_000,
    plant: Callable[[datetime], PlantedCatalogue] = plant_catalogue,
) -> AsyncIterator[WholeGraph]:
    """Everything started, the planted catalogue known everywhere and its films playable.

    `cache_titles`: how many titles the titles subgraph keeps in memory; 0 makes it ask its store each time.
    """
    async with AsyncExitStack() as stack:
        shared = SharedSettings(state_dir=state_dir, valkey_url=valkey_url)
        ensure_key_file(shared.keys_dir / "viewer.pem")
        access_key_path = shared.keys_dir / "access.pem"
        ensure_key_file(access_key_path)
        clock = SystemClock()
        licensing = await stack.enter_async_context(
            licensing_server(LicensingSettings(shared=shared, port=0, drain_s=0.2), clock)
        )
        steering = await stack.enter_async_context(
            steering_server(SteeringSettings(shared=shared, port=0, drain_s=0.2), clock)
        )
        targets = {"licensing": f"127.0.0.1:{licensing}", "steering": f"127.0.0.1:{steering}"}
        applications = _subgraph_applications(shared, targets, cache_titles)
        for application in applications.values():
            await stack.enter_async_context(application.router.lifespan_context(application))
        artifacts = build_artifacts()
        supergraph = state_dir / "supergraph.graphql"
        supergraph.write_text(artifacts["supergraph.graphql"])
        gateway = create_gateway(
            GatewaySettings(
                shared=shared,
                supergraph=supergraph,
                access_jwks=str(access_key_path.with_name("access.jwks.json")),
                sign_viewer_context=True,
                reload_interval_s=0,
                graphiql=False,
                access_log=False,
                planning_timeout_s=20,
                max_aliases=GENEROUS,
                operation_cache_size=10_000,
            ),
            in_process=applications,
        )
        await stack.enter_async_context(gateway.router.lifespan_context(gateway))
        redis = await stack.enter_async_context(Redis.from_url(valkey_url, decode_responses=True))
        graph = WholeGraph(
            shared=shared,
            gateway=await stack.enter_async_context(_client(gateway, "gateway")),
            subgraphs={
                name: await stack.enter_async_context(_client(application, name))
                for name, application in applications.items()
            },
            applications=applications,
            channels={
                name: await stack.enter_async_context(grpc.aio.insecure_channel(target))
                for name, target in targets.items()
            },
            redis=redis,
            artifacts=artifacts,
            catalogue=plant(datetime.now(UTC)),
        )
        await _plant(graph)
        yield graph


def _subgraph_applications(
    shared: SharedSettings, targets: Mapping[str, str], cache_titles: int
) -> dict[str, Starlette]:
    profiles = ProfilesSettings(
        shared=shared,
        # The cheapest hash that the library makes: passwords have tests of their own.
        argon2_memory_kib=8,
        argon2_passes=1,
        log_ins_per_hour=GENEROUS,
        log_ins_per_account_per_hour=GENEROUS,
        sign_ups_per_hour=GENEROUS,
    )
    titles = TitlesSettings(shared=shared, artwork_prerendered_titles=0, cache_titles=cache_titles)
    playback = PlaybackSettings(
        shared=shared, licensing_target=targets["licensing"], steering_target=targets["steering"]
    )
    return {
        "profiles": create_profiles(profiles),
        "titles": create_titles(titles),
        "playback": create_playback(playback),
        "recommendations": create_recommendations(RecommendationsSettings(shared=shared, train_every_s=0)),
    }


async def _plant(graph: WholeGraph) -> None:
    # Titles come with what their reports of published films would make of them: no report writes and tells them again.
    published_at = datetime.now(UTC)
    titles = [_with_its_film(title, published_at) for title in graph.catalogue.titles]
    await graph.catalogue_writer().take(titles, graph.catalogue.seasons)
    licensing = licensing_pb2_grpc.LicensingServiceStub(graph.channels["licensing"])
    token = sign_service_token(graph.viewer_key, "tests", datetime.now(UTC))
    for title in graph.catalogue.playable():
        asset = title.media.asset
        assert asset is not None
        await licensing.EnsureAssetKeys(
            licensing_pb2.EnsureAssetKeysRequest(
                asset_id=asset.asset_id,
                title_id=title.id,
                key_classes=[media_pb2.KEY_CLASS_AUDIO, media_pb2.KEY_CLASS_SD, media_pb2.KEY_CLASS_HD],
            ),
            metadata=(("authorization", f"Bearer {token}"),),
            timeout=10,
        )
        await graph.publish("assets", "asset.published", _published(title), published_at)
    await graph.settled()


def _with_its_film(title: Title, published_at: datetime) -> Title:
    if title.media.asset is None:
        return title
    asset = read_asset(_published(title), published_at)
    return replace(title, media=replace(title.media, status=MediaStatus.READY, asset=asset))


def _published(title: Title) -> dict[str, Any]:
    asset = title.media.asset
    assert asset is not None
    protected = {"hls": asset.hls.replace("/clear/", "/clearkey/"), "dash": asset.dash.replace("/clear/", "/clearkey/")}
    languages = ["en", "de", "fr", "es", "it"][: len(title.credits)]
    return {
        "titleId": title.id,
        "assetId": asset.asset_id,
        "variants": {"clear": {"hls": asset.hls, "dash": asset.dash}, "clearkey": protected},
        "durationSeconds": asset.duration_seconds,
        "maxHeightPx": asset.max_height_px,
        "renditions": [{"heightPx": 1080, "bitrateBps": 5_000_000}],
        "posterFrameObject": None,
        "thumbnailsObject": f"assets/{asset.asset_id}/thumbnails.vtt",
        "audioLanguages": languages,
        "subtitleLanguages": languages,
    }


def _client(application: Starlette, name: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(application), base_url=f"http://{name}.test", timeout=SETTLE_S
    )


def _bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"authorization": f"Bearer {token}"}


def _answer(response: httpx.Response) -> GraphAnswer:
    return GraphAnswer(response.status_code, response.text, response.json())
