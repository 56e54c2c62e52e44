"""Tells other services what a profile is drawn to, as `taste.changed`, soon after it showed it.

The first change is told after a moment, those that follow together, some minutes later: a film that is watched changes
a taste with every heartbeat, and hardly. Nothing is told of a profile whose account does not allow personalisation;
those who were told forget it themselves when the permission is withdrawn. What waits when the process ends is not told:
the next thing that the profile does tells all of it.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from common.background import background
from common.clock import Clock
from common.errors import ServiceError
from common.events import Event, EventHandler
from subgraphs.recommendations.domain.taste import Taste, read_signals
from subgraphs.recommendations.domain.told_taste import ToldTaste, told_taste
from subgraphs.recommendations.models.blend import Models, score_titles
from subgraphs.recommendations.ports import InteractionEvents, TasteStore
from subgraphs.recommendations.services.keep_models import KeepModels

__all__ = ["TellTastes"]

log = structlog.get_logger(__name__)

SETTLE_S = 2.0
"""After the first change: a row of thumbs is one change."""
TOLD_AGAIN_AFTER_S = 120.0
MAX_WAITING = 10_000
MAX_TOLD_KEPT = 50_000
"""Profiles of which it is remembered when they were told."""
REST_RATIO = 4.0
"""Rest after each profile, as a part of its time: a fifth of one core at most."""
LOOK_S = 0.5


class TellTastes:
    """Hears what profiles do, and tells what follows."""

    def __init__(self, models: KeepModels, tastes: TasteStore, events: InteractionEvents, clock: Clock) -> None:
        self._models = models
        self._tastes = tastes
        self._events = events
        self._clock = clock
        self._due_at_s: OrderedDict[str, float] = OrderedDict()
        self._told_at_s: OrderedDict[str, float] = OrderedDict()

    def handlers(self, others: Mapping[str, EventHandler]) -> Mapping[str, EventHandler]:
        """The same, and what changes a taste is noted behind them."""

        def then_noting(handler: EventHandler) -> EventHandler:
            async def handle(event: Event) -> None:
                await handler(event)
                self.note(event)

            return handle

        noted = {topic: then_noting(others[topic]) for topic in ("viewing", "feedback", "accounts")}
        return {**others, **noted}

    def note(self, event: Event) -> None:
        """The profiles of this event are told soon; what does not change a taste is not looked at."""
        data = event.data
        if event.kind in {"profile.deleted", "account.erased"}:
            for profile_id in data.get("profileIds") or [data.get("profileId")]:
                self._due_at_s.pop(profile_id, None)
                self._told_at_s.pop(profile_id, None)
            return
        if event.kind == "consent.changed" and data["purpose"] == "PERSONALISATION" and data["granted"]:
            changed = [str(profile_id) for profile_id in data["profileIds"]]
        elif event.topic in {"viewing", "feedback"} and data.get("profileId"):
            changed = [str(data["profileId"])]
        else:
            return
        now_s = self._clock.now().timestamp()
        for profile_id in changed:
            if profile_id not in self._due_at_s and len(self._due_at_s) >= MAX_WAITING:
                log.warning("tastes.dropped", waiting=MAX_WAITING)
                continue
            again_s = self._told_at_s.get(profile_id, 0.0) + TOLD_AGAIN_AFTER_S
            self._due_at_s.setdefault(profile_id, max(now_s + SETTLE_S, again_s))

    async def tell_due(self) -> int:
        """Tell those whose time has come; returns how many were told. Raises ServiceError."""
        now_s, told = self._clock.now().timestamp(), 0
        for profile_id in [each for each, due_at_s in self._due_at_s.items() if due_at_s <= now_s]:
            if self._due_at_s.pop(profile_id, None) is None:
                # Gone, since another was told.
                continue
            began_s = time.monotonic()
            try:
                told += await self._tell(profile_id)
            except ServiceError:
                self._due_at_s.setdefault(profile_id, now_s)
                raise
            except Exception:  # one taste that can't be told must not keep all others from being told
                log.exception("taste.not_told", profile_id=profile_id)
            await asyncio.sleep((time.monotonic() - began_s) * REST_RATIO)
        return told

    async def _tell(self, profile_id: str) -> bool:
        taste = await self._tastes.taste(profile_id)
        # Of a profile that is gone, or never did anything, nothing is kept.
        if not (taste.is_personal and taste.version):
            return False
        now = self._clock.now()
        known = await asyncio.to_thread(_told, self._models.models, taste, now.timestamp())
        data = {
            "profileId": profile_id,
            "genres": [{"id": name, "weight": weight} for name, weight in known.genres.items()],
            "people": [{"name": name, "weight": weight} for name, weight in known.people.items()],
            "titles": [{"id": title_id, "score": score} for title_id, score in known.titles.items()],
            "computedAt": now.isoformat(),
        }
        await self._events.tell([Event(topic="tastes", kind="taste.changed", data=data, occurred_at=now)])
        self._remember(profile_id, now.timestamp())
        return True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Telling as a background task that ends with the block."""
        async with background(self._run(), "tastes"):
            yield

    def _remember(self, profile_id: str, at_s: float) -> None:
        self._told_at_s[profile_id] = at_s
        self._told_at_s.move_to_end(profile_id)
        if len(self._told_at_s) > MAX_TOLD_KEPT:
            self._told_at_s.popitem(last=False)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.tell_due()
            except ServiceError as error:
                log.warning("tastes.not_told", error=error.message)


def _told(models: Models, taste: Taste, now_s: float) -> ToldTaste:
    signals = read_signals(taste, models.catalogue, now_s)
    profile = score_titles(models, signals)
    return told_taste(models.catalogue, signals, profile.scores if profile.has_taste else None)
