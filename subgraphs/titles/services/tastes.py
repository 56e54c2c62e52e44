"""What profiles are drawn to, as recommendations tells it: kept for searches, and gone with the permission.

Topic `tastes` brings a profile's taste whole, so that the last one is all that is needed. A refusal is kept as long as
a taste would be, and no taste is taken until the account allows it again: recommendations may hear of it later than we.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import datetime, timedelta

import structlog

from common.events import Event
from common.tokens import Viewer
from subgraphs.titles.domain.personal import ProfileTaste
from subgraphs.titles.ports import ProfileTastes

__all__ = ["KnownTastes"]

log = structlog.get_logger(__name__)

PURPOSE = "PERSONALISATION"
REMEMBERED = timedelta(seconds=5)
"""Who types asks several times in a row. Another process on the same store may have heard of a change meanwhile."""
MAX_REMEMBERED = 10_000
DEADLINE_S = 0.05
"""A search is asked of the engine meanwhile, and goes on without a taste that takes longer."""


class KnownTastes:
    """Handles the topics `tastes` and `accounts`, idempotently; and gives a searcher's taste."""

    def __init__(self, tastes: ProfileTastes) -> None:
        self._tastes = tastes
        self._known: OrderedDict[str, tuple[datetime, ProfileTaste | None]] = OrderedDict()

    async def of(self, viewer: Viewer, now: datetime) -> ProfileTaste | None:
        """None for nobody's searches, for a profile of which nothing is known, and when it can't be had in time."""
        profile_id = viewer.profile_id
        if profile_id is None:
            return None
        known = self._known.get(profile_id)
        if known is not None and now - REMEMBERED < known[0] <= now:
            return known[1]
        try:
            async with asyncio.timeout(DEADLINE_S):
                taste = await self._tastes.taste(profile_id)
        except (ConnectionError, TimeoutError) as error:
            log.warning("search.without_taste", error=str(error) or "too late")
            return None
        self._known.pop(profile_id, None)
        self._known[profile_id] = (now, taste)
        if len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
        return taste

    async def on_tastes(self, event: Event) -> None:
        """`taste.changed`."""
        data = event.data
        if event.kind != "taste.changed":
            return
        taste = ProfileTaste(
            genres={str(each["id"]): float(each["weight"]) for each in data["genres"]},
            people={str(each["name"]): float(each["weight"]) for each in data["people"]},
            titles={str(each["id"]): float(each["score"]) for each in data["titles"]},
        )
        profile_id = str(data["profileId"])
        await self._tastes.put(profile_id, taste, datetime.fromisoformat(data["computedAt"]))
        self._known.pop(profile_id, None)

    async def on_accounts(self, event: Event) -> None:
        """`consent.changed`, `profile.deleted` and `account.erased`."""
        data = event.data
        if event.kind == "consent.changed" and data["purpose"] == PURPOSE:
            for profile_id in map(str, data["profileIds"]):
                await self._tastes.decide(profile_id, event.occurred_at, is_refused=not data["granted"])
                self._known.pop(profile_id, None)
        elif event.kind == "profile.deleted":
            await self._tastes.end(str(data["profileId"]), event.occurred_at)
            self._known.pop(str(data["profileId"]), None)
        elif event.kind == "account.erased":
            for profile_id in map(str, data["profileIds"]):
                await self._tastes.forget(profile_id)
                self._known.pop(profile_id, None)
