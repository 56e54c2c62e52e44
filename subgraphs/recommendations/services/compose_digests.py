"""Digests: once a week, what is new for each profile that asked for it, told as `digest.composed`.

One process at a time has the turn and works slowly: the profiles' pages come first. A profile is marked when its digest
was told, so that work that was interrupted goes on where it stopped; what is told twice is mailed once.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import structlog

from common.background import background
from common.clock import Clock
from common.errors import ServiceError
from common.events import Event, EventHandler
from common.tokens import Viewer
from subgraphs.recommendations.domain.catalogue import BoolArray
from subgraphs.recommendations.domain.digests import (
    MAX_TITLES,
    MIN_TITLES,
    DigestPick,
    Subscriber,
    new_in,
    week_of,
)
from subgraphs.recommendations.domain.taste import Taste, read_signals
from subgraphs.recommendations.models.blend import Models, score_titles
from subgraphs.recommendations.pages.reasons import Reasons
from subgraphs.recommendations.ports import TasteStore
from subgraphs.recommendations.ports_digests import DigestTurn, Subscribers
from subgraphs.recommendations.services.keep_models import KeepModels

__all__ = ["ComposeDigests", "DigestDay", "choose_titles"]

log = structlog.get_logger(__name__)

BATCH_SIZE = 50
TURN_S = 120.0
"""Taken anew for each batch: longer than one takes, short enough for another process to go on soon."""
LOOK_S = 60.0
REST_RATIO = 4.0
"""Rest after each profile, as a part of its time: a fifth of one core at most. 100,000 profiles take some hours."""


@dataclass(frozen=True, slots=True)
class DigestDay:
    """When a week begins: on `weekday` (0: Monday) at `hour` o'clock UTC."""

    weekday: int
    hour: int

    def week(self, now: datetime) -> str:
        """The present week, by the day on which it began."""
        return week_of(now, self.weekday, self.hour)


class ComposeDigests:
    """Follows who asks for digests (`on_accounts`), and composes those that are due."""

    def __init__(
        self,
        *,
        models: KeepModels,
        tastes: TasteStore,
        subscribers: Subscribers,
        turn: DigestTurn,
        day: DigestDay,
        clock: Clock,
    ) -> None:
        self._models = models
        self._tastes = tastes
        self._subscribers = subscribers
        self._turn = turn
        self._day = day
        self._clock = clock
        self._owner = secrets.token_hex(8)

    def handlers(self, others: Mapping[str, EventHandler]) -> Mapping[str, EventHandler]:
        """The same, and topic `accounts` is heard here too."""
        follow = others["accounts"]

        async def on_accounts(event: Event) -> None:
            await follow(event)
            await self.on_accounts(event)

        return {**others, "accounts": on_accounts}

    async def on_accounts(self, event: Event) -> None:
        """Profiles as they are now, with whether they get digests; a kids profile never does."""
        data, at = event.data, event.occurred_at
        if event.kind in {"profile.created", "profile.changed"}:
            profile_id = str(data["profileId"])
            if data.get("digest") and not data["isKids"]:
                subscriber = Subscriber(profile_id, str(data["accountId"]), str(data["country"]), int(data["maturity"]))
                await self._subscribers.put(subscriber, self._day.week(self._clock.now()), at)
            elif data.get("digest") is not None:
                await self._subscribers.stop([profile_id], at)
        elif event.kind == "consent.changed" and data["purpose"] == "DIGEST" and not data["granted"]:
            await self._subscribers.stop([str(profile_id) for profile_id in data["profileIds"]], at)
        elif event.kind == "profile.deleted":
            await self._subscribers.forget([str(data["profileId"])])
        elif event.kind == "account.erased":
            await self._subscribers.forget([str(profile_id) for profile_id in data["profileIds"]])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Composing as a background task that ends with the block."""
        async with background(self._run(), "digests"):
            yield

    async def compose_due(self) -> int:
        """Compose what is due now, if it is this process's turn; how many were told. Raises ServiceError."""
        now = self._clock.now()
        week, after, told = self._day.week(now), "", 0
        if not await self._subscribers.due(week, after, 1):
            return 0
        try:
            while await self._turn.take(self._owner, TURN_S):
                batch = await self._subscribers.due(week, after, BATCH_SIZE)
                if not batch:
                    break
                told += await self._compose(batch, week, now)
                after = batch[-1].profile_id
        finally:
            await self._turn.give_back(self._owner)
        log.info("digests.composed", week=week, count=told)
        return told

    async def _compose(self, batch: Sequence[Subscriber], week: str, now: datetime) -> int:
        models, told = self._models.models, 0
        new: dict[str, BoolArray] = {}
        for subscriber in batch:
            started = time.monotonic()
            taste = await self._tastes.taste(subscriber.profile_id)
            picks: list[DigestPick] = []
            try:
                if subscriber.country not in new:
                    new[subscriber.country] = await asyncio.to_thread(_new_in, models, subscriber.country, now)
                picks = await asyncio.to_thread(choose_titles, models, subscriber, taste, new[subscriber.country], now)
                if picks:
                    await self._turn.tell(_composed(subscriber, week, picks, now))
                    told += 1
            except ServiceError:
                raise
            except Exception:  # one profile must not keep all behind it from theirs, every week
                log.exception("digest.not_composed", profile_id=subscriber.profile_id)
            await self._subscribers.composed(subscriber, week, [pick.record.id for pick in picks])
            await asyncio.sleep((time.monotonic() - started) * REST_RATIO)
        return told

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.compose_due()
            except ServiceError as error:
                log.warning("digests.waiting", error=error.message)
            except Exception:  # the task's edge: the next turn tries again
                log.exception("digests.failed")


def choose_titles(
    models: Models, subscriber: Subscriber, taste: Taste, new: BoolArray, now: datetime
) -> list[DigestPick]:
    """New titles that suit the profile best, without what it knows, refused or was mailed; none if they are too few."""
    catalogue = models.catalogue
    viewer = Viewer(
        account_id=subscriber.account_id,
        profile_id=subscriber.profile_id,
        country=subscriber.country,
        maturity=subscriber.maturity,
    )
    profile = score_titles(models, read_signals(taste, catalogue, now.timestamp()))
    signals, allowed = profile.signals, catalogue.visible(viewer, now)
    fresh = allowed & catalogue.is_listable
    fresh[[*signals.seen, *signals.started, *signals.refused]] = False
    wanted = fresh & new
    wanted[[index for title_id in subscriber.mailed if (index := catalogue.index(title_id)) is not None]] = False
    places = np.flatnonzero(wanted)
    if len(places) < MIN_TITLES:
        return []
    best = places[np.lexsort((places, -catalogue.popularity[places], -profile.scores[places]))][:MAX_TITLES]
    reasons = Reasons(profile, allowed, fresh)
    picks = []
    for place in best.tolist():
        reason = reasons.of(place)
        picks.append(DigestPick(catalogue.records[place], None if reason is None else reason.text))
    return picks


def _new_in(models: Models, country: str, now: datetime) -> BoolArray:
    catalogue = models.catalogue
    return new_in(catalogue, country, now, np.flatnonzero(catalogue.is_listable).tolist())


def _composed(subscriber: Subscriber, week: str, picks: Sequence[DigestPick], now: datetime) -> Event:
    """The same id for the same profile and week: readers tell repetitions by it."""
    titles: list[Mapping[str, object]] = [
        {
            "titleId": pick.record.id,
            "displayName": pick.record.display_name[:500],
            "releaseYear": pick.record.release_year,
            "reason": None if pick.reason is None else pick.reason[:600],
        }
        for pick in picks
    ]
    data = {"profileId": subscriber.profile_id, "accountId": subscriber.account_id, "week": week, "titles": titles}
    return Event("digests", "digest.composed", data, now, f"digest:{subscriber.profile_id}:{week}")
