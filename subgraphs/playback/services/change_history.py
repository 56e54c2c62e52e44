"""What a viewer takes out of their own lists, and puts back.

Hiding takes a title out of the history and of everything that follows from it; dismissing takes it out of continue
watching only, an episode with its whole series, as that stands there once. Both end when the title is watched again.
Nothing is deleted, so that both can be undone.
"""

from __future__ import annotations

from datetime import datetime

from subgraphs.kernel.ids import ProfileId, TitleId
from subgraphs.playback.ports import BookmarkStore, Mark, TitleCatalogue

__all__ = ["ChangeHistory"]


class ChangeHistory:
    """Sets and takes away marks."""

    def __init__(self, bookmarks: BookmarkStore, catalogue: TitleCatalogue) -> None:
        self._bookmarks = bookmarks
        self._catalogue = catalogue

    async def set_mark(self, profile_id: ProfileId, title_id: TitleId, mark: Mark, at: datetime | None) -> bool:
        """Mark a title, a series' id with all its episodes; None takes the mark away. False: it was never watched."""
        wanted = {title_id}
        if mark is Mark.DISMISSED:
            title = (await self._catalogue.titles_by_id([title_id])).get(title_id)
            if title is not None and title.series_id is not None:
                wanted.add(title.series_id)
        return bool(await self._bookmarks.mark(profile_id, wanted, mark, at))
