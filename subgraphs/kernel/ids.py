"""Ids: opaque to everyone but their owner, typed so that two of them can't change places in a call."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime
from typing import NewType

__all__ = ["AccountId", "ProfileId", "SessionId", "TitleId", "new_id", "stable_id"]

AccountId = NewType("AccountId", str)
ProfileId = NewType("ProfileId", str)
SessionId = NewType("SessionId", str)
TitleId = NewType("TitleId", str)

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str, now: datetime) -> str:
    """`<prefix>_<ULID in lower case>`: 48 bits of milliseconds, then 80 random ones, so that ids sort by age."""
    value = (int(now.timestamp() * 1000) << 80) | secrets.randbits(80)
    return f"{prefix}_" + "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))


def stable_id(prefix: str, *parts: str) -> str:
    """`<prefix>_<26 characters>` that depend on the parts alone: the same source and key give the same id for ever.

    130 bits of SHA-256, base32 in lower case; parts are separated by a byte that text can't hold.
    """
    digest = hashlib.sha256(b"\xff".join(part.encode() for part in parts)).digest()
    return f"{prefix}_{base64.b32encode(digest).decode().lower()[:26]}"
