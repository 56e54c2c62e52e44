"""Steering over gRPC."""

from __future__ import annotations

import grpc

from common.errors import ErrorKind, ServiceError
from grpc_protos.generated.marquee.steering.v1 import steering_pb2, steering_pb2_grpc
from subgraphs.playback.adapters.grpc.breaker import ServiceBreaker
from subgraphs.playback.adapters.grpc.calls import viewer_metadata
from subgraphs.playback.domain.sessions import GrantedPathway
from subgraphs.playback.ports import Pathways, PathwaysRequest

__all__ = ["GrpcSteering"]


class GrpcSteering:
    """The steering service behind a channel that somebody else owns."""

    def __init__(self, channel: grpc.aio.Channel, cool_down_s: float) -> None:
        self._stub = steering_pb2_grpc.SteeringServiceStub(channel)
        self._breaker = ServiceBreaker("steering", cool_down_s)

    async def order_pathways(self, request: PathwaysRequest, viewer_token: str, timeout_s: float) -> Pathways:
        """The pathways for a session, best first."""
        message = steering_pb2.OrderPathwaysRequest(
            session_id=request.session_id,
            asset_id=request.asset_id,
            client_address=request.client_address,
            region=request.region,
            max_height_px=request.max_height_px,
        )
        async with self._breaker.call():
            answer = await self._stub.OrderPathways(message, timeout=timeout_s, metadata=viewer_metadata(viewer_token))
        if not answer.pathways:
            raise ServiceError(ErrorKind.UNAVAILABLE, "no delivery pathway is open at the moment; try again")
        ordered = sorted(answer.pathways, key=lambda pathway: pathway.priority)
        return Pathways(
            base_url=ordered[0].base_url.rstrip("/"),
            media_token=answer.media_token,
            ordered=tuple(GrantedPathway(pathway.id, pathway.priority) for pathway in ordered),
            steering_url=answer.steering_url or None,
        )
