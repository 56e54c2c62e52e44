"""Tells again who refuses the use of their data, to services that may have missed it: they would go on using it.

And who asked for digests: who composes them would leave somebody out for ever.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import structlog

from common.clock import Clock
from common.events import Event, GapHandler
from subgraphs.kernel.ids import AccountId
from subgraphs.profiles.domain.consents import ConsentRecord, Purpose, granted_purposes, standing_consents
from subgraphs.profiles.ports import AccountStore, ConsentStore
from subgraphs.profiles.services.events import consent_changed, profile_changed

__all__ = ["Retelling"]

log = structlog.get_logger(__name__)

TOPIC, REQUESTS_TOPIC = "accounts", "requests"
BATCH_SIZE = 500
"""Accounts whose decisions enter the outbox in one transaction."""

_EventsOf = Callable[[Mapping[AccountId, ConsentRecord]], Awaitable[list[Event]]]


class Retelling:
    """Handles topic `requests`. Several services that missed the same events are answered by one telling.

    Other permissions need not be told: without a word to the contrary each purpose has its default, and where that is
    no, nobody uses the data before it hears of a yes. `ask_again` asks the owners of other topics.
    """

    def __init__(
        self,
        consents: ConsentStore,
        accounts: AccountStore,
        clock: Clock,
        *,
        ask_again: GapHandler,
        on_commit: Callable[[], None],
    ) -> None:
        self._consents = consents
        self._accounts = accounts
        self._clock = clock
        self._ask_again = ask_again
        self._on_commit = on_commit
        self._last_at: datetime | None = None

    async def handle(self, event: Event) -> None:
        """Tell all of it, unless that was begun after the request was made."""
        if event.kind != "republish.requested" or event.data["topic"] != TOPIC:
            return
        if self._last_at is None or event.occurred_at > self._last_at:
            await self._tell_all(event.data["group"])

    async def on_gap(self, topic: str) -> None:
        """Of requests that were missed all are answered at once."""
        if topic == REQUESTS_TOPIC:
            await self._tell_all("whoever was missed")
        else:
            await self._ask_again(topic)

    async def _tell_all(self, asked_by: str) -> None:
        began_at = self._clock.now()
        count = 0
        for purpose in (Purpose.PERSONALISATION, Purpose.ANALYTICS, Purpose.DIGEST):
            count += await self._tell_decided(purpose, self._refusals, is_granted=False)
        count += await self._tell_decided(Purpose.DIGEST, self._subscriptions, is_granted=True)
        # Only now: a request whose telling failed comes again, and must not be taken for answered.
        self._last_at = began_at
        log.info("decisions.retold", asked_by=asked_by, decision_count=count)

    async def _tell_decided(self, purpose: Purpose, events_of: _EventsOf, *, is_granted: bool) -> int:
        """With the instants of the decisions: what was decided since then is not undone by hearing this."""
        count, after = 0, AccountId("")
        while found := await self._consents.decided(purpose, after, BATCH_SIZE, is_granted=is_granted):
            await self._consents.tell(await events_of(found))
            self._on_commit()
            count, after = count + len(found), list(found)[-1]
        return count

    async def _refusals(self, found: Mapping[AccountId, ConsentRecord]) -> list[Event]:
        profiles = await self._accounts.profiles_by_account(list(found))
        return [
            consent_changed(account_id, [profile.id for profile in profiles.get(account_id, ())], record)
            for account_id, record in found.items()
        ]

    async def _subscriptions(self, found: Mapping[AccountId, ConsentRecord]) -> list[Event]:
        """Of each profile as it is now: a digest is composed for what it may see."""
        at, ids = self._clock.now(), list(found)
        accounts, profiles = await self._accounts.accounts_by_id(ids), await self._accounts.profiles_by_account(ids)
        records = await self._consents.records_by_account(ids)
        return [
            profile_changed(profile, account, at, granted_purposes(standing_consents(records[id_])))
            for id_, account in accounts.items()
            for profile in profiles.get(id_, ())
        ]
