"""What account holders can ask about their data: a copy, the end, and how far either is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from subgraphs.kernel.ids import AccountId, new_id
from subgraphs.kernel.rate_limit import RateLimit, RateLimiter
from subgraphs.profiles.domain.account_holders import check_holder
from subgraphs.profiles.domain.accounts import Account
from subgraphs.profiles.domain.outcomes import Limited, NotAllowed, NotSignedIn, WrongCredentials
from subgraphs.profiles.domain.privacy import PrivacyRequest, PrivacyRequestId, RequestKind, RequestState
from subgraphs.profiles.ports_privacy import PrivacyStore
from subgraphs.profiles.services.asker import Asker
from subgraphs.profiles.services.passwords import Passwords

__all__ = ["MAX_EXPORTS_SHOWN", "Privacy"]

log = structlog.get_logger(__name__)

MAX_EXPORTS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Privacy:
    """The service. `grace` is how long an erasure can still be cancelled; `awake` tells the background work."""

    store: PrivacyStore
    passwords: Passwords
    rate_limiter: RateLimiter
    exports: RateLimit
    grace: timedelta
    awake: asyncio.Event

    async def ask_export(self, asker: Asker) -> PrivacyRequest | NotSignedIn | NotAllowed | Limited:
        """A new export; the one that is under way, when there is one."""
        account = asker.account
        if account is None:
            return NotSignedIn()
        refusal = check_holder(asker.viewer)
        if refusal is not None:
            return NotAllowed(refusal)
        newest = await self.store.requests_of(account.id, RequestKind.EXPORT, 1)
        if newest and newest[0].state is RequestState.WAITING:
            return newest[0]
        retry_after_s = await self.rate_limiter.take(self.exports, account.id)
        if retry_after_s is not None:
            return Limited(retry_after_s)
        return await self._ask(account, RequestKind.EXPORT, asker.now, asker.now)

    async def ask_erasure(
        self, asker: Asker, password: str
    ) -> PrivacyRequest | NotSignedIn | NotAllowed | Limited | WrongCredentials:
        """The end of the account, when the grace is over; the password is asked for once more."""
        account = asker.account
        if account is None:
            return NotSignedIn()
        not_allowed = check_holder(asker.viewer)
        if not_allowed is not None:
            return NotAllowed(not_allowed)
        refusal = await self.passwords.check(account, password, asker.address)
        if refusal is not None:
            return refusal
        return await self._ask(account, RequestKind.ERASURE, asker.now, asker.now + self.grace)

    async def cancel_erasure(self, asker: Asker) -> Account | NotSignedIn | NotAllowed | None:
        """The account lives on; None when there is nothing that could be cancelled any more."""
        if asker.account is None:
            return NotSignedIn()
        refusal = check_holder(asker.viewer)
        if refusal is not None:
            return NotAllowed(refusal)
        is_cancelled = await self.store.cancel(asker.account.id, RequestKind.ERASURE, asker.now)
        return asker.account if is_cancelled else None

    async def exports_of(self, account_id: AccountId, now: datetime) -> Sequence[PrivacyRequest]:
        """The newest that can be shown, newest first."""
        found = await self.store.requests_of(account_id, RequestKind.EXPORT, MAX_EXPORTS_SHOWN)
        return [request for request in found if request.expires_at is None or now < request.expires_at]

    async def erasure_of(self, account_id: AccountId) -> PrivacyRequest | None:
        """The one that waits or runs."""
        found = await self.store.requests_of(account_id, RequestKind.ERASURE, 1)
        return found[0] if found and found[0].state is RequestState.WAITING else None

    async def certificate(self, request_id: PrivacyRequestId) -> PrivacyRequest | None:
        """An erasure by its id, for whoever was given it; nobody is signed in any more by then."""
        request = await self.store.request(request_id)
        return request if request is not None and request.kind is RequestKind.ERASURE else None

    async def _ask(self, account: Account, kind: RequestKind, now: datetime, run_at: datetime) -> PrivacyRequest:
        request = PrivacyRequest(
            id=PrivacyRequestId(new_id("prq", now)),
            kind=kind,
            account_id=account.id,
            profile_ids=(),
            emails=(),
            requested_at=now,
            run_at=run_at,
        )
        kept = await self.store.ask(request)
        log.info("privacy.asked", kind=kind.value, request_id=kept.id)
        self.awake.set()
        return kept
