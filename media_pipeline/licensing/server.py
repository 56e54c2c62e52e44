"""LicensingService over gRPC: messages in and out, nothing decided here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from common.clock import Clock, SystemClock
from common.errors import ErrorKind, ServiceError
from common.tokens import ensure_key_file
from grpc_protos.generated.marquee.common.v1 import media_pb2
from grpc_protos.generated.marquee.licensing.v1 import licensing_pb2, licensing_pb2_grpc
from media_pipeline.kernel.identity import (
    current_caller,
    require_service,
    require_viewer,
    require_viewer_or_service,
)
from media_pipeline.kernel.media_token import MEDIA_TOKEN_LIFE, MediaGrant, MediaTokenKeys
from media_pipeline.kernel.server import grpc_server, run_until_cancelled
from media_pipeline.licensing.adapters.master_key import FileKeyWrapper
from media_pipeline.licensing.adapters.sql_store import open_sql_store
from media_pipeline.licensing.domain import Entitlement
from media_pipeline.licensing.services import EntitlementRequest, Licensing, PlaybackTokens
from media_pipeline.licensing.settings import LicensingSettings
from media_pipeline.media.protection import Encryption, KeyClass

__all__ = ["LicensingServicer", "running_server", "serve"]

SERVICE_NAME = "marquee.licensing.v1.LicensingService"

_PROTO_OF_ENCRYPTION = {
    Encryption.CLEAR: media_pb2.ENCRYPTION_CLEAR,
    Encryption.CLEARKEY: media_pb2.ENCRYPTION_CLEARKEY,
}
_PROTO_OF_KEY_CLASS = {
    KeyClass.AUDIO: media_pb2.KEY_CLASS_AUDIO,
    KeyClass.SD: media_pb2.KEY_CLASS_SD,
    KeyClass.HD: media_pb2.KEY_CLASS_HD,
    KeyClass.UHD: media_pb2.KEY_CLASS_UHD,
}
_KEY_CLASS_OF_PROTO = {proto: key_class for key_class, proto in _PROTO_OF_KEY_CLASS.items()}

_Context = grpc.aio.ServicerContext[Any, Any]


class LicensingServicer(licensing_pb2_grpc.LicensingServiceServicer):
    """The proto's methods on the use cases."""

    def __init__(self, licensing: Licensing, licence_url: str, media_keys: MediaTokenKeys) -> None:
        self._licensing = licensing
        self._licence_url = licence_url
        self._media_keys = media_keys

    async def IssueEntitlement(  # noqa: N802
        self, request: licensing_pb2.IssueEntitlementRequest, _context: _Context
    ) -> licensing_pb2.IssueEntitlementResponse:
        """See the proto."""
        viewer = require_viewer(current_caller())
        granted = await self._licensing.issue_entitlement(
            viewer,
            EntitlementRequest(
                title_id=request.title_id,
                asset_id=request.asset_id,
                device_id=request.device_id,
                session_id=request.session_id,
                device_max_lines=request.max_height_px,
                supports_clearkey=request.supports_clearkey,
            ),
        )
        entitlement = granted.entitlement
        media_grant = MediaGrant(
            entitlement.asset_id,
            entitlement.session_id,
            entitlement.issued_at + MEDIA_TOKEN_LIFE,
            entitlement.max_lines,
        )
        return licensing_pb2.IssueEntitlementResponse(
            playback_token=granted.playback_token,
            licence_url=self._licence_url if entitlement.encryption is Encryption.CLEARKEY else "",
            max_height_px=entitlement.max_lines,
            expires_at=Timestamp(seconds=int(entitlement.expires_at.timestamp())),
            encryption=_PROTO_OF_ENCRYPTION[entitlement.encryption],
            entitlement_id=entitlement.id,
            media_token=self._media_keys.sign(media_grant),
        )

    async def IssueLicence(  # noqa: N802
        self, request: licensing_pb2.IssueLicenceRequest, _context: _Context
    ) -> licensing_pb2.IssueLicenceResponse:
        """See the proto."""
        licence = await self._licensing.issue_licence(request.playback_token, request.eme_request)
        return licensing_pb2.IssueLicenceResponse(
            eme_licence=licence.message, expires_at=Timestamp(seconds=int(licence.expires_at.timestamp()))
        )

    async def RevokeSession(  # noqa: N802
        self, request: licensing_pb2.RevokeSessionRequest, _context: _Context
    ) -> licensing_pb2.RevokeSessionResponse:
        """See the proto."""
        caller = current_caller()
        require_viewer_or_service(caller)
        account_id = caller.viewer.account_id if caller.viewer else None
        revoked_count = await self._licensing.revoke_session(request.session_id, account_id)
        return licensing_pb2.RevokeSessionResponse(revoked_count=revoked_count)

    async def GetKeyInfo(  # noqa: N802
        self, request: licensing_pb2.GetKeyInfoRequest, _context: _Context
    ) -> licensing_pb2.GetKeyInfoResponse:
        """See the proto."""
        require_service(current_caller())
        records = await self._licensing.keys_of_asset(request.asset_id)
        return licensing_pb2.GetKeyInfoResponse(
            keys=[
                licensing_pb2.KeyInfo(
                    key_id=record.key_id.hex(),
                    key_class=_PROTO_OF_KEY_CLASS[record.key_class],
                    created_at=Timestamp(seconds=int(record.created_at.timestamp())),
                )
                for record in records
            ]
        )

    async def EnsureAssetKeys(  # noqa: N802
        self, request: licensing_pb2.EnsureAssetKeysRequest, _context: _Context
    ) -> licensing_pb2.EnsureAssetKeysResponse:
        """See the proto."""
        require_service(current_caller())
        key_classes = [_read_key_class(number) for number in request.key_classes]
        keys = await self._licensing.ensure_asset_keys(request.asset_id, request.title_id, key_classes)
        return licensing_pb2.EnsureAssetKeysResponse(
            keys=[
                licensing_pb2.ContentKey(
                    key_id=key.key_id, value=key.value, key_class=_PROTO_OF_KEY_CLASS[key.key_class]
                )
                for key in keys
            ]
        )

    async def ListAccountEntitlements(  # noqa: N802
        self, request: licensing_pb2.ListAccountEntitlementsRequest, _context: _Context
    ) -> licensing_pb2.ListAccountEntitlementsResponse:
        """See the proto."""
        require_service(current_caller())
        page, total_count = await self._licensing.account_entitlements(
            request.account_id, request.after_id, request.limit
        )
        return licensing_pb2.ListAccountEntitlementsResponse(
            entitlements=[_write_entitlement(entitlement) for entitlement in page], total_count=total_count
        )

    async def EraseAccountEntitlements(  # noqa: N802
        self, request: licensing_pb2.EraseAccountEntitlementsRequest, _context: _Context
    ) -> licensing_pb2.EraseAccountEntitlementsResponse:
        """See the proto."""
        require_service(current_caller())
        erased_count = await self._licensing.erase_account(request.account_id, scrub=request.scrub)
        return licensing_pb2.EraseAccountEntitlementsResponse(erased_count=erased_count)


@asynccontextmanager
async def running_server(settings: LicensingSettings, clock: Clock | None = None) -> AsyncIterator[int]:
    """The service as a context; yields its port."""
    clock = clock or SystemClock()
    wrapper = FileKeyWrapper.load_or_create(settings.master_key_path)
    tokens = PlaybackTokens(ensure_key_file(settings.playback_key_path), clock)
    async with open_sql_store(settings.resolved_database_url) as store:
        licensing = Licensing(store, wrapper, tokens, clock, settings.entitlement_life)
        media_keys = MediaTokenKeys.load_or_create(settings.media_token_keys_path)
        servicer = LicensingServicer(licensing, f"{settings.shared.public_media_url}/licence/clearkey", media_keys)

        def register(server: grpc.aio.Server) -> None:
            licensing_pb2_grpc.add_LicensingServiceServicer_to_server(servicer, server)

        async with grpc_server(settings, SERVICE_NAME, register) as port:
            yield port


async def serve(settings: LicensingSettings) -> None:
    """Run the service until cancelled."""
    await run_until_cancelled(running_server(settings))


def _write_entitlement(entitlement: Entitlement) -> licensing_pb2.EntitlementRecord:
    return licensing_pb2.EntitlementRecord(
        id=entitlement.id,
        session_id=entitlement.session_id,
        profile_id=entitlement.profile_id,
        device_id=entitlement.device_id,
        title_id=entitlement.title_id,
        asset_id=entitlement.asset_id,
        encryption=_PROTO_OF_ENCRYPTION[entitlement.encryption],
        max_height_px=entitlement.max_lines,
        issued_at=Timestamp(seconds=int(entitlement.issued_at.timestamp())),
        expires_at=Timestamp(seconds=int(entitlement.expires_at.timestamp())),
    )


def _read_key_class(number: int) -> KeyClass:
    key_class = _KEY_CLASS_OF_PROTO.get(media_pb2.KeyClass.ValueType(number))
    if key_class is None:
        raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"key class {number} is unknown; see marquee.common.v1.KeyClass")
    return key_class
