"""Ids that sort by the time they were made and can't be guessed (ULID: 48 bits of milliseconds, 80 random bits)."""

from __future__ import annotations

import secrets
from datetime import datetime

__all__ = ["new_id"]

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str, now: datetime) -> str:
    """`<prefix>_` and 26 lower-case base-32 digits."""
    number = (int(now.timestamp() * 1000) << 80) | secrets.randbits(80)
    digits = [_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(digits)}"
