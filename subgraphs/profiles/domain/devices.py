"""Devices: what an account is used on, as the clients name themselves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from subgraphs.kernel.ids import AccountId, SessionId

__all__ = ["Device", "DeviceFormFactor", "DeviceId", "SignedInSession", "client_hash"]

DeviceId = NewType("DeviceId", str)


class DeviceFormFactor(StrEnum):
    """What a device looks like to its viewer."""

    TV = "TV"
    PHONE = "PHONE"
    TABLET = "TABLET"
    DESKTOP = "DESKTOP"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Device:
    """`client_hash` is what is kept of the id that the client gave itself."""

    id: DeviceId
    account_id: AccountId
    client_hash: str
    name: str
    form_factor: DeviceFormFactor
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class SignedInSession:
    """One log-in on a device."""

    id: SessionId
    opened_at: datetime


def client_hash(account_id: AccountId, client_id: str) -> str:
    """Different for each account, so that a device that two accounts share does not tie them together."""
    return hashlib.sha256(f"{account_id}\x1f{client_id}".encode()).hexdigest()
