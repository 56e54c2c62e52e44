"""The devices of an account: known from log-in on, renamed and removed by the account's holder."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from common.tokens import Viewer
from subgraphs.kernel.ids import AccountId, new_id
from subgraphs.profiles.domain.account_holders import check_holder
from subgraphs.profiles.domain.accounts import Account
from subgraphs.profiles.domain.devices import Device, DeviceFormFactor, DeviceId, client_hash
from subgraphs.profiles.domain.outcomes import Invalid, NotAllowed, NotSignedIn
from subgraphs.profiles.domain.rules import normalise_name
from subgraphs.profiles.ports_billing import DeviceStore
from subgraphs.profiles.services.events import device_removed

__all__ = ["DeviceDraft", "DeviceMissing", "Devices", "check_device"]

log = structlog.get_logger(__name__)

MAX_CLIENT_ID_LENGTH = 200
MAX_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class DeviceDraft:
    """A device as its client describes it; `client_id` is the same at every log-in of one installation."""

    client_id: str
    name: str
    form_factor: DeviceFormFactor


@dataclass(frozen=True, slots=True)
class DeviceMissing:
    """The account has no such device; another account's looks the same."""

    device_id: str


def check_device(draft: DeviceDraft, path: str = "input.device") -> dict[str, str]:
    """Problems by field path."""
    problems: dict[str, str] = {}
    if not 1 <= len(draft.client_id) <= MAX_CLIENT_ID_LENGTH:
        problems[f"{path}.id"] = f"has {len(draft.client_id)} characters; give 1 to {MAX_CLIENT_ID_LENGTH}"
    return problems | _check_name(draft.name, f"{path}.name")


@dataclass(frozen=True, slots=True)
class Devices:
    """The service; `on_commit` is called after a write that left events in the outbox."""

    store: DeviceStore
    max_devices: int
    on_commit: Callable[[], None]

    async def see(self, account_id: AccountId, draft: DeviceDraft, now: datetime) -> Device:
        """Somebody logs in on a device; `draft` is checked. Its name stays what the holder called it."""
        device = Device(
            id=DeviceId(new_id("dev", now)),
            account_id=account_id,
            client_hash=client_hash(account_id, draft.client_id),
            name=normalise_name(draft.name),
            form_factor=draft.form_factor,
            first_seen_at=now,
            last_seen_at=now,
        )
        seen = await self.store.see(
            device, max_devices=self.max_devices, events=lambda removed: [device_removed(removed, now)]
        )
        self.on_commit()
        return seen

    async def rename(
        self, viewer: Viewer, account: Account | None, device_id: DeviceId, name: str
    ) -> Device | DeviceMissing | Invalid | NotAllowed | NotSignedIn:
        """Give a device another name."""
        if account is None:
            return NotSignedIn()
        refusal = check_holder(viewer)
        if refusal is not None:
            return NotAllowed(refusal)
        wanted = normalise_name(name)
        problems = _check_name(wanted, "name")
        if problems:
            return Invalid(problems)
        return await self.store.rename(account.id, device_id, wanted) or DeviceMissing(device_id)

    async def remove(
        self, viewer: Viewer, account: Account | None, device_id: DeviceId, now: datetime
    ) -> Account | DeviceMissing | NotAllowed | NotSignedIn:
        """Sign a device out and forget it; its sessions are told as ended, as after a log-out."""
        if account is None:
            return NotSignedIn()
        refusal = check_holder(viewer)
        if refusal is not None:
            return NotAllowed(refusal)
        removed = await self.store.remove(account.id, device_id, now, lambda device: [device_removed(device, now)])
        if removed is None:
            return DeviceMissing(device_id)
        self.on_commit()
        log.info("device.removed", account_id=account.id, device_id=device_id)
        return account


def _check_name(name: str, path: str) -> dict[str, str]:
    if not name.strip():
        return {path: "is empty; give the device a name"}
    if len(name) > MAX_NAME_LENGTH:
        return {path: f"has {len(name)} characters; at most {MAX_NAME_LENGTH} fit"}
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        return {path: "has invisible characters; use letters, digits, signs and blanks"}
    return {}
