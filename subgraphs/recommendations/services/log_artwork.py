"""Keeps what was shown and opened of artwork, from the topic interactions; forgets who refuses, from accounts.

A group of its own, as what is learned from may wait and pages may not. The same event twice leaves the same entry.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog

from common.background import background
from common.clock import Clock
from common.errors import ServiceError
from common.events import Event, EventHandler
from subgraphs.recommendations.domain.artwork_choice import ArtworkContext, ArtworkDecision, ShownArtwork
from subgraphs.recommendations.domain.artwork_sizes import ArtworkRole
from subgraphs.recommendations.ports import TasteStore
from subgraphs.recommendations.ports_artwork import ArtworkContexts, ArtworkLog
from subgraphs.recommendations.services.heed_accounts import forgotten_profiles, heed_account

__all__ = ["REMEMBERED_FOR", "LogArtwork", "described_artwork"]

log = structlog.get_logger(__name__)

PURPOSES = frozenset({"PERSONALISATION"})
REMEMBERED_FOR = timedelta(days=90)
"""Pictures and tastes change, and an entry says whose it is."""
FORGET_EVERY_S = 3_600.0


def described_artwork(shown: ShownArtwork) -> dict[str, Any]:
    """As the events `card.shown` and `card.clicked` tell it."""
    return {
        "role": shown.role.value,
        "variant": shown.variant,
        "propensities": list(shown.propensities),
        "policyId": shown.policy_id,
        "epoch": shown.context.epoch,
        "genres": dict(shown.context.genres),
    }


class LogArtwork:
    """The handlers by topic."""

    def __init__(self, entries: ArtworkLog, contexts: ArtworkContexts, tastes: TasteStore, clock: Clock) -> None:
        self._entries = entries
        self._contexts = contexts
        self._tastes = tastes
        self._clock = clock

    def handlers(self) -> Mapping[str, EventHandler]:
        """For the event consumer."""
        return {"interactions": self.on_interactions, "accounts": self.on_accounts}

    async def on_interactions(self, event: Event) -> None:
        """`card.shown` and `card.clicked`, of cards whose artwork was chosen.

        Those that were under way when consent was taken back are heard after that, as topics are read side by side.
        """
        data = event.data
        told = data.get("artwork")
        if event.kind not in {"card.shown", "card.clicked"} or told is None:
            return
        if not (await self._tastes.taste(str(data["profileId"]))).is_personal:
            return
        shown = ShownArtwork(
            role=ArtworkRole(told["role"]),
            variant=str(told["variant"]),
            propensities=tuple(float(each) for each in told["propensities"]),
            policy_id=str(told["policyId"]),
            context=ArtworkContext(int(told["epoch"]), dict(told["genres"])),
        )
        await self._entries.add(
            ArtworkDecision(
                profile_id=str(data["profileId"]),
                title_id=str(data["titleId"]),
                shown=shown,
                shown_at=datetime.fromisoformat(data["occurredAt"]),
                is_opened=event.kind == "card.clicked",
            )
        )

    async def on_accounts(self, event: Event) -> None:
        """`profile.deleted`, `account.erased`, and a consent that is taken back."""
        # First: a page that is made meanwhile would hold the profile's genres again.
        await heed_account(self._tastes, event)
        for profile_id in forgotten_profiles(event, PURPOSES):
            await self._contexts.forget(profile_id)
            await self._entries.forget(profile_id)

    @asynccontextmanager
    async def forgetting(self) -> AsyncIterator[None]:
        """Deleting what is older than REMEMBERED_FOR, whether or not anything is learned, until the block ends."""
        async with background(self._run(), "artwork log"):
            yield

    async def forget_old(self) -> None:
        """Once; failures are logged, the next turn tries again."""
        try:
            count = await self._entries.forget_before(self._clock.now() - REMEMBERED_FOR)
        except ServiceError as error:
            log.warning("artwork.not_forgotten", error=error.message)
            return
        if count:
            log.info("artwork.forgotten", entries=count)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FORGET_EVERY_S)
            await self.forget_old()
