"""Tells again who refuses the use of their data, to services that may have missed it: they would go on using it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from common.clock import Clock
from common.events import Event, GapHandler
from subgraphs.kernel.ids import AccountId
from subgraphs.profiles.domain.consents import Purpose
from subgraphs.profiles.ports import AccountStore, ConsentStore
from subgraphs.profiles.services.events import consent_changed

__all__ = ["Retelling"]

log = structlog.get_logger(__name__)

TOPIC, REQUESTS_TOPIC = "accounts", "requests"
BATCH_SIZE = 500
"""Accounts whose refusals enter the outbox in one transaction."""


class Retelling:
    """Handles topic `requests`. Several services that missed the same events are answered by one telling.

    Permissions need not be told: without a word to the contrary each purpose has its default, and where that is no,
    nobody uses the data before it hears of a yes. `ask_again` asks the owners of other topics.
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
        """Tell all refusals, unless that was begun after the request was made."""
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
        count, after = 0, AccountId("")
        while refusals := await self._consents.refusals(Purpose.PERSONALISATION, after, BATCH_SIZE):
            profiles = await self._accounts.profiles_by_account(list(refusals))
            # With the instants of the decisions: what was decided since then is not undone by hearing this.
            events = [
                consent_changed(account_id, [profile.id for profile in profiles.get(account_id, ())], record)
                for account_id, record in refusals.items()
            ]
            await self._consents.tell(events)
            self._on_commit()
            count, after = count + len(refusals), list(refusals)[-1]
        # Only now: a request whose telling failed comes again, and must not be taken for answered.
        self._last_at = began_at
        log.info("refusals.retold", asked_by=asked_by, account_count=count)
