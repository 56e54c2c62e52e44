"""Sessions: one log-in on one device, kept alive by refresh tokens of which each works once.

All refresh tokens of a session are one family. When a token comes that was used before, somebody has a copy: the whole
session ends, for the thief and the owner alike, and the owner logs in again.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from subgraphs.kernel.ids import AccountId, ProfileId, SessionId
from subgraphs.profiles.domain.devices import DeviceId

__all__ = ["RefreshToken", "Session", "TokenState", "new_refresh_token", "token_hash"]

MAX_REFRESH_TOKEN_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Session:
    """`profile_id` is the selected profile; a session ends when it is revoked or its newest token expires.

    `device_id`: the device on which it was opened, where the client said.
    """

    id: SessionId
    account_id: AccountId
    profile_id: ProfileId | None
    device_name: str
    created_at: datetime
    revoked_at: datetime | None = None
    device_id: DeviceId | None = None


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """`text` goes to the client and nowhere else; the store keeps `hash`."""

    text: str
    hash: str
    expires_at: datetime


class TokenState(StrEnum):
    """What the store knows of a refresh token."""

    FRESH = "FRESH"
    UNKNOWN = "UNKNOWN"
    """Never issued, expired, or of a session that ended."""
    USED = "USED"


def new_refresh_token(now: datetime, life: timedelta) -> RefreshToken:
    """256 random bits, usable once until `now + life`."""
    text = secrets.token_urlsafe(32)
    return RefreshToken(text=text, hash=token_hash(text), expires_at=now + life)


def token_hash(text: str) -> str:
    """SHA-256 in hex; enough for text that is random already."""
    return hashlib.sha256(text[:MAX_REFRESH_TOKEN_LENGTH].encode()).hexdigest()
