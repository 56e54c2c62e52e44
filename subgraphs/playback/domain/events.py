"""What playback tells other services."""

from __future__ import annotations

from common.events import Event
from subgraphs.playback.domain.bookmarks import Bookmark

__all__ = ["VIEWING_TOPIC", "watched_event"]

VIEWING_TOPIC = "viewing"


def watched_event(bookmark: Bookmark) -> Event:
    """`title.watched`: where a profile is in a title now."""
    return Event(
        topic=VIEWING_TOPIC,
        kind="title.watched",
        data={
            "profileId": bookmark.key.profile_id,
            "accountId": bookmark.account_id,
            "titleId": bookmark.key.title_id,
            "seriesId": bookmark.series_id,
            "positionSeconds": bookmark.position_s,
            "durationSeconds": bookmark.duration_s,
            "completed": bookmark.completed,
            "occurredAt": bookmark.last_watched_at.isoformat(),
        },
        occurred_at=bookmark.last_watched_at,
    )
