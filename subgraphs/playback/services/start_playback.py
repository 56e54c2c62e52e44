"""Pressing play: every question in one fixed order, then the grant.

token → profile → subscription → device → title → maturity → region → film → stream slot → licensing → steering →
session. Each step runs only when all before it said yes, so the reason that a viewer gets is the first in this order,
and a slot is taken only for somebody who may play. From the slot on, whatever goes wrong gives it back; steering alone
is missed without harm, as the film can be read without being steered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

import structlog

from common.errors import ErrorKind, ServiceError
from common.tokens import Viewer
from subgraphs.kernel.ids import AccountId, ProfileId, SessionId, TitleId, new_id
from subgraphs.kernel.policy import decide
from subgraphs.playback.domain.bookmarks import resume_position_s
from subgraphs.playback.domain.continue_watching import choose_next_episode
from subgraphs.playback.domain.plans import max_streams
from subgraphs.playback.domain.rights import check_play, refusal_message
from subgraphs.playback.domain.sessions import (
    Grant,
    GrantedManifest,
    GrantedPathway,
    PlaybackSession,
    PlayRefusal,
    PlayRefused,
    StreamingProtocol,
)
from subgraphs.playback.domain.titles import Asset, AssetVariant, Encryption, PlayableTitle, TitleKind
from subgraphs.playback.ports import (
    BookmarkStore,
    Entitlement,
    EntitlementRequest,
    Licensing,
    Pathways,
    PathwaysRequest,
    RemovedIds,
    SessionStore,
    Steering,
    StreamLeases,
    TitleCatalogue,
)
from subgraphs.playback.services.check_viewer import check_viewer

__all__ = ["StartPlayback", "StartRequest", "check_start"]

log = structlog.get_logger(__name__)

DEFAULT_PATHWAY = "default"
"""What the one pathway is called that nobody steers."""
MAX_DEVICE_ID_LENGTH = 128
MAX_HEIGHT_PX = 8_640
"""Lines of 16K; no screen has more."""

MIME_TYPES = {
    StreamingProtocol.HLS: "application/vnd.apple.mpegurl",
    StreamingProtocol.DASH: "application/dash+xml",
}


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What a player asked for, and who asks. `max_height_px` None: the device names no limit.

    `device_id` is what the player calls its device; a token that names the device is believed instead.
    """

    viewer: Viewer
    viewer_token: str | None
    client_address: str
    title_id: TitleId
    device_id: str
    max_height_px: int | None
    supports_clearkey: bool
    prefers_hls: bool
    starts_over: bool
    now: datetime

    @property
    def playing_device_id(self) -> str:
        """What streams and sessions are counted by."""
        return self.viewer.device_id or self.device_id


def check_start(request: StartRequest) -> None:
    """Raises ServiceError INVALID_ARGUMENT naming the first thing in a request that no honest player sends."""
    if not 1 <= len(request.device_id) <= MAX_DEVICE_ID_LENGTH:
        raise ServiceError(
            ErrorKind.INVALID_ARGUMENT,
            f"device.id has {len(request.device_id)} characters; send 1 to {MAX_DEVICE_ID_LENGTH}, always the same",
        )
    if request.max_height_px is not None and not 1 <= request.max_height_px <= MAX_HEIGHT_PX:
        raise ServiceError(
            ErrorKind.INVALID_ARGUMENT,
            f"device.maxHeightPx is {request.max_height_px}; send 1 to {MAX_HEIGHT_PX} or leave it out",
        )


@dataclass(frozen=True, slots=True)
class _Playable:
    """A title that this viewer may play, with its film."""

    title: PlayableTitle
    asset: Asset


class StartPlayback:
    """Starts sessions; `call_timeout_s` is each media service's share of the request's time.

    `default_media_url` is where the film is read from while steering is away.
    """

    def __init__(
        self,
        *,
        catalogue: TitleCatalogue,
        bookmarks: BookmarkStore,
        sessions: SessionStore,
        leases: StreamLeases,
        removed: RemovedIds,
        licensing: Licensing,
        steering: Steering,
        call_timeout_s: float,
        default_media_url: str,
    ) -> None:
        self._catalogue = catalogue
        self._bookmarks = bookmarks
        self._sessions = sessions
        self._leases = leases
        self._removed = removed
        self._licensing = licensing
        self._steering = steering
        self._call_timeout_s = call_timeout_s
        self._default_media_url = default_media_url.rstrip("/")

    async def start(self, request: StartRequest) -> PlaybackSession | PlayRefused:
        """The session, or the first reason against it. Raises ServiceError UNAVAILABLE when a service is away."""
        playable = await self._check(request)
        if isinstance(playable, PlayRefused):
            return playable
        viewer = request.viewer
        account_id, limit = AccountId(_required(viewer.account_id)), max_streams(viewer.plan)
        session_id = SessionId(new_id("pbs", request.now))
        lease = await self._leases.acquire(account_id, request.playing_device_id, session_id, limit)
        if not lease.granted:
            words = f"This plan allows {limit} at once. {refusal_message(PlayRefusal.TOO_MANY_STREAMS)}"
            return PlayRefused(PlayRefusal.TOO_MANY_STREAMS, words, limit, lease.retry_after_s)
        try:
            session = await self._open_session(request, session_id, playable)
            await self._sessions.put(session)
        except BaseException:
            # Also when the request was cancelled: a slot that nobody uses would keep the household out for a minute.
            await self._give_back(account_id, request.playing_device_id, session_id)
            raise
        return session

    async def _check(self, request: StartRequest) -> _Playable | PlayRefused:
        """Token, profile, subscription, device, title, maturity, region, film: in this order."""
        viewer = request.viewer
        # What every title needs comes before any title is looked at: a stranger learns nothing about titles.
        refusal = await check_viewer(viewer, request.now, self._removed)
        if refusal is not None:
            return _refused(refusal)
        title = (await self._catalogue.titles_by_id([request.title_id])).get(request.title_id)
        if title is None or title.kind is TitleKind.SERIES:
            return _refused(PlayRefusal.NOT_FOUND)
        refusal = check_play(viewer, title.facts, request.now)
        if refusal is not None:
            return _refused(refusal)
        asset = await self._catalogue.asset_of(title.id)
        if asset is None or _choose_variant(asset, supports_clearkey=request.supports_clearkey) is None:
            return _refused(PlayRefusal.NOT_READY)
        return _Playable(title, asset)

    async def _open_session(self, request: StartRequest, session_id: SessionId, playable: _Playable) -> PlaybackSession:
        viewer, title, asset = request.viewer, playable.title, playable.asset
        grant = await self._grant(request, session_id, asset)
        profile_id = ProfileId(_required(viewer.profile_id))
        bookmark = await self._bookmarks.bookmark(profile_id, title.id)
        return PlaybackSession(
            id=session_id,
            account_id=AccountId(_required(viewer.account_id)),
            profile_id=profile_id,
            plan=viewer.plan,
            device_id=request.playing_device_id,
            title_id=title.id,
            series_id=title.series_id,
            next_title_id=await self._next_title(title, viewer, request.now),
            asset_id=asset.asset_id,
            ordinal=int(request.now.timestamp() * 1_000_000),
            started_at=request.now,
            resume_position_s=0.0 if request.starts_over else min(resume_position_s(bookmark), asset.duration_s),
            duration_s=asset.duration_s,
            markers=title.markers,
            grant=grant,
        )

    async def _grant(self, request: StartRequest, session_id: SessionId, asset: Asset) -> Grant:
        viewer_token = _required(request.viewer_token)
        variant = _required_variant(asset, supports_clearkey=request.supports_clearkey)
        entitlement = await self._licensing.issue_entitlement(
            EntitlementRequest(
                title_id=asset.title_id,
                asset_id=asset.asset_id,
                device_id=request.playing_device_id,
                session_id=session_id,
                max_height_px=request.max_height_px or 0,
                supports_clearkey=variant.encryption is Encryption.CLEARKEY,
            ),
            viewer_token,
            self._call_timeout_s,
        )
        granted = asset.variant(entitlement.encryption)
        if granted is None:
            raise ServiceError(
                ErrorKind.INTERNAL, f"licensing granted {entitlement.encryption} for an asset without that variant"
            )
        wanted = PathwaysRequest(
            session_id=session_id,
            asset_id=asset.asset_id,
            client_address=request.client_address,
            region=request.viewer.country or "",
            max_height_px=entitlement.max_height_px,
        )
        pathways = await self._pathways(wanted, entitlement, viewer_token)
        return _build_grant(request, asset, granted, entitlement, pathways)

    async def _pathways(self, wanted: PathwaysRequest, entitlement: Entitlement, viewer_token: str) -> Pathways:
        """Steering's order; without steering the default pathway, which it does not steer."""
        try:
            return await self._steering.order_pathways(wanted, viewer_token, self._call_timeout_s)
        except ServiceError as error:
            if error.kind is not ErrorKind.UNAVAILABLE or not entitlement.media_token:
                raise
            log.warning("start.not_steered", session_id=wanted.session_id, error=error.message)
        default = GrantedPathway(DEFAULT_PATHWAY, 0)
        return Pathways(self._default_media_url, entitlement.media_token, (default,), steering_url=None)

    async def _next_title(self, title: PlayableTitle, viewer: Viewer, now: datetime) -> TitleId | None:
        """The next episode that this viewer may see."""
        if title.next_episode_id is None or title.series_id is None:
            return None
        episodes = {episode.id: episode for episode in await self._catalogue.episodes_of([title.series_id])}
        forbidden = {each for each, episode in episodes.items() if not decide(viewer, episode.facts, now).may_see}
        return choose_next_episode(title.id, episodes, set(), forbidden)

    async def _give_back(self, account_id: AccountId, device_id: str, session_id: SessionId) -> None:
        try:
            await self._leases.release(account_id, device_id, session_id)
        except ServiceError as error:
            # The lease ends by itself soon; the failure that brought us here is the one to report.
            log.warning("lease.not_released", session_id=session_id, error=error.message)


def _refused(reason: PlayRefusal) -> PlayRefused:
    return PlayRefused(reason, refusal_message(reason))


def _choose_variant(asset: Asset, *, supports_clearkey: bool) -> AssetVariant | None:
    """The encrypted variant where the device can decrypt, else the clear one; None when neither fits."""
    if supports_clearkey and (protected := asset.variant(Encryption.CLEARKEY)) is not None:
        return protected
    return asset.variant(Encryption.CLEAR)


def _required_variant(asset: Asset, *, supports_clearkey: bool) -> AssetVariant:
    variant = _choose_variant(asset, supports_clearkey=supports_clearkey)
    if variant is None:
        raise ServiceError(ErrorKind.INTERNAL, "an asset without a variant for this device passed the check")
    return variant


def _build_grant(
    request: StartRequest, asset: Asset, variant: AssetVariant, entitlement: Entitlement, pathways: Pathways
) -> Grant:
    root = f"{pathways.base_url}/media/{pathways.media_token}"
    paths = {StreamingProtocol.DASH: variant.dash, StreamingProtocol.HLS: variant.hls}
    order = sorted(paths, key=lambda protocol: (protocol is StreamingProtocol.HLS) != request.prefers_hls)
    return Grant(
        manifests=tuple(
            GrantedManifest(protocol, f"{root}/{paths[protocol]}", variant.encryption, MIME_TYPES[protocol])
            for protocol in order
            if paths[protocol]
        ),
        licence_url=entitlement.licence_url,
        playback_token=entitlement.playback_token,
        steering_url=pathways.steering_url,
        pathways=pathways.ordered,
        max_height_px=min(entitlement.max_height_px, asset.max_height_px),
        audio_languages=asset.audio_languages,
        subtitle_languages=asset.subtitle_languages,
        is_steered=pathways.steering_url is not None,
        thumbnails_url=f"{root}/{asset.thumbnails}" if asset.thumbnails else None,
    )


def _required(value: str | None) -> str:
    """A claim that the policy has checked already."""
    return cast("str", value)
