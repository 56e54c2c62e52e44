"""Wires the delivery service: every endpoint, its adapters, and uploads beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import structlog
from grpc import aio as grpc_aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from common.background import background
from common.clock import Clock, SystemClock
from common.valkey import open_valkey
from media_pipeline.delivery.adapters.artwork_masters import StoredOrRenderedMasters
from media_pipeline.delivery.adapters.cmcd_stream import CmcdStream
from media_pipeline.delivery.adapters.grpc_services import GrpcLicenceIssuer, GrpcPathwayDirectory
from media_pipeline.delivery.adapters.object_reader import ObstoreReader
from media_pipeline.delivery.artwork import ArtworkService
from media_pipeline.delivery.artwork_endpoint import ArtworkEndpoint
from media_pipeline.delivery.cmcd import CMCD_HEADERS
from media_pipeline.delivery.cmcd_endpoint import CmcdEndpoint
from media_pipeline.delivery.health import HealthEndpoint
from media_pipeline.delivery.images import ImagePool
from media_pipeline.delivery.licence import LicenceEndpoint
from media_pipeline.delivery.media_files import MediaFiles
from media_pipeline.delivery.settings import DeliverySettings
from media_pipeline.delivery.steering import SteeringEndpoint
from media_pipeline.ingest.adapters.object_uploads import ObjectUploadStore
from media_pipeline.ingest.adapters.studio_tokens import KeySetSource, StudioTokens
from media_pipeline.ingest.adapters.transcoding_jobs import GrpcJobCreator
from media_pipeline.ingest.domain import IngestRules
from media_pipeline.ingest.services import Uploads
from media_pipeline.ingest.tus import TUS_REQUEST_HEADERS, TUS_RESPONSE_HEADERS, TusEndpoint
from media_pipeline.kernel.media_token import MediaTokenKeys
from media_pipeline.kernel.object_store import open_object_store
from media_pipeline.kernel.service_channel import ServiceIdentity, open_channel

__all__ = ["create_app"]

log = structlog.get_logger(__name__)

PREFLIGHT_S = 86_400


@dataclass(frozen=True, slots=True)
class _Endpoints:
    """What lives as long as the application runs."""

    media: MediaFiles
    licence: LicenceEndpoint
    steering: SteeringEndpoint
    artwork: ArtworkEndpoint
    cmcd: CmcdEndpoint
    health: HealthEndpoint
    uploads: Uploads
    studio_tokens: StudioTokens


def create_app(settings: DeliverySettings, clock: Clock | None = None) -> Starlette:
    """The ASGI application; nothing is opened before its lifespan begins."""
    clock = clock or SystemClock()
    opened: list[_Endpoints] = []

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with _open_endpoints(settings, clock) as endpoints:
            opened.append(endpoints)
            try:
                yield
            finally:
                opened.clear()

    def endpoint(serve: Callable[[_Endpoints], Callable[[Request], Awaitable[Response]]]) -> Callable[..., object]:
        """A route's handler, looked up when a request comes."""

        async def handle(request: Request) -> Response:
            return await serve(opened[0])(request)

        return handle

    public_url = settings.shared.public_media_url.rstrip("/")
    tus = TusEndpoint(lambda: opened[0].uploads, lambda: opened[0].studio_tokens, f"{public_url}/uploads")
    routes = [
        Route("/health", endpoint(lambda e: e.health.serve)),
        Route("/licence/clearkey", endpoint(lambda e: e.licence.serve), methods=["POST"]),
        Route("/steering/{token}/{protocol}.json", endpoint(lambda e: e.steering.serve)),
        Route("/artwork/{title_id}/{role}/{variant}/{size}", endpoint(lambda e: e.artwork.serve)),
        Route("/cmcd", endpoint(lambda e: e.cmcd.serve), methods=["GET", "POST"]),
        *tus.routes(),
        Route("/media/{token}/{path:path}", endpoint(lambda e: e.media.serve)),
        Route("/{pathway}/media/{token}/{path:path}", endpoint(lambda e: e.media.serve)),
    ]
    return Starlette(routes=routes, middleware=[_cors()], lifespan=lifespan)


@asynccontextmanager
async def _open_endpoints(settings: DeliverySettings, clock: Clock) -> AsyncIterator[_Endpoints]:
    """Open everything, in order, and close it in the opposite one."""
    public_url = settings.shared.public_media_url.rstrip("/")
    async with AsyncExitStack() as stack:
        store = open_object_store(settings.object_store_url, settings.shared.objects_dir)
        objects = ObstoreReader(store)
        identity = ServiceIdentity(settings.service_key_path, "delivery", clock)
        licensing, steering, transcoding = (
            open_channel(address)
            for address in (settings.licensing_target, settings.steering_target, settings.transcoding_target)
        )
        for channel in (licensing, steering, transcoding):
            stack.push_async_callback(channel.close, None)
        redis = await stack.enter_async_context(open_valkey(settings.shared.valkey_url))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        pool = ImagePool(settings.image_threads, settings.image_queue)
        stack.callback(pool.close)
        cmcd = CmcdStream(redis, settings.cmcd_records_per_session)
        await stack.enter_async_context(cmcd.running())
        token_keys = MediaTokenKeys.load_or_create(settings.media_token_keys_path)
        pathways = GrpcPathwayDirectory(steering, identity)
        uploads = Uploads(
            ObjectUploadStore(store),
            GrpcJobCreator(transcoding, identity),
            clock,
            IngestRules(max_bytes=settings.upload_max_bytes, life=settings.upload_life),
        )
        await stack.enter_async_context(
            background(_tidy_forever(uploads, settings.upload_tidy_interval_s), "tidy uploads")
        )
        masters = StoredOrRenderedMasters(objects, http, settings.artwork_origin_url)
        yield _Endpoints(
            media=MediaFiles(objects, pathways, token_keys, cmcd, clock=clock, public_url=public_url),
            licence=LicenceEndpoint(GrpcLicenceIssuer(licensing)),
            steering=SteeringEndpoint(pathways, token_keys, public_url),
            artwork=ArtworkEndpoint(ArtworkService(objects, masters, pool)),
            cmcd=CmcdEndpoint(cmcd),
            health=HealthEndpoint(
                required={"objects": lambda: objects.head("health")},
                optional={
                    "licensing": lambda: _check_grpc(licensing),
                    "steering": lambda: _check_grpc(steering),
                    "transcoding": lambda: _check_grpc(transcoding),
                    "valkey": redis.ping,
                },
            ),
            uploads=uploads,
            studio_tokens=StudioTokens(
                KeySetSource(settings.resolved_access_jwks, http), settings.shared.viewer_jwks_path, clock
            ),
        )


async def _tidy_forever(uploads: Uploads, interval_s: float) -> None:
    """Remove expired uploads and start delayed jobs, again and again."""
    while True:
        try:
            await uploads.tidy()
        except Exception as error:  # noqa: BLE001  # the task's edge: the next round may do better
            log.warning("uploads.tidy_failed", error=str(error), retry_s=interval_s)
        await asyncio.sleep(interval_s)


async def _check_grpc(channel: grpc_aio.Channel) -> None:
    """Raises when the service behind a channel does not say that it serves."""
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=0.5)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise ConnectionError("the service is not serving")


def _cors() -> Middleware:
    """Players and pages live on other origins. Nothing here is authorised by cookies, so any origin may ask."""
    return Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"],
        allow_headers=["Authorization", "Content-Type", "Range", "If-None-Match", *CMCD_HEADERS, *TUS_REQUEST_HEADERS],
        expose_headers=[
            *("Accept-Ranges", "Content-Length", "Content-Range", "Date", "ETag", "Retry-After"),
            *TUS_RESPONSE_HEADERS,
        ],
        max_age=PREFLIGHT_S,
    )
