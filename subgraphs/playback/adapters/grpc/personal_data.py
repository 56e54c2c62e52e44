"""Licensing's personal data: the entitlements of an account, by the caller's own service token."""

from __future__ import annotations

from typing import Any

import grpc

from grpc_protos.generated.marquee.common.v1 import media_pb2
from grpc_protos.generated.marquee.licensing.v1 import licensing_pb2, licensing_pb2_grpc
from subgraphs.kernel.personal_data import (
    MAX_RECORDS_PER_PLACE,
    CountsByPlace,
    RecordsByPlace,
    Subject,
    too_many_records,
)
from subgraphs.playback.adapters.grpc.calls import translated_errors

__all__ = ["LicensingPersonalData"]

PLACE = "grpc:licensing/entitlements"
PAGE = 1_000
TIMEOUT_S = 20.0
"""Deleting ends with rewriting the store's file."""


class LicensingPersonalData:
    """A PersonalDataStore over a channel that somebody else owns."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = licensing_pb2_grpc.LicensingServiceStub(channel)

    async def export_personal(self, subject: Subject) -> RecordsByPlace:
        """See PersonalDataStore."""
        records: list[dict[str, object]] = []
        after_id = ""
        while True:
            page = await self._page(subject, after_id, PAGE)
            records += [_record(entitlement) for entitlement in page.entitlements]
            if len(records) > MAX_RECORDS_PER_PLACE:
                raise too_many_records(PLACE)
            if len(page.entitlements) < PAGE:
                return {PLACE: records}
            after_id = page.entitlements[-1].id

    async def erase_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore."""
        with translated_errors("licensing"):
            answer = await self._stub.EraseAccountEntitlements(
                licensing_pb2.EraseAccountEntitlementsRequest(account_id=subject.account_id, scrub=True),
                timeout=TIMEOUT_S,
                metadata=_metadata(subject),
            )
        return {PLACE: int(answer.erased_count)}

    async def count_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore."""
        return {PLACE: int((await self._page(subject, "", 1)).total_count)}

    async def scrub(self) -> None:
        """Done with the erasure."""

    async def _page(self, subject: Subject, after_id: str, limit: int) -> licensing_pb2.ListAccountEntitlementsResponse:
        request = licensing_pb2.ListAccountEntitlementsRequest(
            account_id=subject.account_id, after_id=after_id, limit=limit
        )
        with translated_errors("licensing"):
            return await self._stub.ListAccountEntitlements(request, timeout=TIMEOUT_S, metadata=_metadata(subject))


def _metadata(subject: Subject) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {subject.service_token}"),)


def _record(entitlement: Any) -> dict[str, object]:
    return {
        "id": entitlement.id,
        "session_id": entitlement.session_id,
        "profile_id": entitlement.profile_id,
        "device_id": entitlement.device_id,
        "title_id": entitlement.title_id,
        "asset_id": entitlement.asset_id,
        "encryption": media_pb2.Encryption.Name(entitlement.encryption),
        "max_height_px": entitlement.max_height_px,
        "issued_at": entitlement.issued_at.ToJsonString(),
        "expires_at": entitlement.expires_at.ToJsonString(),
    }
