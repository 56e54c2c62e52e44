"""What to go on with: titles in progress and next episodes in one list, by absolute recency.

A movie stands in the list while it is in progress. A series stands there once: with the episode watched last when
that is in progress, else with the episode that comes next. *Next* is the first episode after it that was never
completed, so that seeing the pilot again with a friend does not throw a viewer back to the second episode; when all
that follow were seen, it is the very next one, since then the series is being watched again. Episodes that the viewer
may not see are stepped over, also where one of them was watched last. A series whose last episode was the one watched
last is finished and not listed, until a new one follows.

A trailer or bonus is nothing to go on with, however far it was watched.

An episode carries the recency of the one that was watched, whatever its own bookmark says. What the viewer dismissed
is left out until it is watched again, a series as a whole. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from subgraphs.kernel.ids import TitleId
from subgraphs.playback.domain.bookmarks import Bookmark, is_started
from subgraphs.playback.domain.titles import PlayableTitle, TitleKind

__all__ = ["ContinueEntry", "choose_next_episode", "merge_continue_watching", "resume_title_of_series"]

MAX_EPISODES_FOLLOWED = 2_000
"""A chain of episodes longer than this has a loop in it."""


@dataclass(frozen=True, slots=True)
class ContinueEntry:
    """`title_id` is what to play; `bookmark` is where the viewer is in it, None for an episode not begun."""

    title_id: TitleId
    series_id: TitleId | None
    bookmark: Bookmark | None
    last_watched_at: datetime


def merge_continue_watching(
    recent: Sequence[Bookmark],
    titles_by_id: Mapping[TitleId, PlayableTitle],
    seen_ids: AbstractSet[TitleId],
    forbidden_ids: AbstractSet[TitleId] = frozenset(),
) -> list[ContinueEntry]:
    """Entries, most recent first. `recent` is in that order; `seen_ids` are the episodes ever completed.

    `titles_by_id` holds the titles of `recent` and all episodes of their series; what is missing there is left out.
    Of these the viewer may not see `forbidden_ids`.
    """
    entries: list[ContinueEntry] = []
    series_done: set[TitleId] = set()
    bookmarks_by_title = {bookmark.key.title_id: bookmark for bookmark in recent}
    for bookmark in recent:
        title = titles_by_id.get(bookmark.key.title_id)
        if title is None or title.kind is TitleKind.VIDEO:
            continue
        if title.series_id is None:
            is_offered = title.id not in forbidden_ids and bookmark.dismissed_at is None
            if is_offered and not bookmark.completed and is_started(bookmark):
                entries.append(ContinueEntry(title.id, None, bookmark, bookmark.last_watched_at))
            continue
        if title.series_id in series_done or not (bookmark.completed or is_started(bookmark)):
            continue
        series_done.add(title.series_id)
        if bookmark.dismissed_at is not None:
            continue
        resume_id = resume_title_of_series(bookmark, titles_by_id, seen_ids, forbidden_ids)
        if resume_id is not None:
            at_resume = bookmarks_by_title.get(resume_id)
            entries.append(
                ContinueEntry(
                    title_id=resume_id,
                    series_id=title.series_id,
                    bookmark=None if at_resume is None or at_resume.completed else at_resume,
                    last_watched_at=bookmark.last_watched_at,
                )
            )
    return entries


def resume_title_of_series(
    latest: Bookmark,
    titles_by_id: Mapping[TitleId, PlayableTitle],
    seen_ids: AbstractSet[TitleId],
    forbidden_ids: AbstractSet[TitleId] = frozenset(),
) -> TitleId | None:
    """The episode to go on with after the bookmark watched last in a series; None when the series is finished."""
    if not latest.completed and latest.key.title_id not in forbidden_ids:
        return latest.key.title_id
    return choose_next_episode(latest.key.title_id, titles_by_id, seen_ids, forbidden_ids)


def choose_next_episode(
    episode_id: TitleId,
    titles_by_id: Mapping[TitleId, PlayableTitle],
    seen_ids: AbstractSet[TitleId],
    forbidden_ids: AbstractSet[TitleId] = frozenset(),
) -> TitleId | None:
    """The first episode after `episode_id` that was never completed, else the very next one; None at the end."""
    following: list[TitleId] = []
    current = titles_by_id.get(episode_id)
    for _ in range(MAX_EPISODES_FOLLOWED):
        current = None if current is None else titles_by_id.get(current.next_episode_id or TitleId(""))
        if current is None:
            break
        if current.id not in forbidden_ids:
            following.append(current.id)
    return next((title_id for title_id in following if title_id not in seen_ids), following[0] if following else None)
