"""SteeringService over gRPC: messages in and out, nothing decided here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import zip_longest
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from common.clock import Clock, SystemClock
from common.errors import ErrorKind, ServiceError
from common.valkey import open_valkey
from grpc_protos.generated.marquee.common.v1 import media_pb2
from grpc_protos.generated.marquee.steering.v1 import steering_pb2, steering_pb2_grpc
from media_pipeline.kernel.identity import current_caller, require_service, require_viewer_or_service
from media_pipeline.kernel.media_token import MediaTokenKeys
from media_pipeline.kernel.server import grpc_server, run_until_cancelled
from media_pipeline.steering.adapters.valkey_health import ValkeyHealthStore
from media_pipeline.steering.pathway import HealthReport, Pathway, PathwayHealth
from media_pipeline.steering.services import Steering, SteeringRules
from media_pipeline.steering.settings import SteeringSettings

__all__ = ["SteeringServicer", "running_server", "serve"]

SERVICE_NAME = "marquee.steering.v1.SteeringService"
MAX_REPORTED_PATHWAYS = 16

_PROTO_OF_HEALTH = {
    PathwayHealth.HEALTHY: steering_pb2.PATHWAY_HEALTH_HEALTHY,
    PathwayHealth.DEGRADED: steering_pb2.PATHWAY_HEALTH_DEGRADED,
    PathwayHealth.DOWN: steering_pb2.PATHWAY_HEALTH_DOWN,
}
_HEALTH_OF_PROTO = {proto: health for health, proto in _PROTO_OF_HEALTH.items()}

_Context = grpc.aio.ServicerContext[Any, Any]


class SteeringServicer(steering_pb2_grpc.SteeringServiceServicer):
    """The proto's methods on the use cases."""

    def __init__(self, steering: Steering) -> None:
        self._steering = steering

    async def OrderPathways(  # noqa: N802
        self, request: steering_pb2.OrderPathwaysRequest, _context: _Context
    ) -> steering_pb2.OrderPathwaysResponse:
        """See the proto."""
        require_viewer_or_service(current_caller())
        order = await self._steering.order(
            request.session_id, request.asset_id, request.region or None, request.max_height_px
        )
        return steering_pb2.OrderPathwaysResponse(
            pathways=[
                steering_pb2.OrderedPathway(id=pathway.id, base_url=pathway.base_url, priority=priority)
                for priority, pathway in enumerate(order.pathways)
            ],
            ttl=Duration(seconds=order.ttl_s),
            steering_url=self._steering.steering_url(order.media_token, _protocol_name(request.protocol)),
            media_token=order.media_token,
            expires_at=Timestamp(seconds=int(order.expires_at.timestamp())),
        )

    async def GetSteeringManifest(  # noqa: N802
        self, request: steering_pb2.GetSteeringManifestRequest, _context: _Context
    ) -> steering_pb2.GetSteeringManifestResponse:
        """See the proto."""
        current = list(request.current_pathways)[:MAX_REPORTED_PATHWAYS]
        rates = list(request.throughputs_bps)[: len(current)]
        throughputs = {pathway: rate or None for pathway, rate in zip_longest(current, rates)}
        manifest = await self._steering.manifest(request.media_token, _protocol_name(request.protocol), throughputs)
        return steering_pb2.GetSteeringManifestResponse(
            manifest_json=manifest, ttl=Duration(seconds=self._steering.ttl_s)
        )

    async def ListPathways(  # noqa: N802
        self, _request: steering_pb2.ListPathwaysRequest, _context: _Context
    ) -> steering_pb2.ListPathwaysResponse:
        """See the proto."""
        require_service(current_caller())
        pathways = await self._steering.pathways()
        return steering_pb2.ListPathwaysResponse(pathways=[_to_proto(pathway, report) for pathway, report in pathways])

    async def SetPathwayHealth(  # noqa: N802
        self, request: steering_pb2.SetPathwayHealthRequest, _context: _Context
    ) -> steering_pb2.SetPathwayHealthResponse:
        """See the proto."""
        require_service(current_caller())
        health = _HEALTH_OF_PROTO.get(request.health)
        if health is None:
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, "health is unset; send HEALTHY, DEGRADED or DOWN")
        pathway, report = await self._steering.set_health(request.pathway_id, health)
        return steering_pb2.SetPathwayHealthResponse(pathway=_to_proto(pathway, report))


@asynccontextmanager
async def running_server(settings: SteeringSettings, clock: Clock | None = None) -> AsyncIterator[int]:
    """The service as a context; yields its port."""
    clock = clock or SystemClock()
    rules = SteeringRules(
        pathways=settings.resolved_pathways,
        ttl_s=settings.ttl_s,
        min_throughput_bps=settings.min_throughput_bps,
        media_token_life=settings.media_token_life,
        public_media_url=settings.shared.public_media_url.rstrip("/"),
    )
    token_keys = MediaTokenKeys.load_or_create(settings.media_token_keys_path)
    async with open_valkey(settings.shared.valkey_url) as redis:
        servicer = SteeringServicer(Steering(rules, ValkeyHealthStore(redis), token_keys, clock))

        def register(server: grpc.aio.Server) -> None:
            steering_pb2_grpc.add_SteeringServiceServicer_to_server(servicer, server)

        async with grpc_server(settings, SERVICE_NAME, register) as port:
            yield port


async def serve(settings: SteeringSettings) -> None:
    """Run the service until cancelled."""
    await run_until_cancelled(running_server(settings))


def _protocol_name(protocol: media_pb2.StreamingProtocol.ValueType) -> str:
    return "dash" if protocol == media_pb2.STREAMING_PROTOCOL_DASH else "hls"


def _to_proto(pathway: Pathway, report: HealthReport | None) -> steering_pb2.Pathway:
    message = steering_pb2.Pathway(
        id=pathway.id,
        base_url=pathway.base_url,
        health=_PROTO_OF_HEALTH[report.health if report else PathwayHealth.HEALTHY],
        regions=sorted(pathway.regions),
        weight=pathway.weight,
    )
    if report is not None:
        message.health_changed_at.CopyFrom(Timestamp(seconds=int(report.changed_at.timestamp())))
    return message
