"""Content keys from the licensing service."""

from __future__ import annotations

from collections.abc import Collection

import grpc

from grpc_protos.error_kinds import service_error_of
from grpc_protos.generated.marquee.common.v1 import media_pb2
from grpc_protos.generated.marquee.licensing.v1 import licensing_pb2, licensing_pb2_grpc
from media_pipeline.kernel.service_channel import ServiceIdentity
from media_pipeline.media.protection import ContentKey, KeyClass

__all__ = ["LicensingAssetKeys"]

TIMEOUT_S = 5.0

_PROTO_OF_KEY_CLASS = {
    KeyClass.AUDIO: media_pb2.KEY_CLASS_AUDIO,
    KeyClass.SD: media_pb2.KEY_CLASS_SD,
    KeyClass.HD: media_pb2.KEY_CLASS_HD,
    KeyClass.UHD: media_pb2.KEY_CLASS_UHD,
}
_KEY_CLASS_OF_PROTO = {proto: key_class for key_class, proto in _PROTO_OF_KEY_CLASS.items()}


class LicensingAssetKeys:
    """The port on a channel to licensing."""

    def __init__(self, channel: grpc.aio.Channel, identity: ServiceIdentity) -> None:
        self._stub = licensing_pb2_grpc.LicensingServiceStub(channel)
        self._identity = identity

    async def ensure(self, asset_id: str, title_id: str, key_classes: Collection[KeyClass]) -> list[ContentKey]:
        """One key per class; raises ServiceError."""
        request = licensing_pb2.EnsureAssetKeysRequest(
            asset_id=asset_id,
            title_id=title_id,
            key_classes=[_PROTO_OF_KEY_CLASS[key_class] for key_class in sorted(key_classes)],
        )
        try:
            answer = await self._stub.EnsureAssetKeys(
                request, timeout=TIMEOUT_S, metadata=self._identity.metadata(), wait_for_ready=True
            )
        except grpc.aio.AioRpcError as error:
            raise service_error_of(error) from error
        return [ContentKey(key.key_id, key.value, _KEY_CLASS_OF_PROTO[key.key_class]) for key in answer.keys]
