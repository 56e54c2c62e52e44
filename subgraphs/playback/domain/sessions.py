"""A playback session: one device plays one title, from the grant to the stop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from subgraphs.kernel.ids import AccountId, ProfileId, SessionId, TitleId
from subgraphs.playback.domain.titles import Encryption, Marker, MarkerKind

__all__ = [
    "Grant",
    "GrantedManifest",
    "GrantedPathway",
    "Marker",
    "MarkerKind",
    "PlayRefusal",
    "PlayRefused",
    "PlaybackSession",
    "QualityReport",
    "StreamingProtocol",
]


class PlayRefusal(StrEnum):
    """Why a viewer can't play, as clients branch on it; in the order in which the questions are asked."""

    NOT_SIGNED_IN = "NOT_SIGNED_IN"
    NO_PROFILE = "NO_PROFILE"
    SUBSCRIPTION_LAPSED = "SUBSCRIPTION_LAPSED"
    NOT_FOUND = "NOT_FOUND"
    RESTRICTED_BY_MATURITY = "RESTRICTED_BY_MATURITY"
    UNAVAILABLE_IN_COUNTRY = "UNAVAILABLE_IN_COUNTRY"
    NOT_READY = "NOT_READY"
    TOO_MANY_STREAMS = "TOO_MANY_STREAMS"


@dataclass(frozen=True, slots=True)
class PlayRefused:
    """A refusal with words for people and, where waiting helps, how long."""

    reason: PlayRefusal
    message: str
    max_streams: int | None = None
    retry_after_s: int | None = None


class StreamingProtocol(StrEnum):
    """How a player reads the film."""

    HLS = "HLS"
    DASH = "DASH"


@dataclass(frozen=True, slots=True)
class GrantedManifest:
    """One way to play, with its address."""

    protocol: StreamingProtocol
    url: str
    encryption: Encryption
    mime_type: str


@dataclass(frozen=True, slots=True)
class GrantedPathway:
    """A delivery pathway in its order; 0 is the best."""

    id: str
    priority: int


@dataclass(frozen=True, slots=True)
class Grant:
    """What licensing and steering gave to a session; the manifests that suit the device best come first.

    `is_steered` is false when steering did not answer at the start: the film comes by the default pathway then.
    """

    manifests: tuple[GrantedManifest, ...]
    licence_url: str | None
    playback_token: str
    steering_url: str | None
    pathways: tuple[GrantedPathway, ...]
    max_height_px: int
    audio_languages: tuple[str, ...]
    subtitle_languages: tuple[str, ...]
    thumbnails_url: str | None
    is_steered: bool = True


@dataclass(frozen=True, slots=True)
class QualityReport:
    """How playing went at one moment, as the player measured it; None: not told. Rebuffers are counted per session."""

    session_id: SessionId
    asset_id: str
    state: str
    bitrate_bps: int | None
    buffer_s: float | None
    rebuffer_count: int | None
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class PlaybackSession:
    """`ordinal` rises with each start on a device; `ended_at` is set when the player stopped.

    `resume_position_s` is where playing began; the bookmark moves on from there.
    """

    id: SessionId
    account_id: AccountId
    profile_id: ProfileId
    plan: str | None
    device_id: str
    title_id: TitleId
    series_id: TitleId | None
    next_title_id: TitleId | None
    asset_id: str
    ordinal: int
    started_at: datetime
    resume_position_s: float
    duration_s: float
    markers: tuple[Marker, ...]
    grant: Grant
    ended_at: datetime | None = None

    @property
    def credits_start_s(self) -> float | None:
        """Where the closing credits begin, for the completion point."""
        return min((marker.start_s for marker in self.markers if marker.kind is MarkerKind.CREDITS), default=None)
