"""The background work of exports and erasures: takes what is due, one at a time, and goes on after a crash.

A request is leased; when its process dies, another one, or the same one after its restart, takes it up when the lease
is over and goes on behind the last step that is marked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog

from common.background import background
from common.clock import Clock
from common.errors import ErrorKind, ServiceError
from subgraphs.profiles.domain.notifications import NotificationKind
from subgraphs.profiles.domain.privacy import PrivacyRequest, RequestKind, retry_delay
from subgraphs.profiles.ports import AccountStore
from subgraphs.profiles.ports_privacy import PrivacyStore
from subgraphs.profiles.services.erasing import Erasing, NotYet
from subgraphs.profiles.services.exporting import Exporting
from subgraphs.profiles.services.notices import Notices

__all__ = ["PrivacyRounds"]

log = structlog.get_logger(__name__)

POLL_S = 1.0
MAX_EXPORT_ATTEMPTS = 8
"""With the delays about four minutes: longer than a restart of what is away. Then the account can ask again."""


@dataclass(frozen=True, slots=True)
class PrivacyRounds:
    """`awake` is set when there is something new."""

    store: PrivacyStore
    exporting: Exporting
    erasing: Erasing
    accounts: AccountStore
    notices: Notices
    clock: Clock
    lease: timedelta
    awake: asyncio.Event

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The work as a task that ends with the block."""
        async with background(self._run(), "privacy"):
            yield

    async def run_due(self) -> int:
        """Everything that is due now; returns how many requests were taken up."""
        count = 0
        await self.store.drop_expired(self.clock.now())
        while request := await self.store.claim(self.clock.now(), self.lease):
            await self._work(request)
            count += 1
        return count

    async def _work(self, request: PrivacyRequest) -> None:
        try:
            if request.kind is RequestKind.EXPORT:
                await self.exporting.run(request, self.clock.now())
                await self._tell_ready(request)
                return
            outcome = await self.erasing.run(request)
            if isinstance(outcome, NotYet):
                await self.store.put_off(request.id, outcome.at, None)
        except ServiceError as error:
            await self._put_off(request, error.kind, error.message)
        except Exception:  # a task's edge: the request is tried again, and others must not wait for it
            log.exception("privacy.failed", request_id=request.id)
            await self._put_off(request, ErrorKind.INTERNAL, "internal error; see the profiles service's log")

    async def _put_off(self, request: PrivacyRequest, kind: ErrorKind, problem: str) -> None:
        now = self.clock.now()
        is_over = request.attempts + 1 >= MAX_EXPORT_ATTEMPTS or kind is ErrorKind.RESOURCE_EXHAUSTED
        log.warning("privacy.put_off", request_id=request.id, kind=request.kind.value, problem=problem)
        if request.kind is RequestKind.EXPORT and is_over:
            await self.store.fail(request.id, problem, now)
        else:
            await self.store.put_off(request.id, now + retry_delay(request.attempts), problem)

    async def _tell_ready(self, request: PrivacyRequest) -> None:
        assert request.account_id is not None
        account = (await self.accounts.accounts_by_id([request.account_id])).get(request.account_id)
        if account is not None:
            now = self.clock.now()
            until = (now + self.exporting.kept).date().isoformat()
            details = {"until": until}
            await self.notices.tell(account, NotificationKind.EXPORT_READY, now, key=request.id, details=details)

    async def _run(self) -> None:
        while True:
            self.awake.clear()
            try:
                await self.run_due()
            except ServiceError as error:
                log.warning("privacy.store_away", error=error.message)
            except Exception:  # a task's edge: whatever this was, what is due must not wait for a restart
                log.exception("privacy.round_failed")
            try:
                async with asyncio.timeout(POLL_S):
                    await self.awake.wait()
            except TimeoutError:
                continue
