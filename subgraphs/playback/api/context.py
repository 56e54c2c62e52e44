"""The GraphQL context of one request to playback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from strawberry.types import Info

from subgraphs.kernel.context import RequestContext
from subgraphs.playback.ports import SessionStore
from subgraphs.playback.services.change_history import ChangeHistory
from subgraphs.playback.services.end_sessions import EndSessions
from subgraphs.playback.services.manage_downloads import ManageDownloads
from subgraphs.playback.services.read_progress import ViewerProgress
from subgraphs.playback.services.record_progress import RecordProgress
from subgraphs.playback.services.start_playback import StartPlayback

__all__ = ["PlaybackContext", "PlaybackInfo", "PlaybackServices"]


@dataclass(frozen=True, slots=True)
class PlaybackServices:
    """What lives as long as the process."""

    start: StartPlayback
    record: RecordProgress
    end: EndSessions
    history: ChangeHistory
    downloads: ManageDownloads
    sessions: SessionStore
    heartbeat_interval_s: int


@dataclass(slots=True, kw_only=True)
class PlaybackContext(RequestContext):
    """One request: the services, and this viewer's reads."""

    services: PlaybackServices
    progress: ViewerProgress


PlaybackInfo = Info[PlaybackContext, Any]
