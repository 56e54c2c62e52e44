"""The five media services in one process, on free ports, with a real Valkey: for tests that need them together."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import httpx
import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette

from common.clock import Clock, SystemClock
from common.settings import SharedSettings
from common.tokens import (
    ACCESS_AUDIENCE,
    ACCESS_ISSUER,
    VIEWER_HEADER,
    SigningKey,
    ensure_key_file,
    sign_service_token,
    sign_viewer_context,
)
from media_pipeline.delivery.app import create_app
from media_pipeline.delivery.settings import DeliverySettings
from media_pipeline.licensing.server import running_server as licensing_server
from media_pipeline.licensing.settings import LicensingSettings
from media_pipeline.steering.server import running_server as steering_server
from media_pipeline.steering.settings import SteeringSettings
from media_pipeline.transcoding.server import running_server as transcoding_server
from media_pipeline.transcoding.settings import TranscodingSettings, WorkerSettings
from media_pipeline.transcoding.worker import run as run_worker
from tests.support.valkey_server import valkey_server

MEDIA_URL = "http://media.test"


@dataclass
class MediaServices:
    """Where everything is, and the tokens to talk to it."""

    state_dir: Path
    valkey_url: str
    viewer_key: SigningKey
    access_key: SigningKey
    http: httpx.AsyncClient
    redis: Redis
    channels: dict[str, grpc.aio.Channel] = field(default_factory=dict)

    def service_metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {sign_service_token(self.viewer_key, 'tests', datetime.now(UTC))}"),)

    def viewer_metadata(self, **claims: Any) -> tuple[tuple[str, str], ...]:
        viewer = {
            "sub": "acc_1",
            "sid": "ses_1",
            "profile": "prof_1",
            "plan": "PREMIUM",
            "subscription": "ACTIVE",
            "country": "US",
            **claims,
        }
        return ((VIEWER_HEADER, sign_viewer_context(self.viewer_key, viewer, datetime.now(UTC))),)

    def studio_headers(self, scopes: tuple[str, ...] = ("studio",), account: str = "acc_studio") -> dict[str, str]:
        now = int(datetime.now(UTC).timestamp())
        claims = {"iss": ACCESS_ISSUER, "aud": ACCESS_AUDIENCE, "sub": account, "iat": now, "exp": now + 900}
        token = self.access_key.sign({**claims, "scopes": list(scopes)})
        return {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}

    async def events(self, topic: str) -> list[tuple[str, dict[str, Any]]]:
        """Kind and data of all events of a topic."""
        rows = await self.redis.xrange(f"marquee:events:{topic}")
        return [(row[1][b"kind"].decode(), json.loads(row[1][b"data"])) for row in rows]


@asynccontextmanager
async def media_services(
    state_dir: Path,
    *,
    worker: bool = False,
    listen: bool = False,
    clock: Clock | None = None,
    worker_settings: dict[str, Any] | None = None,
) -> AsyncIterator[MediaServices]:
    """Start them, in the order that they need each other; all are gone after the block.

    `listen`: delivery is on a port, for browsers; else it is called in process, under MEDIA_URL.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        valkey_url = stack.enter_context(valkey_server())
        listener = socket.create_server(("127.0.0.1", 0)) if listen else None
        media_url = f"http://127.0.0.1:{listener.getsockname()[1]}" if listener else MEDIA_URL
        shared = SharedSettings(state_dir=state_dir, valkey_url=valkey_url, public_media_url=media_url)
        viewer_key = ensure_key_file(shared.keys_dir / "viewer.pem")
        access_key = ensure_key_file(shared.keys_dir / "access.pem")
        transcoding = await stack.enter_async_context(
            transcoding_server(TranscodingSettings(shared=shared, port=0, drain_s=0.2), clock)
        )
        licensing = await stack.enter_async_context(
            licensing_server(LicensingSettings(shared=shared, port=0, drain_s=0.2), clock)
        )
        steering = await stack.enter_async_context(
            steering_server(SteeringSettings(shared=shared, port=0, drain_s=0.2), clock)
        )
        targets = {
            f"{name}_target": f"127.0.0.1:{port}"
            for name, port in (("transcoding", transcoding), ("licensing", licensing), ("steering", steering))
        }
        app = create_app(
            DeliverySettings(shared=shared, artwork_origin_url="", upload_tidy_interval_s=0.5, **targets), clock
        )
        await stack.enter_async_context(app.router.lifespan_context(app))
        if listener is not None:
            await stack.enter_async_context(_serving(app, listener))
        if worker:
            settings = WorkerSettings(
                shared=shared,
                licensing_target=targets["licensing_target"],
                preset="ultrafast",
                lease_s=3.0,
                retry_delay_s=0,
                niceness=0,
                **(worker_settings or {}),
            )
            task = asyncio.create_task(run_worker(settings))
            stack.push_async_callback(_cancel, task)
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=media_url, timeout=30)
        )
        redis = Redis.from_url(valkey_url)
        stack.push_async_callback(redis.aclose)
        services = MediaServices(state_dir, valkey_url, viewer_key, access_key, http, redis)
        for name, target in targets.items():
            channel = grpc.aio.insecure_channel(target)
            stack.push_async_callback(channel.close, None)
            services.channels[name.removesuffix("_target")] = channel
        yield services


@asynccontextmanager
async def _serving(app: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event to wait for
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
