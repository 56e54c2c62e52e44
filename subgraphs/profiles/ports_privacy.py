"""What exports and erasures need from stores, from the other services and from the event streams."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from common.events import Event
from subgraphs.kernel.ids import AccountId
from subgraphs.kernel.personal_data import CountsByPlace, RecordsByPlace, Subject
from subgraphs.profiles.domain.privacy import PrivacyRequest, PrivacyRequestId, RequestKind

__all__ = ["EventStreams", "PersonalDataHolder", "PrivacyStore"]


class PrivacyStore(Protocol):
    """Requests, and the texts of exports."""

    async def ask(self, request: PrivacyRequest) -> PrivacyRequest:
        """Keep a new request; the account's open one of that kind instead, when there is one."""
        ...

    async def cancel(self, account_id: AccountId, kind: RequestKind, now: datetime) -> bool:
        """Cancel a request of which no step is done; False when there is none."""
        ...

    async def request(self, request_id: PrivacyRequestId) -> PrivacyRequest | None:
        """By id, whosever it is."""
        ...

    async def requests_of(self, account_id: AccountId, kind: RequestKind, limit: int) -> Sequence[PrivacyRequest]:
        """The account's newest ones, newest first."""
        ...

    async def claim(self, now: datetime, lease: timedelta) -> PrivacyRequest | None:
        """The request that waits longest and is due, leased: nobody else gets it until the lease is over."""
        ...

    async def subject(self, account_id: AccountId) -> Subject:
        """The account with its profiles and its e-mail addresses, as they are now."""
        ...

    async def close_account(self, request_id: PrivacyRequestId, subject: Subject, now: datetime) -> None:
        """No way into the account any more: sessions end, the password fits nothing.

        Remembers the subject, with profiles that were made meanwhile. Raises ServiceError(ABORTED), and changes
        nothing, when the request was cancelled meanwhile.
        """
        ...

    async def step_done(
        self,
        request_id: PrivacyRequestId,
        step: str,
        counts: Mapping[str, int],
        leased_until: datetime,
        events: Sequence[Event] = (),
    ) -> None:
        """Remember a step with what it deleted, and its events, in one transaction; once per step."""
        ...

    async def put_off(self, request_id: PrivacyRequestId, run_at: datetime, problem: str | None) -> None:
        """Look at it again at `run_at`; a problem counts as a failed try."""
        ...

    async def finish_export(
        self, request_id: PrivacyRequestId, parts: Sequence[str], digest: str, now: datetime, expires_at: datetime
    ) -> None:
        """Keep the text and say that it is whole; repeating it changes nothing."""
        ...

    async def forget(self, request_id: PrivacyRequestId, step: str, leased_until: datetime) -> None:
        """The request says no more whose it was, with the step's mark; the account's other requests are deleted."""
        ...

    async def finish_erasure(self, request_id: PrivacyRequestId, now: datetime) -> None:
        """What stays is a certificate: that an erasure was done, and of how many records; not of whom."""
        ...

    async def fail(self, request_id: PrivacyRequestId, problem: str, now: datetime) -> None:
        """Give up."""
        ...

    async def part(self, request_id: PrivacyRequestId, number: int) -> str | None:
        """A part of an export's text, counted from 0; None beyond the last."""
        ...

    async def drop_expired(self, now: datetime) -> int:
        """Delete exports whose time is over; how many."""
        ...


class PersonalDataHolder(Protocol):
    """A service that holds personal data. Every failure is a ServiceError; every call may be repeated."""

    @property
    def name(self) -> str:
        """The service's."""
        ...

    async def export(self, subject: Subject) -> RecordsByPlace:
        """Everything that the account may see of itself."""
        ...

    async def erase(self, subject: Subject) -> CountsByPlace:
        """Delete it; how many records by place."""
        ...

    async def count(self, subject: Subject) -> CountsByPlace:
        """What is there now by place, zeros included."""
        ...

    async def scrub(self, subject: Subject) -> None:
        """Overwrite what deleted records left behind."""
        ...


class EventStreams(Protocol):
    """The streams in which events name accounts and profiles."""

    async def erase(self, ids: Collection[str], *, spare_unheard: bool) -> Mapping[str, int]:
        """Delete the entries that name one of the ids; with `spare_unheard` not those by which services are told."""
        ...

    async def count(self, ids: Collection[str]) -> Mapping[str, int]:
        """Entries that name one of the ids, by stream."""
        ...

    async def scrub(self) -> None:
        """Have what the server wrote of deleted entries and keys overwritten."""
        ...
