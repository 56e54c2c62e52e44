"""Requests of accounts about their data: a copy of it all, or the end of it all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from subgraphs.kernel.ids import AccountId, ProfileId

__all__ = [
    "PART_CHARACTERS",
    "PrivacyRequest",
    "PrivacyRequestId",
    "RequestKind",
    "RequestState",
    "retry_delay",
]

PrivacyRequestId = NewType("PrivacyRequestId", str)

PART_CHARACTERS = 200_000
"""Of an export's text, per part."""
_FIRST_DELAY = timedelta(seconds=1)
_MAX_DELAY = timedelta(minutes=5)


class RequestKind(StrEnum):
    """What is wanted."""

    EXPORT = "EXPORT"
    ERASURE = "ERASURE"


class RequestState(StrEnum):
    """How far it is."""

    WAITING = "WAITING"
    """Not begun, or under way."""
    DONE = "DONE"
    FAILED = "FAILED"
    """An export that could not be made whole; an erasure never fails, it goes on trying."""
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class PrivacyRequest:
    """One request. When an erasure is done it says no more whose it was: `account_id` is None and the lists are empty.

    `steps` are those that are done, in their order. `run_at` is when it is looked at next; `counts` are the records
    that an erasure deleted, by service and place. Size and digest (SHA-256, hexadecimal) are of an export's UTF-8 text.
    """

    id: PrivacyRequestId
    kind: RequestKind
    account_id: AccountId | None
    profile_ids: tuple[ProfileId, ...]
    emails: tuple[str, ...]
    requested_at: datetime
    run_at: datetime
    state: RequestState = RequestState.WAITING
    steps: tuple[str, ...] = ()
    counts: Mapping[str, int] | None = None
    attempts: int = 0
    problem: str | None = None
    closed_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    size_bytes: int = 0
    part_count: int = 0
    digest: str | None = None


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after so many failed tries: a second, doubled each time, at most five minutes."""
    return min(_MAX_DELAY, _FIRST_DELAY * (1 << min(attempts, 16)))
