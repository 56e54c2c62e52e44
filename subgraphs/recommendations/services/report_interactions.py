"""What was on a screen and what was opened, told as events to those who learn from it, where it is allowed.

A title that was opened from a search is remembered as sought: a weak word on what the profile likes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.event_catalogue import SEARCH_TRACKING
from common.events import Event
from common.tokens import Viewer
from subgraphs.recommendations.domain.artwork_choice import ShownArtwork
from subgraphs.recommendations.ports import InteractionEvents, TasteStore
from subgraphs.recommendations.services.choose_artwork import ChooseArtwork
from subgraphs.recommendations.services.keep_models import KeepModels
from subgraphs.recommendations.services.log_artwork import described_artwork

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

    def __init__(
        self, models: KeepModels, artwork: ChooseArtwork, events: InteractionEvents, tastes: TasteStore
    ) -> None:
        self._models = models
        self._tastes = tastes
        self._artwork = artwork
        self._events = events

    async def report(self, viewer: Viewer, interactions: Sequence[Interaction], now: datetime) -> int:
        """How many were taken: those of titles that this viewer may see. The viewer has a profile.

        Raises ServiceError(UNAVAILABLE) when the stream or the tastes are away.
        """
        if viewer.profile_id is None or viewer.account_id is None or viewer.is_kids:
            return 0
        if await self._events.is_refused(viewer.account_id):
            return 0
        catalogue = self._models.models.catalogue
        visible = catalogue.visible(viewer, now)
        taken: list[tuple[int, Interaction]] = []
        for each in interactions:
            index = catalogue.index(each.title_id)
            if index is not None and visible[index]:
                taken.append((index, each))
        cards = [(index, each.tracking) for index, each in taken]
        shown = await self._artwork.shown(viewer.profile_id, cards, catalogue, now)
        await self._events.tell(
            [_event(viewer.profile_id, each, artwork, now) for (_, each), artwork in zip(taken, shown, strict=True)]
        )
        # Only now: a report that failed comes again.
        for _, each in taken:
            if each.kind is InteractionKind.OPENED and each.tracking.startswith(SEARCH_TRACKING):
                await self._tastes.sought(viewer.profile_id, each.title_id, now)
        return len(taken)

    async def handle(self, event: Event) -> None:
        """Topic accounts: who refuses, who agrees again, and who is gone."""
        account_id = str(event.data.get("accountId", ""))
        if event.kind == "account.erased":
            await self._events.forget(account_id)
        elif event.kind == "consent.changed" and event.data["purpose"] == PURPOSE:
            is_refused = not event.data["granted"]
            await self._events.decide(account_id, is_refused=is_refused, at=event.occurred_at)


def _event(profile_id: str, interaction: Interaction, artwork: ShownArtwork | None, now: datetime) -> Event:
    data: dict[str, object] = {
        "profileId": profile_id,
        "titleId": interaction.title_id,
        "tracking": interaction.tracking,
        "occurredAt": now.isoformat(),
    }
    if artwork is not None:
        data["artwork"] = described_artwork(artwork)
    kind = "card.clicked" if interaction.kind is InteractionKind.OPENED else "card.shown"
    return Event(topic="interactions", kind=kind, data=data, occurred_at=now)
