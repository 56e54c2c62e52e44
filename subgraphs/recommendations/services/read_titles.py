"""What recommendations adds to titles: how well one suits the viewer, and which are like it.

One `ViewerTitles` serves one request: the profile's scores are computed once, whatever the number of titles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import structlog

from common.errors import ServiceError
from common.tokens import Viewer
from subgraphs.recommendations.domain.taste import read_signals
from subgraphs.recommendations.models.blend import Models, score_titles
from subgraphs.recommendations.ports import TasteStore

__all__ = ["MAX_SIMILAR", "ViewerTitles"]

log = structlog.get_logger(__name__)

MAX_SIMILAR = 100
"""Titles like a title, in all."""


class ViewerTitles:
    """Reads for one viewer at one instant, on the models as they were at its start."""

    def __init__(self, viewer: Viewer, now: datetime, models: Models, tastes: TasteStore) -> None:
        self._viewer = viewer
        self._now = now
        self._models = models
        self._tastes = tastes

    async def matches(self, title_ids: Sequence[str]) -> Mapping[str, float]:
        """The share of titles in sight that suit the profile less, 0 to 1; empty for a profile without taste."""
        profile_id = self._viewer.profile_id
        if profile_id is None:
            return {}
        try:
            taste = await self._tastes.taste(profile_id)
        except ServiceError as error:
            log.warning("match.without_taste", error=error.message)
            return {}
        catalogue = self._models.catalogue
        profile = score_titles(self._models, read_signals(taste, catalogue, self._now.timestamp()))
        if not profile.has_taste:
            return {}
        in_sight = catalogue.visible(self._viewer, self._now) & catalogue.is_listable
        scores = np.sort(profile.scores[in_sight])
        matches: dict[str, float] = {}
        for title_id in title_ids:
            work = catalogue.work(title_id)
            if work is not None and in_sight[work]:
                below = np.searchsorted(scores, profile.scores[work], side="left")
                matches[title_id] = round(float(below) / max(1, len(scores) - 1), 3)
        return matches

    def similar(self, title_id: str) -> Sequence[str]:
        """Ids of titles like this one, nearest first; empty when the viewer may not see it."""
        catalogue = self._models.catalogue
        index = catalogue.work(title_id)
        visible = catalogue.visible(self._viewer, self._now)
        if index is None or not visible[index]:
            return ()
        titles = self._models.similar(index).titles
        return [catalogue.records[place].id for place in titles[visible[titles]][:MAX_SIMILAR].tolist()]
