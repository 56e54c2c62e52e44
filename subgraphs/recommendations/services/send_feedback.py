"""Thumbs and "not interested", taken at once."""

from __future__ import annotations

from datetime import datetime

from common.tokens import Viewer
from subgraphs.recommendations.domain.taste import Feedback
from subgraphs.recommendations.ports import TasteStore
from subgraphs.recommendations.services.keep_models import KeepModels

__all__ = ["SendFeedback"]


class SendFeedback:
    """Writes into the profile's taste; the next page knows it."""

    def __init__(self, models: KeepModels, tastes: TasteStore) -> None:
        self._models = models
        self._tastes = tastes

    async def send(self, viewer: Viewer, title_id: str, feedback: Feedback, now: datetime) -> bool:
        """Whether the title is one that this viewer may see, and was judged. The viewer has a profile."""
        catalogue = self._models.models.catalogue
        index = catalogue.index(title_id)
        if viewer.profile_id is None or index is None or not catalogue.visible(viewer, now)[index]:
            return False
        await self._tastes.fed_back(viewer.profile_id, title_id, feedback, now)
        self._models.learn()
        return True
