"""What recommendations adds to titles: how well one suits the viewer, and which are like it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from common.tokens import Viewer
from subgraphs.recommendations.models.blend import Models
from subgraphs.recommendations.services.match_titles import MatchTitles

__all__ = ["MAX_SIMILAR", "ViewerTitles"]

MAX_SIMILAR = 100
"""Titles like a title, in all."""


class ViewerTitles:
    """Reads for one viewer at one instant, on the models as they were at its start."""

    def __init__(self, viewer: Viewer, now: datetime, models: Models, matching: MatchTitles) -> None:
        self._viewer = viewer
        self._now = now
        self._models = models
        self._matching = matching

    async def matches(self, title_ids: Sequence[str]) -> Mapping[str, float]:
        """See MatchTitles.matches."""
        return await self._matching.matches(self._viewer, self._now, self._models, title_ids)

    def similar(self, title_id: str) -> Sequence[str]:
        """Ids of titles like this one, nearest first; empty when the viewer may not see it."""
        catalogue = self._models.catalogue
        index = catalogue.work(title_id)
        visible = catalogue.visible(self._viewer, self._now)
        if index is None or not visible[index]:
            return ()
        titles = self._models.similar(index).titles
        return [catalogue.records[place].id for place in titles[visible[titles]][:MAX_SIMILAR].tolist()]
