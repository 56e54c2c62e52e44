"""What playback's services need from outside: stores, leases, licensing and steering. Adapters live in `adapters/`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from subgraphs.kernel.ids import AccountId, ProfileId, SessionId, TitleId
from subgraphs.playback.domain.bookmarks import Bookmark, Mark, PositionReport
from subgraphs.playback.domain.downloads import AccountDownloads
from subgraphs.playback.domain.sessions import GrantedPathway, PlaybackSession, QualityReport
from subgraphs.playback.domain.titles import Asset, Encryption, PlayableTitle

__all__ = [
    "BookmarkStore",
    "DownloadStore",
    "Entitlement",
    "EntitlementRequest",
    "HistoryPosition",
    "LeaseAnswer",
    "Licensing",
    "Pathways",
    "PathwaysRequest",
    "QualityReports",
    "RemovedIds",
    "SessionStore",
    "Steering",
    "StreamLeases",
    "TitleCatalogue",
]


class TitleCatalogue(Protocol):
    """The local copy of the facts about titles and their films."""

    async def titles_by_id(self, title_ids: Collection[TitleId]) -> Mapping[TitleId, PlayableTitle]:
        """The known ones among them, in one query."""
        ...

    async def episodes_of(self, series_ids: Collection[TitleId]) -> Sequence[PlayableTitle]:
        """All episodes of these series, in order of series, season and number, in one query."""
        ...

    async def asset_of(self, title_id: TitleId) -> Asset | None:
        """The film to play now; None while there is none."""
        ...

    async def assets_by_title(self, title_ids: Collection[TitleId]) -> Mapping[TitleId, Asset]:
        """Films of these titles, in one query."""
        ...

    async def put_titles(self, titles: Sequence[PlayableTitle], changed_at: datetime) -> None:
        """Insert or replace what was told at that instant; titles of which later news is there stay as they are."""
        ...

    async def put_asset(self, asset: Asset) -> None:
        """Insert or replace; an asset older than the one that is there changes nothing."""
        ...

    async def withdraw(self, title_ids: Sequence[TitleId], changed_at: datetime) -> None:
        """Mark as withdrawn, unknown ones too: their older news may still be on the way. Later news stays."""
        ...


@dataclass(frozen=True, slots=True)
class HistoryPosition:
    """A place in a history: strictly below it comes what was watched earlier."""

    last_watched_at: datetime
    title_id: TitleId


class BookmarkStore(Protocol):
    """Bookmarks of all profiles."""

    async def record(self, report: PositionReport) -> Bookmark:
        """Apply a report and return the bookmark after it; returns only when that is durable.

        A report that is out of order changes nothing and gets the bookmark as it is. Raises ServiceError
        UNAVAILABLE when too many reports wait already.
        """
        ...

    async def bookmark(self, profile_id: ProfileId, title_id: TitleId) -> Bookmark | None:
        """Where a profile is in one title."""
        ...

    async def bookmarks(self, profile_id: ProfileId, title_ids: Collection[TitleId]) -> Sequence[Bookmark]:
        """Bookmarks in these titles or in episodes of these series, most recent first, in one query."""
        ...

    async def history(
        self, profile_id: ProfileId, *, limit: int, before: HistoryPosition | None = None
    ) -> Sequence[Bookmark]:
        """At most `limit` bookmarks that are not hidden, most recent first."""
        ...

    async def seen_episodes(self, profile_id: ProfileId, series_ids: Collection[TitleId]) -> set[TitleId]:
        """Episodes of these series that were ever completed and are not hidden."""
        ...

    async def mark(
        self, profile_id: ProfileId, title_ids: Collection[TitleId], mark: Mark, at: datetime, *, is_set: bool
    ) -> Sequence[TitleId]:
        """Set or take away a mark on these titles and the episodes of these series, and tell others of it.

        Returns those of them that have a bookmark, in the order of their ids.
        """
        ...

    async def erase_profile(self, profile_id: ProfileId) -> int:
        """Delete all that is known of a profile and return the number of bookmarks."""
        ...


class DownloadStore(Protocol):
    """Downloads, all of an account as one value."""

    async def of_account(self, account_id: AccountId) -> AccountDownloads:
        """The account's downloads; an empty value when there are none."""
        ...

    async def put(self, downloads: AccountDownloads) -> bool:
        """Replace what was read at `downloads.version`; False when somebody else was faster."""
        ...


class SessionStore(Protocol):
    """Playback sessions, kept for as long as their token lives."""

    async def put(self, session: PlaybackSession) -> None:
        """Insert or replace."""
        ...

    async def get(self, session_id: SessionId) -> PlaybackSession | None:
        """The session; None when unknown or expired."""
        ...

    async def of_account(self, account_id: AccountId) -> Sequence[PlaybackSession]:
        """All that have not expired, ended ones included."""
        ...


class RemovedIds(Protocol):
    """Devices that were signed out and profiles that were deleted, while an access token from before may be good."""

    async def add(self, account_id: AccountId, removed_id: str) -> None:
        """Remember one, by the id in its tokens; twice is once."""
        ...

    async def among(self, account_id: AccountId, ids: Collection[str]) -> set[str]:
        """Those of them that were removed lately."""
        ...


class QualityReports(Protocol):
    """Takes how playing goes; what is given may be lost, and nobody waits for it."""

    def add(self, report: QualityReport) -> None:
        """Keep a report for whoever watches the quality."""
        ...


@dataclass(frozen=True, slots=True)
class LeaseAnswer:
    """`retry_after_s` is when the next slot falls free at the latest without a heartbeat; 0 when granted."""

    granted: bool
    retry_after_s: int = 0


class StreamLeases(Protocol):
    """Who streams at the moment: at most `limit` devices per account, exact under any concurrency."""

    async def acquire(self, account_id: AccountId, device_id: str, session_id: SessionId, limit: int) -> LeaseAnswer:
        """A slot for a session; a device that holds one already gives it to its new session."""
        ...

    async def renew(self, account_id: AccountId, device_id: str, session_id: SessionId, limit: int) -> bool:
        """Keep the slot, or take a free one when it had expired; False when the player must stop."""
        ...

    async def release(self, account_id: AccountId, device_id: str, session_id: SessionId) -> None:
        """Give the slot back, unless a newer session of the device has it."""
        ...


@dataclass(frozen=True, slots=True)
class EntitlementRequest:
    """What a session wants to play, on what; `max_height_px` 0: the device names no limit."""

    title_id: TitleId
    asset_id: str
    device_id: str
    session_id: SessionId
    max_height_px: int
    supports_clearkey: bool


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What the session may play; `licence_url` is None for the clear version.

    `media_token` opens the film's media paths without an order of pathways, for when steering is away.
    """

    playback_token: str
    licence_url: str | None
    max_height_px: int
    encryption: Encryption
    media_token: str


class Licensing(Protocol):
    """The licensing service. Every failure is a ServiceError."""

    async def issue_entitlement(self, request: EntitlementRequest, viewer_token: str, timeout_s: float) -> Entitlement:
        """Grant keys; `viewer_token` is the signed viewer context as it arrived."""
        ...

    async def revoke_session(self, session_id: SessionId, viewer_token: str, timeout_s: float) -> None:
        """End the session's entitlement."""
        ...


@dataclass(frozen=True, slots=True)
class PathwaysRequest:
    """Who plays what from where; address and region may be empty."""

    session_id: SessionId
    asset_id: str
    client_address: str
    region: str
    max_height_px: int


@dataclass(frozen=True, slots=True)
class Pathways:
    """The order and the token that opens the media paths: `<base_url>/media/<media_token>/<object path>`."""

    base_url: str
    media_token: str
    ordered: tuple[GrantedPathway, ...]
    steering_url: str | None


class Steering(Protocol):
    """The steering service. Every failure is a ServiceError."""

    async def order_pathways(self, request: PathwaysRequest, viewer_token: str, timeout_s: float) -> Pathways:
        """The pathways for a session, best first."""
        ...
