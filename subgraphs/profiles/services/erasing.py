"""The erasure: a saga over all services, its steps remembered in the store, each of which may be repeated.

1. close: no way into the account any more. 2. every other service erases. 3. mail: the word that the account is erased
leaves before its address is gone. 4. profiles erases, and tells all services by an event. 5. the event streams.
6. wait: access tokens from before are good for some minutes, and what they wrote or what was under way must come to
rest. 7. sweep: 2, 4 and 5 once more. 8. verify: every place is counted, and all counts are 0. 9. scrub: files are
rewritten. 10. forget: the request itself says no more whose it was, and profiles' own file is rewritten last.
What stays is a certificate that says of nobody.

An erasure does not fail: what is away is tried again until it answers. Killed between an action and its mark, the
action is repeated, and finds less.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from common.clock import Clock
from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import AccountId
from subgraphs.kernel.personal_data import Subject
from subgraphs.profiles.domain.notifications import NotificationKind
from subgraphs.profiles.domain.privacy import PrivacyRequest, PrivacyRequestId
from subgraphs.profiles.ports import AccountStore
from subgraphs.profiles.ports_privacy import EventStreams, PersonalDataHolder, PrivacyStore
from subgraphs.profiles.services.events import account_erased
from subgraphs.profiles.services.notices import Notices

__all__ = ["Erasing", "ErasureNotes", "NotYet", "erasure_steps"]

log = structlog.get_logger(__name__)

MAIL_WAIT = timedelta(hours=3)
"""Longer than a mail is tried, which is about two hours: only a mailing that does not work at all is given up here."""
_FIRST_LOOK, _LAST_LOOK = timedelta(seconds=1), timedelta(minutes=1)
"""How soon it is looked again whether the mail has left: at once a second, later by the minute."""
SPARED = timedelta(hours=24)
"""How long the event that tells of an erasure waits in its stream for services that have not heard it."""


@dataclass(frozen=True, slots=True)
class ErasureNotes:
    """`settle`: how long after closing nobody can write any more. `lease`: how long one step may take."""

    settle: timedelta
    lease: timedelta


@dataclass(frozen=True, slots=True)
class NotYet:
    """The next step is due at `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Erasing:
    """The use case. `holders` end with profiles itself: the others may ask it nothing after that."""

    store: PrivacyStore
    holders: Sequence[PersonalDataHolder]
    streams: EventStreams
    notices: Notices
    accounts: AccountStore
    clock: Clock
    notes: ErasureNotes
    on_commit: Callable[[], None]

    async def run(self, request: PrivacyRequest) -> NotYet | None:
        """Do what is left; None: all is done. Raises ServiceError when something did not answer."""
        for step in erasure_steps([holder.name for holder in self.holders]):
            if step in request.steps:
                continue
            outcome = await self._do(step, request)
            if isinstance(outcome, NotYet):
                return outcome
            events = [account_erased(_subject(request), self.clock.now())] if step == "tell" else []
            leased_until = self.clock.now() + self.notes.lease
            if step == "forget":
                await self.store.forget(request.id, step, leased_until)
            else:
                await self.store.step_done(request.id, step, outcome, leased_until, events)
            log.info("erasure.step_done", request_id=request.id, step=step)
            if step == "close":
                # Only now the request says whose profiles and addresses these are.
                request = await self._again(request)
            if events:
                self.on_commit()
        await self.store.finish_erasure(request.id, self.clock.now())
        log.info("erasure.done", request_id=request.id)
        return None

    async def _again(self, request: PrivacyRequest) -> PrivacyRequest:
        found = await self.store.request(request.id)
        if found is None:
            raise ServiceError(ErrorKind.INTERNAL, f"request {request.id} is gone")
        return found

    async def _do(self, step: str, request: PrivacyRequest) -> Mapping[str, int] | NotYet:
        action, _, name = step.partition(":")
        subject = _subject(request)
        match action:
            case "close":
                await self._close(request.id, subject.account_id)
            case "erase" | "sweep" if name == "streams":
                return await self.streams.erase(subject.ids, spare_unheard=self._is_fresh(request))
            case "erase" | "sweep":
                holder = self._holder(name)
                return _named(holder.name, await holder.erase(subject))
            case "mail":
                return await self._see_mail_off(request)
            case "wait":
                assert request.closed_at is not None
                rests_at = request.closed_at + self.notes.settle
                if self.clock.now() < rests_at:
                    return NotYet(rests_at)
            case "verify":
                await self._verify(subject, request)
            case "scrub" if name == "streams":
                await self.streams.scrub()
            case "scrub":
                await self._holder(name).scrub(subject)
            case "tell" | "forget":
                pass  # written with the step's mark
            case _:
                raise ServiceError(ErrorKind.INTERNAL, f"an erasure has no step {step!r}")
        return {}

    async def _close(self, request_id: PrivacyRequestId, account_id: AccountId) -> None:
        now = self.clock.now()
        await self.store.close_account(request_id, await self.store.subject(account_id), now)
        account = (await self.accounts.accounts_by_id([account_id])).get(account_id)
        if account is not None:
            # It leaves while the other services erase; the step `mail` waits for it.
            await self.notices.tell(account, NotificationKind.ACCOUNT_ERASED, now, key=request_id)

    async def _see_mail_off(self, request: PrivacyRequest) -> Mapping[str, int] | NotYet:
        assert request.account_id is not None
        assert request.closed_at is not None
        if not await self.notices.is_waiting(request.account_id, key=request.id):
            return {}
        now = self.clock.now()
        waited = now - request.closed_at
        if waited >= MAIL_WAIT:
            log.warning("erasure.mail_given_up", request_id=request.id)
            return {}
        log.info("erasure.mail_waits", request_id=request.id)
        return NotYet(now + min(max(waited / 4, _FIRST_LOOK), _LAST_LOOK))

    async def _verify(self, subject: Subject, request: PrivacyRequest) -> None:
        """Raises ServiceError(ABORTED) naming the places where something is left, after erasing it once more."""
        left: dict[str, int] = {}
        for holder in self.holders:
            left |= _named(holder.name, await holder.count(subject))
        left |= await self.streams.count(subject.ids)
        places = sorted(place for place, count in left.items() if count)
        if not places:
            return
        for holder in self.holders:
            await holder.erase(subject)
        await self.streams.erase(subject.ids, spare_unheard=self._is_fresh(request))
        raise ServiceError(ErrorKind.ABORTED, f"something is left in {', '.join(places)[:200]}")

    def _is_fresh(self, request: PrivacyRequest) -> bool:
        return self.clock.now() < (request.closed_at or request.requested_at) + SPARED

    def _holder(self, name: str) -> PersonalDataHolder:
        return next(holder for holder in self.holders if holder.name == name)


def erasure_steps(holders: Sequence[str]) -> tuple[str, ...]:
    """The steps in their order; the last holder is profiles itself."""
    return (
        "close",
        *(f"erase:{name}" for name in holders[:-1]),
        "mail",
        f"erase:{holders[-1]}",
        "tell",
        "erase:streams",
        "wait",
        *(f"sweep:{name}" for name in holders),
        "sweep:streams",
        "verify",
        *(f"scrub:{name}" for name in holders[:-1]),
        "scrub:streams",
        "forget",
        f"scrub:{holders[-1]}",
    )


def _subject(request: PrivacyRequest) -> Subject:
    """Nobody's any more when the request has forgotten it."""
    return Subject(request.account_id or AccountId(""), request.profile_ids, request.emails)


def _named(service: str, counts: Mapping[str, int]) -> dict[str, int]:
    return {f"{service}/{place}": count for place, count in counts.items()}
