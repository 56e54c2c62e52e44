"""Where one viewer is: progress on titles, history, and what to go on with; only what the policy lets them see.

One `ViewerProgress` serves one request, so that its methods can be the fetches of the request's loaders: each is one
store query for all keys together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from common.errors import ErrorKind, ServiceError
from common.tokens import Viewer
from subgraphs.kernel.ids import ProfileId, TitleId
from subgraphs.kernel.policy import decide
from subgraphs.playback.domain.bookmarks import Bookmark
from subgraphs.playback.domain.continue_watching import (
    ContinueEntry,
    merge_continue_watching,
    resume_title_of_series,
)
from subgraphs.playback.domain.titles import PlayableTitle, TitleKind
from subgraphs.playback.ports import BookmarkStore, HistoryPosition, TitleCatalogue

__all__ = ["EpisodeCount", "HistoryRead", "TitleProgress", "ViewerProgress"]

RECENT_COUNT = 200
"""Bookmarks looked at for continue watching: more than anybody has in progress."""
HISTORY_CHUNK = 100
HISTORY_MAX_CHUNKS = 20
"""Chunks read for one page at most, when most of a history is hidden from the viewer."""


@dataclass(frozen=True, slots=True)
class EpisodeCount:
    """Of a series, as far as the viewer may see it."""

    seen: int
    total: int


@dataclass(frozen=True, slots=True)
class TitleProgress:
    """Progress in one title; for a series that of the episode watched last, and the episode to go on with."""

    bookmark: Bookmark
    resume_title_id: TitleId | None
    episodes: EpisodeCount | None = None


@dataclass(frozen=True, slots=True)
class HistoryRead:
    """Visible bookmarks, at most one more than asked for; the one too many says that more follow."""

    bookmarks: Sequence[Bookmark]


class ViewerProgress:
    """Reads for one viewer at one instant."""

    def __init__(self, viewer: Viewer, now: datetime, bookmarks: BookmarkStore, catalogue: TitleCatalogue) -> None:
        self._viewer = viewer
        self._now = now
        self._bookmarks = bookmarks
        self._catalogue = catalogue

    async def titles(self, title_ids: Sequence[TitleId]) -> Mapping[TitleId, PlayableTitle]:
        """What is known of these titles, visible or not."""
        return await self._catalogue.titles_by_id(title_ids)

    async def progress(self, title_ids: Sequence[TitleId]) -> Mapping[TitleId, TitleProgress]:
        """The viewer's progress; titles never started are left out, as is everything without a profile."""
        if self._viewer.profile_id is None:
            return {}
        profile_id = ProfileId(self._viewer.profile_id)
        wanted = set(title_ids)
        found: dict[TitleId, TitleProgress] = {}
        latest_by_series: dict[TitleId, Bookmark] = {}
        for bookmark in await self._bookmarks.bookmarks(profile_id, title_ids):
            if bookmark.hidden_at is not None:
                continue
            if bookmark.key.title_id in wanted:
                found[bookmark.key.title_id] = TitleProgress(bookmark, None)
            if bookmark.series_id in wanted and bookmark.series_id is not None:
                latest_by_series.setdefault(bookmark.series_id, bookmark)
        if latest_by_series:
            episodes = {episode.id: episode for episode in await self._catalogue.episodes_of(latest_by_series)}
            forbidden = self._forbidden(episodes)
            seen = await self._bookmarks.seen_episodes(profile_id, latest_by_series)
            for series_id, latest in latest_by_series.items():
                if latest.key.title_id in episodes.keys() - forbidden:
                    resume_id = resume_title_of_series(latest, episodes, seen, forbidden)
                    visible = {each for each, title in episodes.items() if title.series_id == series_id} - forbidden
                    count = EpisodeCount(seen=len(visible & seen), total=len(visible))
                    found[series_id] = TitleProgress(latest, resume_id, count)
        return found

    async def history(self, profile_id: ProfileId, *, first: int, before: HistoryPosition | None) -> HistoryRead:
        """The profile's history, most recent first. Raises ServiceError for a profile that is not the viewer's."""
        self._require_own(profile_id)
        found: list[Bookmark] = []
        for _ in range(HISTORY_MAX_CHUNKS):
            chunk = await self._bookmarks.history(profile_id, limit=HISTORY_CHUNK, before=before)
            titles = await self._catalogue.titles_by_id([row.key.title_id for row in chunk])
            listed = {each for each, title in titles.items() if title.kind is not TitleKind.VIDEO}
            listed -= self._forbidden(titles)
            found.extend(bookmark for bookmark in chunk if bookmark.key.title_id in listed)
            if len(found) > first or len(chunk) < HISTORY_CHUNK:
                break
            before = HistoryPosition(chunk[-1].last_watched_at, chunk[-1].key.title_id)
        return HistoryRead(found[: first + 1])

    async def continue_watching(self, profile_id: ProfileId, first: int) -> Sequence[ContinueEntry]:
        """What to go on with, most recent first. Raises ServiceError for a profile that is not the viewer's."""
        self._require_own(profile_id)
        recent = await self._bookmarks.history(profile_id, limit=RECENT_COUNT)
        known = await self._catalogue.titles_by_id([row.key.title_id for row in recent])
        titles = {each: title for each, title in known.items() if title.kind is not TitleKind.VIDEO}
        series_ids = {title.series_id for title in titles.values() if title.series_id is not None}
        titles.update({episode.id: episode for episode in await self._catalogue.episodes_of(series_ids)})
        seen = await self._bookmarks.seen_episodes(profile_id, series_ids)
        return merge_continue_watching(recent, titles, seen, self._forbidden(titles))[:first]

    def _require_own(self, profile_id: ProfileId) -> None:
        if self._viewer.profile_id != profile_id:
            raise ServiceError(
                ErrorKind.NOT_FOUND, "what a profile watched is shown to that profile only; select it and ask again"
            )

    def _forbidden(self, titles: Mapping[TitleId, PlayableTitle]) -> set[TitleId]:
        """Those that the viewer may not see now."""
        return {
            title_id for title_id, title in titles.items() if not decide(self._viewer, title.facts, self._now).may_see
        }
