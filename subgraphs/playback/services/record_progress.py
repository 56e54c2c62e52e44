"""Heartbeats and stops: the position first and for good, then the stream slot.

An answer to a heartbeat says that its position is durable. Losing the slot therefore does not lose the position: the
answer tells the player to stop, and the last word of a session is always written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from common.errors import ServiceError
from common.tokens import Viewer
from subgraphs.kernel.ids import SessionId
from subgraphs.playback.domain.bookmarks import Bookmark, BookmarkKey, PositionReport, ReportOrder
from subgraphs.playback.domain.plans import max_streams
from subgraphs.playback.domain.sessions import PlaybackSession, PlayRefusal, QualityReport
from subgraphs.playback.ports import BookmarkStore, Licensing, QualityReports, RemovedIds, SessionStore, StreamLeases
from subgraphs.playback.services.watched_rights import WatchedRights

__all__ = ["Heartbeat", "Quality", "RecordProgress", "Recorded", "SessionUnknown", "check_heartbeat"]

log = structlog.get_logger(__name__)

MAX_SEQUENCE = 2**31 - 1
MAX_POSITION_S = 7 * 24 * 3600.0
"""No film is longer than a week: a larger number is milliseconds or a mistake."""
MAX_BITRATE_BPS = 1_000_000_000
"""Forty times the best rendition."""
REVOKE_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class Quality:
    """How playing goes, as the player measures it; None: not told."""

    state: str
    bitrate_bps: int | None = None
    buffer_s: float | None = None
    rebuffer_count: int | None = None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One report of a session."""

    session_id: SessionId
    position_s: float
    sequence: int
    quality: Quality | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The bookmark after the report; `refusal` is set when the player must stop."""

    session: PlaybackSession
    bookmark: Bookmark
    refusal: PlayRefusal | None = None


@dataclass(frozen=True, slots=True)
class SessionUnknown:
    """No such session for this viewer, or one that has ended: the same answer for both."""

    session_id: SessionId


def check_heartbeat(heartbeat: Heartbeat) -> dict[str, str]:
    """Problems by field path; empty when there are none."""
    problems: dict[str, str] = {}
    if not 0 <= heartbeat.position_s <= MAX_POSITION_S:
        problems["input.positionSeconds"] = f"is {heartbeat.position_s:g}; send seconds from 0 to {MAX_POSITION_S:g}"
    if not 0 <= heartbeat.sequence <= MAX_SEQUENCE:
        problems["input.sequence"] = f"is {heartbeat.sequence}; send a number from 0 that counts up"
    quality = heartbeat.quality
    if quality is not None:
        measured = (
            ("input.bitrateBps", quality.bitrate_bps, MAX_BITRATE_BPS),
            ("input.bufferSeconds", quality.buffer_s, MAX_POSITION_S),
            ("input.rebufferCount", quality.rebuffer_count, MAX_SEQUENCE),
        )
        for path, value, highest in measured:
            if value is not None and not 0 <= value <= highest:
                problems[path] = f"is {value:g}; send a number from 0 to {highest:g}"
    return problems


class RecordProgress:
    """Writes positions and keeps or ends stream slots."""

    def __init__(
        self,
        *,
        bookmarks: BookmarkStore,
        sessions: SessionStore,
        leases: StreamLeases,
        licensing: Licensing,
        quality: QualityReports,
        rights: WatchedRights,
        removed: RemovedIds,
    ) -> None:
        self._bookmarks = bookmarks
        self._sessions = sessions
        self._leases = leases
        self._licensing = licensing
        self._quality = quality
        self._rights = rights
        self._removed = removed

    async def heartbeat(self, viewer: Viewer, heartbeat: Heartbeat, now: datetime) -> Recorded | SessionUnknown:
        """Record a position; it is durable when this returns. `heartbeat` has passed check_heartbeat."""
        session = await self._own_session(viewer, heartbeat.session_id)
        if session is None or session.ended_at is not None:
            return SessionUnknown(heartbeat.session_id)
        bookmark = await self._record(_report(session, heartbeat, now, is_final=False))
        if bookmark is None:
            return SessionUnknown(heartbeat.session_id)
        if heartbeat.quality is not None:
            self._quality.add(_quality_report(session, heartbeat.quality, now))
        # The position counts first: what was watched was watched, whatever became of the right to go on.
        refusal = await self._rights.refusal(viewer, session.title_id, now)
        if refusal is None and not await self._renew(session, viewer):
            refusal = PlayRefusal.TOO_MANY_STREAMS
        return Recorded(session, bookmark, refusal)

    async def stop(
        self, viewer: Viewer, viewer_token: str | None, heartbeat: Heartbeat, now: datetime
    ) -> Recorded | SessionUnknown:
        """Record the last position, free the slot, end the entitlement. Stopping twice is stopping once."""
        session = await self._own_session(viewer, heartbeat.session_id)
        if session is None:
            return SessionUnknown(heartbeat.session_id)
        if session.ended_at is not None:
            bookmark = await self._bookmarks.bookmark(session.profile_id, session.title_id)
            if bookmark is None:
                return SessionUnknown(heartbeat.session_id)
            return Recorded(session, bookmark)
        bookmark = await self._record(_report(session, heartbeat, now, is_final=True))
        if bookmark is None:
            return SessionUnknown(heartbeat.session_id)
        ended = replace(session, ended_at=now)
        await self._sessions.put(ended)
        await self._leases.release(session.account_id, session.device_id, session.id)
        if viewer_token is not None:
            await self._revoke(session, viewer_token)
        return Recorded(ended, bookmark)

    async def _record(self, report: PositionReport) -> Bookmark | None:
        """The bookmark after the report; None when its profile was deleted meanwhile, of which nothing stays."""
        bookmark = await self._bookmarks.record(report)
        # Asked after the write: whoever erases remembers the profile first, so that one of both sees the other. Only a
        # bookmark that was not there can come back, and that is always told to others.
        if bookmark.announced_at == report.received_at:
            profile_id = report.key.profile_id
            if await self._removed.among(report.account_id, [profile_id]):
                await self._bookmarks.erase_profile(profile_id)
                return None
        return bookmark

    async def _own_session(self, viewer: Viewer, session_id: SessionId) -> PlaybackSession | None:
        if viewer.profile_id is None:
            return None
        session = await self._sessions.get(session_id)
        if session is None or (session.account_id, session.profile_id) != (viewer.account_id, viewer.profile_id):
            return None
        return session

    async def _renew(self, session: PlaybackSession, viewer: Viewer) -> bool:
        try:
            return await self._leases.renew(session.account_id, session.device_id, session.id, max_streams(viewer.plan))
        except ServiceError as error:
            # Whoever is watching goes on watching while streams can't be counted.
            log.warning("lease.not_renewed", session_id=session.id, error=error.message)
            return True

    async def _revoke(self, session: PlaybackSession, viewer_token: str) -> None:
        try:
            await self._licensing.revoke_session(session.id, viewer_token, REVOKE_TIMEOUT_S)
        except ServiceError as error:
            # The entitlement ends by itself with its token; a stop must not fail for that.
            log.warning("entitlement.not_revoked", session_id=session.id, error=error.message)


def _report(session: PlaybackSession, heartbeat: Heartbeat, now: datetime, *, is_final: bool) -> PositionReport:
    return PositionReport(
        key=BookmarkKey(session.profile_id, session.title_id),
        account_id=session.account_id,
        series_id=session.series_id,
        device_id=session.device_id,
        order=ReportOrder(session.ordinal, heartbeat.sequence),
        position_s=heartbeat.position_s,
        duration_s=session.duration_s,
        credits_start_s=session.credits_start_s,
        received_at=now,
        is_final=is_final,
    )


def _quality_report(session: PlaybackSession, quality: Quality, now: datetime) -> QualityReport:
    return QualityReport(
        session_id=session.id,
        asset_id=session.asset_id,
        state=quality.state,
        bitrate_bps=quality.bitrate_bps,
        buffer_s=quality.buffer_s,
        rebuffer_count=quality.rebuffer_count,
        reported_at=now,
    )
