"""Licensing over gRPC."""

from __future__ import annotations

import grpc

from common.errors import ErrorKind, ServiceError
from grpc_protos.generated.marquee.common.v1 import media_pb2
from grpc_protos.generated.marquee.licensing.v1 import licensing_pb2, licensing_pb2_grpc
from subgraphs.kernel.ids import SessionId
from subgraphs.playback.adapters.grpc.breaker import ServiceBreaker
from subgraphs.playback.adapters.grpc.calls import viewer_metadata
from subgraphs.playback.domain.titles import Encryption
from subgraphs.playback.ports import Entitlement, EntitlementRequest

__all__ = ["GrpcLicensing"]

_ENCRYPTIONS = {
    media_pb2.ENCRYPTION_CLEAR: Encryption.CLEAR,
    media_pb2.ENCRYPTION_CLEARKEY: Encryption.CLEARKEY,
}


class GrpcLicensing:
    """The licensing service behind a channel that somebody else owns."""

    def __init__(self, channel: grpc.aio.Channel, cool_down_s: float) -> None:
        self._stub = licensing_pb2_grpc.LicensingServiceStub(channel)
        self._breaker = ServiceBreaker("licensing", cool_down_s)

    async def issue_entitlement(self, request: EntitlementRequest, viewer_token: str, timeout_s: float) -> Entitlement:
        """Grant keys; `viewer_token` is the signed viewer context as it arrived."""
        message = licensing_pb2.IssueEntitlementRequest(
            title_id=request.title_id,
            asset_id=request.asset_id,
            device_id=request.device_id,
            session_id=request.session_id,
            max_height_px=request.max_height_px,
            supports_clearkey=request.supports_clearkey,
        )
        async with self._breaker.call():
            answer = await self._stub.IssueEntitlement(
                message, timeout=timeout_s, metadata=viewer_metadata(viewer_token)
            )
        encryption = _ENCRYPTIONS.get(answer.encryption)
        if encryption is None:
            raise ServiceError(ErrorKind.INTERNAL, f"licensing answered with encryption {answer.encryption}")
        return Entitlement(
            playback_token=answer.playback_token,
            licence_url=answer.licence_url or None,
            max_height_px=answer.max_height_px,
            encryption=encryption,
            media_token=answer.media_token,
        )

    async def revoke_session(self, session_id: SessionId, viewer_token: str, timeout_s: float) -> None:
        """End the session's entitlement."""
        message = licensing_pb2.RevokeSessionRequest(session_id=session_id)
        async with self._breaker.call():
            await self._stub.RevokeSession(message, timeout=timeout_s, metadata=viewer_metadata(viewer_token))
