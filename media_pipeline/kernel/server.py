"""Starts a gRPC service and ends it gracefully: health, reflection, bounded messages, drain.

Order at the end: health says NOT_SERVING, new calls are refused, running calls get `drain_s`, then the port is free.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from media_pipeline.kernel.identity import CallerVerifier
from media_pipeline.kernel.interceptors import CallGuard
from media_pipeline.kernel.settings import GrpcSettings

__all__ = ["PortInUse", "grpc_server", "run_until_cancelled"]

log = structlog.get_logger(__name__)

MAX_MESSAGE_BYTES = 1 << 20
"""Our largest message is a page of 100 jobs, well below; the default of 4 MiB only helps attackers."""
MAX_CONCURRENT_STREAMS = 100
MIN_PING_INTERVAL_MS = 10_000


class PortInUse(Exception):
    """The address can't be bound; the message names the port and the setting that changes it."""


@asynccontextmanager
async def grpc_server(
    settings: GrpcSettings, service_name: str, register: Callable[[grpc.aio.Server], None]
) -> AsyncIterator[int]:
    """A running server as a context; yields the bound port.

    `service_name` is the proto's full name ("marquee.licensing.v1.LicensingService"), `register` adds its servicer.
    Raises PortInUse.
    """
    guard = CallGuard(
        CallerVerifier(settings.shared.viewer_jwks_path),
        call_timeout_s=settings.call_timeout_s,
        watch_timeout_s=settings.watch_timeout_s,
    )
    server = grpc.aio.server(
        interceptors=[guard],
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_concurrent_streams", MAX_CONCURRENT_STREAMS),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", MIN_PING_INTERVAL_MS),
            # With reuse, a second process would share the port silently instead of being told.
            ("grpc.so_reuseport", 0),
        ],
    )
    register(server)
    health_servicer = health.aio.HealthServicer()  # type: ignore[attr-defined]  # missing in the stubs
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    names: Sequence[str] = (service_name, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    port = _bind(server, settings)
    await server.start()
    for name in ("", service_name):
        await health_servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    log.info("grpc.started", service=service_name, address=f"{settings.host}:{port}")
    try:
        yield port
    finally:
        await health_servicer.enter_graceful_shutdown()
        await server.stop(grace=settings.drain_s)
        log.info("grpc.stopped", service=service_name)


async def run_until_cancelled(server: AbstractAsyncContextManager[int]) -> None:
    """Start a service and keep it until this task is cancelled; then drain it."""
    async with server:
        await asyncio.Event().wait()


def _bind(server: grpc.aio.Server, settings: GrpcSettings) -> int:
    address = f"{settings.host}:{settings.port}"
    setting = f"{settings.model_config.get('env_prefix') or ''}PORT"
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise PortInUse(
            f"{address} can't be bound, another process may have it; choose another with {setting}"
        ) from error
    if port == 0:
        raise PortInUse(f"{address} can't be bound, another process may have it; choose another with {setting}")
    return port
