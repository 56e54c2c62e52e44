"""A profile's first answers: titles to pick from while nothing is known of it, and what it picked.

Picks go where all taste is kept and are known to the next page at once. They are asked for when there is nothing else
to go by; they may be given again at any time, and the last ones count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from common.events import Event
from common.tokens import Viewer
from subgraphs.recommendations.domain.ordering import most_popular
from subgraphs.recommendations.domain.taste import Taste
from subgraphs.recommendations.pages.choose_introductions import MAX_KNOWN, choose_introductions
from subgraphs.recommendations.ports import InteractionEvents, TasteStore
from subgraphs.recommendations.services.country_trends import CountryTrends
from subgraphs.recommendations.services.keep_models import KeepModels

__all__ = ["MAX_INTRODUCTIONS", "MAX_PICKS", "NotPersonal", "Onboard", "UnknownPick"]

MAX_INTRODUCTIONS = 20
"""Titles to pick from: two screens of a phone."""
MAX_PICKS = 10


class UnknownPick(Exception):
    """A title that is not there for this viewer; carries its id."""

    def __init__(self, title_id: str) -> None:
        super().__init__(title_id)
        self.title_id = title_id


class NotPersonal(Exception):
    """The account does not allow personalisation: what somebody picks would be of no use, so it is not kept."""


class Onboard:
    """`default_country`: whose charts profiles of no country see."""

    def __init__(
        self,
        *,
        models: KeepModels,
        tastes: TasteStore,
        trends: CountryTrends,
        events: InteractionEvents,
        default_country: str,
    ) -> None:
        self._models = models
        self._tastes = tastes
        self._trends = trends
        self._events = events
        self._default_country = default_country

    async def is_wanted(self, profile_id: str) -> bool:
        """Whether answers would help: the profile allows it, was not asked before, and has shown nothing itself."""
        taste = await self._tastes.taste(profile_id)
        return taste.is_personal and taste.picked_at_s is None and not (taste.watched or taste.opinions)

    async def introductions(self, viewer: Viewer, count: int, now: datetime) -> list[str]:
        """Ids of at most `count` titles that many know, of all kinds, that this viewer may see."""
        catalogue = self._models.models.catalogue
        trends = await self._trends.of_country(catalogue, viewer.country or self._default_country, now)
        allowed = catalogue.visible(viewer, now) & catalogue.is_listable
        chosen = choose_introductions(catalogue, *most_popular(catalogue, trends, allowed, MAX_KNOWN), count)
        return [catalogue.records[place].id for place in chosen]

    async def picks(self, viewer: Viewer, profile_id: str, now: datetime) -> list[str]:
        """What the profile picked, of what this viewer may still see."""
        taste = await self._tastes.taste(profile_id)
        return [title_id for title_id in taste.picks if self._may_see(viewer, title_id, now)]

    async def save(self, viewer: Viewer, profile_id: str, title_ids: Sequence[str], now: datetime) -> Sequence[str]:
        """Keep these picks in place of earlier ones, each once; none: nothing is picked, and nothing asked again.

        Raises UnknownPick, NotPersonal, and ServiceError when the store is away: then nothing is kept, and sending
        the same again does no harm.
        """
        picks = list(dict.fromkeys(title_ids))
        for title_id in picks:
            if not self._may_see(viewer, title_id, now):
                raise UnknownPick(title_id)
        taste = await self._tastes.taste(profile_id)
        if not taste.is_personal:
            raise NotPersonal
        if _is_said_already(taste, picks):
            return picks
        data = {"profileId": profile_id, "titleIds": picks}
        # First told, then kept: what fails here is sent again, and hearing of it twice changes nothing.
        await self._events.tell([Event(topic="feedback", kind="picks.changed", data=data, occurred_at=now)])
        await self._tastes.picked(profile_id, picks, now)
        return picks

    def _may_see(self, viewer: Viewer, title_id: str, now: datetime) -> bool:
        catalogue = self._models.models.catalogue
        index = catalogue.index(title_id)
        return index is not None and bool(catalogue.is_listable[index] and catalogue.visible(viewer, now)[index])


def _is_said_already(taste: Taste, picks: Sequence[str]) -> bool:
    return taste.picked_at_s is not None and taste.picks == tuple(picks)
