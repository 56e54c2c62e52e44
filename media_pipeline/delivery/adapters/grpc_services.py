"""Licensing and steering by gRPC."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

import grpc
import structlog

from grpc_protos.error_kinds import service_error_of
from grpc_protos.generated.marquee.common.v1 import media_pb2
from grpc_protos.generated.marquee.licensing.v1 import licensing_pb2, licensing_pb2_grpc
from grpc_protos.generated.marquee.steering.v1 import steering_pb2, steering_pb2_grpc
from media_pipeline.kernel.service_channel import ServiceIdentity

__all__ = ["GrpcLicenceIssuer", "GrpcPathwayDirectory"]

log = structlog.get_logger(__name__)

LICENCE_TIMEOUT_S = 3.0
STEERING_TIMEOUT_S = 1.0
"""A player waits for its manifest meanwhile; without an answer it gets one that works without steering."""
PATHWAYS_FRESH_S = 10.0
PATHWAYS_RETRY_S = 2.0


class GrpcLicenceIssuer:
    """The port on a channel to licensing."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = licensing_pb2_grpc.LicensingServiceStub(channel)

    async def issue(self, playback_token: str, message: bytes) -> bytes:
        """The Clear Key licence; raises ServiceError."""
        request = licensing_pb2.IssueLicenceRequest(playback_token=playback_token, eme_request=message)
        try:
            answer = await self._stub.IssueLicence(request, timeout=LICENCE_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            raise service_error_of(error) from error
        return answer.eme_licence


class GrpcPathwayDirectory:
    """The port on a channel to steering; remembers the pathways for some seconds, and through an outage."""

    def __init__(self, channel: grpc.aio.Channel, identity: ServiceIdentity) -> None:
        self._stub = steering_pb2_grpc.SteeringServiceStub(channel)
        self._identity = identity
        self._base_urls: dict[str, str] = {}
        self._read_again_at = float("-inf")
        self._lock = asyncio.Lock()

    async def base_urls(self) -> Mapping[str, str]:
        """Base address by pathway id. One asks for all that wait, and after a failure nobody asks for a while."""
        async with self._lock:
            if time.monotonic() >= self._read_again_at:
                self._read_again_at = time.monotonic() + await self._read_base_urls()
            return self._base_urls

    async def _read_base_urls(self) -> float:
        """Ask the service; seconds until it should be asked again."""
        try:
            answer = await self._stub.ListPathways(
                steering_pb2.ListPathwaysRequest(), timeout=STEERING_TIMEOUT_S, metadata=self._identity.metadata()
            )
        except grpc.aio.AioRpcError as error:
            log.warning("delivery.pathways_unread", status=error.code().name, kept=len(self._base_urls))
            return PATHWAYS_RETRY_S
        self._base_urls = {pathway.id: pathway.base_url for pathway in answer.pathways}
        return PATHWAYS_FRESH_S

    async def steering_manifest(
        self, media_token: str, protocol: str, current: Sequence[str], throughputs_bps: Sequence[int]
    ) -> bytes:
        """A session's steering manifest; raises ServiceError."""
        is_dash = protocol == "dash"
        request = steering_pb2.GetSteeringManifestRequest(
            media_token=media_token,
            protocol=media_pb2.STREAMING_PROTOCOL_DASH if is_dash else media_pb2.STREAMING_PROTOCOL_HLS,
            current_pathways=current,
            throughputs_bps=throughputs_bps,
        )
        try:
            answer = await self._stub.GetSteeringManifest(request, timeout=STEERING_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            raise service_error_of(error) from error
        return answer.manifest_json
