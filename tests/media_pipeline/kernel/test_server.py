"""What every gRPC service of ours does: who calls, how long, and what an error tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from common.errors import ErrorKind, ServiceError
from common.settings import SharedSettings
from common.tokens import SigningKey, ensure_key_file, sign_service_token, sign_viewer_context
from grpc_protos.generated.marquee.steering.v1 import steering_pb2, steering_pb2_grpc
from media_pipeline.kernel.identity import current_caller, require_scope_or_service, require_service, require_viewer
from media_pipeline.kernel.server import PortInUse, grpc_server
from media_pipeline.kernel.settings import GrpcSettings

SERVICE = "marquee.steering.v1.SteeringService"
LIST = steering_pb2.ListPathwaysRequest()


class Servicer(steering_pb2_grpc.SteeringServiceServicer):
    """ListPathways does what the test says."""

    def __init__(self, behave: Callable[[], Any]) -> None:
        self.behave = behave

    async def ListPathways(self, request: Any, context: Any) -> steering_pb2.ListPathwaysResponse:  # noqa: N802
        answer = self.behave()
        if asyncio.iscoroutine(answer):
            await answer
        return steering_pb2.ListPathwaysResponse()

    async def OrderPathways(self, request: Any, context: Any) -> Any:  # noqa: N802
        raise NotImplementedError

    async def GetSteeringManifest(self, request: Any, context: Any) -> Any:  # noqa: N802
        raise NotImplementedError

    async def SetPathwayHealth(self, request: Any, context: Any) -> Any:  # noqa: N802
        raise NotImplementedError


@asynccontextmanager
async def serving(tmp_path: Path, behave: Callable[[], Any], **settings: Any) -> AsyncIterator[grpc.aio.Channel]:
    shared = SharedSettings(state_dir=tmp_path)
    servicer = Servicer(behave)

    def register(server: grpc.aio.Server) -> None:
        steering_pb2_grpc.add_SteeringServiceServicer_to_server(servicer, server)

    async with (
        grpc_server(GrpcSettings(shared=shared, drain_s=0.1, **settings), SERVICE, register) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield channel


async def call(channel: grpc.aio.Channel, *metadata: tuple[str, str], timeout_s: float = 5) -> tuple[str, str]:
    """Status and details."""
    try:
        await steering_pb2_grpc.SteeringServiceStub(channel).ListPathways(LIST, metadata=metadata, timeout=timeout_s)
    except grpc.aio.AioRpcError as error:
        return error.code().name, error.details() or ""
    return "OK", ""


def key_of(tmp_path: Path) -> SigningKey:
    return ensure_key_file(tmp_path / "keys" / "viewer.pem")


def viewer_metadata(key: SigningKey, now: datetime, **claims: Any) -> tuple[str, str]:
    return ("x-marquee-viewer", sign_viewer_context(key, {"sub": "acc", **claims}, now))


def service_metadata(key: SigningKey, now: datetime) -> tuple[str, str]:
    return ("authorization", f"Bearer {sign_service_token(key, 'tests', now)}")


async def test_callers_are_who_their_tokens_say(tmp_path: Path):
    """A viewer, a service, nobody; a token that can't be trusted is an error and never nobody."""
    key, now = key_of(tmp_path), datetime.now(UTC)
    seen: list[str] = []

    def behave() -> None:
        caller = current_caller()
        seen.append(caller.service or (caller.viewer.account_id if caller.viewer else None) or "nobody")

    async with serving(tmp_path, behave) as channel:
        assert await call(channel, viewer_metadata(key, now)) == ("OK", "")
        assert await call(channel, service_metadata(key, now)) == ("OK", "")
        assert await call(channel) == ("OK", "")
        assert seen == ["acc", "tests", "nobody"]
        stranger = SigningKey.generate()
        for metadata in (
            viewer_metadata(stranger, now),
            viewer_metadata(key, now - timedelta(minutes=5)),
            service_metadata(stranger, now),
            service_metadata(key, now - timedelta(hours=1)),
            ("x-marquee-viewer", service_metadata(key, now)[1].removeprefix("Bearer ")),
            ("authorization", f"Bearer {viewer_metadata(key, now)[1]}"),
            ("authorization", "Basic YTpi"),
            ("x-marquee-viewer", "acc"),
        ):
            assert (await call(channel, metadata))[0] == "UNAUTHENTICATED", metadata
        assert len(seen) == 3


async def test_a_new_key_counts_at_once(tmp_path: Path):
    old = key_of(tmp_path)
    async with serving(tmp_path, lambda: require_service(current_caller())) as channel:
        assert (await call(channel, service_metadata(old, datetime.now(UTC))))[0] == "OK"
        (tmp_path / "keys" / "viewer.pem").unlink()
        new = key_of(tmp_path)
        assert (await call(channel, service_metadata(new, datetime.now(UTC))))[0] == "OK"
        assert (await call(channel, service_metadata(old, datetime.now(UTC))))[0] == "UNAUTHENTICATED"


async def test_doors_ask_for_the_caller_they_need(tmp_path: Path):
    key, now = key_of(tmp_path), datetime.now(UTC)
    anonymous: tuple[tuple[str, str], ...] = ()
    viewer, studio = (viewer_metadata(key, now),), (viewer_metadata(key, now, scopes=["studio"]),)
    service = (service_metadata(key, now),)
    doors: dict[Callable[[], Any], tuple[str, str, str, str]] = {
        lambda: require_service(current_caller()): ("UNAUTHENTICATED", "PERMISSION_DENIED", "PERMISSION_DENIED", "OK"),
        lambda: require_viewer(current_caller()): ("UNAUTHENTICATED", "OK", "OK", "UNAUTHENTICATED"),
        lambda: require_scope_or_service(current_caller(), "studio"): (
            *("UNAUTHENTICATED", "PERMISSION_DENIED"),
            *("OK", "OK"),
        ),
    }
    for behave, expected in doors.items():
        async with serving(tmp_path, behave) as channel:
            found = tuple([(await call(channel, *metadata))[0] for metadata in (anonymous, viewer, studio, service)])
            assert found == expected


async def test_errors_tell_their_kind_and_nothing_of_the_inside(tmp_path: Path):
    def broken() -> None:
        raise RuntimeError("secret: /etc/shadow")

    def not_found() -> None:
        raise ServiceError(ErrorKind.NOT_FOUND, "there is no such thing")

    async with serving(tmp_path, broken) as channel:
        status, details = await call(channel)
        assert status == "INTERNAL"
        assert "secret" not in details
        assert "RuntimeError" not in details
    async with serving(tmp_path, not_found) as channel:
        assert await call(channel) == ("NOT_FOUND", "there is no such thing")


async def test_calls_end_at_the_sooner_deadline(tmp_path: Path):
    """Ours when the caller names none or a later one; what runs is cancelled."""
    cancelled = asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serving(tmp_path, hang, call_timeout_s=0.05) as channel:
        assert (await call(channel, timeout_s=30))[0] == "DEADLINE_EXCEEDED"
        assert cancelled.is_set()
    cancelled.clear()
    async with serving(tmp_path, hang, call_timeout_s=30) as channel:
        assert (await call(channel, timeout_s=0.1))[0] == "DEADLINE_EXCEEDED"
        await asyncio.wait_for(cancelled.wait(), 5)


async def test_health_and_reflection_are_open_and_name_the_service(tmp_path: Path):
    async with serving(tmp_path, lambda: None) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", SERVICE):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await health.Check(health_pb2.HealthCheckRequest(service="nonsense"), timeout=5)
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
        requests = [reflection_pb2.ServerReflectionRequest(list_services="")]
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        async for answer in stub.ServerReflectionInfo(iter(requests), timeout=5):
            assert SERVICE in {service.name for service in answer.list_services_response.service}


async def test_a_port_in_use_is_named_with_its_setting(tmp_path: Path):
    from media_pipeline.steering.settings import SteeringSettings

    shared = SharedSettings(state_dir=tmp_path)
    async with grpc_server(SteeringSettings(shared=shared, port=0), SERVICE, lambda server: None) as port:
        with pytest.raises(PortInUse, match=rf"{port}.*MARQUEE_STEERING_PORT"):
            async with grpc_server(SteeringSettings(shared=shared, port=port), SERVICE, lambda server: None):
                pass
