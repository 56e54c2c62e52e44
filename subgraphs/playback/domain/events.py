"""What playback tells other services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from common.events import Event
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.playback.domain.bookmarks import Bookmark, Mark
from subgraphs.playback.domain.sessions import QualityReport

__all__ = [
    "MAX_QUALITY_REPORTS",
    "QUALITY_TOPIC",
    "VIEWING_TOPIC",
    "history_events",
    "quality_event",
    "watched_event",
]

VIEWING_TOPIC = "viewing"
QUALITY_TOPIC = "quality"
MAX_QUALITY_REPORTS = 200
"""In one event."""
MAX_TITLES_MARKED = 200
"""In one event; a series with more episodes takes several."""


def quality_event(reports: Sequence[QualityReport]) -> Event:
    """`playback.reported`: how playing went, from several sessions; must not be empty. Names nobody."""
    return Event(
        topic=QUALITY_TOPIC,
        kind="playback.reported",
        data={
            "reports": [
                {
                    "sessionId": report.session_id,
                    "assetId": report.asset_id,
                    "state": report.state,
                    "bitrateBps": report.bitrate_bps,
                    "bufferSeconds": report.buffer_s,
                    "rebufferCount": report.rebuffer_count,
                    "reportedAt": report.reported_at.isoformat(),
                }
                for report in reports
            ]
        },
        occurred_at=reports[-1].reported_at,
    )


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


def history_events(
    profile_id: ProfileId,
    account_id: AccountId,
    title_ids: Sequence[TitleId],
    mark: Mark,
    at: datetime,
    *,
    is_set: bool,
) -> list[Event]:
    """`history.changed`: a profile took titles out of a list of its own, or put them back; at most 200 in each."""
    return [
        Event(
            topic=VIEWING_TOPIC,
            kind="history.changed",
            data={
                "profileId": profile_id,
                "accountId": account_id,
                "titleIds": list(title_ids[start : start + MAX_TITLES_MARKED]),
                "mark": mark.name,
                "isSet": is_set,
                "occurredAt": at.isoformat(),
            },
            occurred_at=at,
        )
        for start in range(0, len(title_ids), MAX_TITLES_MARKED)
    ]
