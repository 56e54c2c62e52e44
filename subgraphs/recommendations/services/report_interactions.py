"""What was on a screen and what was opened, told as events to those who learn from it, where it is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.events import Event
from common.tokens import Viewer
from subgraphs.recommendations.ports import InteractionEvents
from subgraphs.recommendations.services.keep_models import KeepModels

__all__ = ["MAX_INTERACTIONS", "MAX_TRACKING_LENGTH", "Interaction", "InteractionKind", "ReportInteractions"]

MAX_INTERACTIONS = 50
"""Of one report."""
MAX_TRACKING_LENGTH = 400
PURPOSE = "PERSONALISATION"


class InteractionKind(StrEnum):
    """What happened to a card."""

    SHOWN = "SHOWN"
    OPENED = "OPENED"


@dataclass(frozen=True, slots=True)
class Interaction:
    """One card; `tracking` as the page gave it."""

    kind: InteractionKind
    title_id: str
    tracking: str


class ReportInteractions:
    """The service. Kids profiles and accounts that refuse personalisation are not told of."""

    def __init__(self, models: KeepModels, events: InteractionEvents) -> None:
        self._models = models
        self._events = events

    async def report(self, viewer: Viewer, interactions: Sequence[Interaction], now: datetime) -> int:
        """How many were taken: those of titles that this viewer may see. The viewer has a profile.

        Raises ServiceError(UNAVAILABLE) when the stream is away.
        """
        if viewer.profile_id is None or viewer.account_id is None or viewer.is_kids:
            return 0
        if await self._events.is_refused(viewer.account_id):
            return 0
        catalogue = self._models.models.catalogue
        visible = catalogue.visible(viewer, now)
        told: list[Event] = []
        for each in interactions:
            index = catalogue.index(each.title_id)
            if index is not None and visible[index]:
                told.append(_event(viewer.profile_id, each, now))
        await self._events.tell(told)
        return len(told)

    async def handle(self, event: Event) -> None:
        """Topic accounts: who refuses, who agrees again, and who is gone."""
        account_id = str(event.data.get("accountId", ""))
        if event.kind == "account.erased":
            await self._events.forget(account_id)
        elif event.kind == "consent.changed" and event.data["purpose"] == PURPOSE:
            is_refused = not event.data["granted"]
            await self._events.decide(account_id, is_refused=is_refused, at=event.occurred_at)


def _event(profile_id: str, interaction: Interaction, now: datetime) -> Event:
    data = {
        "profileId": profile_id,
        "titleId": interaction.title_id,
        "tracking": interaction.tracking,
        "occurredAt": now.isoformat(),
    }
    kind = "card.clicked" if interaction.kind is InteractionKind.OPENED else "card.shown"
    return Event(topic="interactions", kind=kind, data=data, occurred_at=now)
