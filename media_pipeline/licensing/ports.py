"""What the licensing service needs from outside: a store for keys and entitlements, and a master key."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from media_pipeline.licensing.domain import Entitlement, KeyRecord
from media_pipeline.media.protection import ContentKey

__all__ = ["KeyWrapper", "LicensingStore"]


class LicensingStore(Protocol):
    """Durable when a method returns."""

    async def add_missing_keys(self, records: Collection[KeyRecord]) -> None:
        """Store each record unless its asset has a key of that class already; safe when callers race."""
        ...

    async def keys_of_asset(self, asset_id: str) -> list[KeyRecord]:
        """All keys of an asset, ordered by class."""
        ...

    async def keys_by_id(self, key_ids: Collection[bytes]) -> list[KeyRecord]:
        """Those of the keys that exist."""
        ...

    async def put_entitlement(self, entitlement: Entitlement) -> None:
        """Store a new entitlement."""
        ...

    async def entitlement(self, entitlement_id: str) -> Entitlement | None:
        """One entitlement; None when there is none."""
        ...

    async def account_entitlements(self, account_id: str, after_id: str, limit: int) -> list[Entitlement]:
        """An account's entitlements in the order of ids, behind `after_id`."""
        ...

    async def account_entitlement_count(self, account_id: str) -> int:
        """How many there are."""
        ...

    async def erase_account(self, account_id: str, *, scrub: bool) -> int:
        """Delete an account's entitlements, and with `scrub` what deleted ones left in the file; how many."""
        ...

    async def revoke_session(self, session_id: str, account_id: str | None, now: datetime) -> int:
        """Revoke all valid entitlements of a session, of one account if one is named; how many there were."""
        ...


class KeyWrapper(Protocol):
    """Wraps content keys for rest. A key management service would be another implementation."""

    def wrap(self, key: ContentKey) -> bytes:
        """The key's value, sealed together with its id."""
        ...

    def unwrap(self, record: KeyRecord) -> ContentKey:
        """Raises KeyUnreadable when the record was changed or belongs to another master key."""
        ...


class KeyUnreadable(Exception):
    """A stored key can't be opened with this master key."""
