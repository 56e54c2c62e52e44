"""Entitlements and the plan table: what a session may play, and up to which quality."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from media_pipeline.media.protection import Encryption, KeyClass

__all__ = ["MAX_LINES_BY_PLAN", "Entitlement", "KeyRecord", "allowed_key_classes", "granted_lines"]

MAX_LINES_BY_PLAN: dict[str, int] = {"BASIC": 480, "STANDARD": 1080, "PREMIUM": 2160}
"""Largest rung per plan."""
UNKNOWN_PLAN_LINES = 480
"""A plan that this table does not know yet gets the least, never the most."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A content key at rest: its value wrapped by the master key."""

    key_id: bytes
    asset_id: str
    title_id: str
    key_class: KeyClass
    wrapped: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Entitlement:
    """One session's right to play one asset. `key_ids` is empty for the clear version."""

    id: str
    session_id: str
    account_id: str
    profile_id: str
    device_id: str
    title_id: str
    asset_id: str
    encryption: Encryption
    max_lines: int
    key_ids: frozenset[bytes]
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def is_valid_at(self, now: datetime) -> bool:
        """Neither revoked nor over."""
        return self.revoked_at is None and now < self.expires_at


def granted_lines(plan: str | None, device_max_lines: int) -> int:
    """The smaller of the plan's and the device's limit; device_max_lines 0 means that the device names none."""
    plan_lines = MAX_LINES_BY_PLAN.get(plan or "", UNKNOWN_PLAN_LINES)
    return min(plan_lines, device_max_lines) if device_max_lines > 0 else plan_lines


def allowed_key_classes(max_lines: int, present: Iterable[KeyClass]) -> frozenset[KeyClass]:
    """The classes a limit opens. SD is always among them: a film's smallest rung is what everybody may see."""
    allowed = {KeyClass.AUDIO, KeyClass.SD}
    if max_lines > 480:
        allowed.add(KeyClass.HD)
    if max_lines > 1080:
        allowed.add(KeyClass.UHD)
    return frozenset(allowed) & frozenset(present)
