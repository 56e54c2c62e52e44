"""What a viewer takes out of their own lists, and puts back.

Hiding takes a title out of the history and of everything that follows from it; dismissing takes it out of continue
watching only, an episode with its whole series, as that stands there once. Both end when the title is watched again.
Nothing is deleted, so that both can be undone. Others are told, so that they forget what a viewer hides.
"""

from __future__ import annotations

from datetime import datetime

from subgraphs.kernel.ids import ProfileId, TitleId
from subgraphs.playback.domain.bookmarks import Mark
from subgraphs.playback.ports import BookmarkStore, TitleCatalogue

__all__ = ["ChangeHistory"]


class ChangeHistory:
    """Sets and takes away marks."""

    def __init__(self, bookmarks: BookmarkStore, catalogue: TitleCatalogue) -> None:
        self._bookmarks = bookmarks
        self._catalogue = catalogue

    async def change(self, profile_id: ProfileId, title_id: TitleId, mark: Mark, at: datetime, *, is_set: bool) -> bool:
        """Mark a title, a series' id with all its episodes, or take the mark away. False: it was never watched."""
        wanted = {title_id}
        if mark is Mark.DISMISSED:
            title = (await self._catalogue.titles_by_id([title_id])).get(title_id)
            if title is not None and title.series_id is not None:
                wanted.add(title.series_id)
        return bool(await self._bookmarks.mark(profile_id, wanted, mark, at, is_set=is_set))
