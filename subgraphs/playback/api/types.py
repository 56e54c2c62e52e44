"""Output types without resolvers that need a store, and the enums."""

from enum import Enum

import strawberry
import strawberry.federation

from subgraphs.playback.domain.sessions import PlayRefusal, StreamingProtocol
from subgraphs.playback.domain.titles import MarkerKind

__all__ = [
    "Availability",
    "Certificate",
    "DownloadNotFound",
    "DownloadRefusalReason",
    "DownloadRefused",
    "Manifest",
    "Marker",
    "MediaEncryption",
    "MediaStatus",
    "Pathway",
    "PlayDecision",
    "PlaybackRefused",
    "SessionNotFound",
    "TrackInfo",
]

strawberry.enum(
    PlayRefusal, name="PlayRefusalReason", description="Why a viewer can't play; the first reason that holds."
)
strawberry.enum(StreamingProtocol, name="StreamingProtocol", description="How a player reads a film.")
strawberry.enum(MarkerKind, name="MarkerKind", description="What a marked stretch of a film is.")


@strawberry.enum(description="How the segments are protected.")
class MediaEncryption(Enum):
    """The graph's names for domain.titles.Encryption."""

    CLEAR = "clear"
    CLEARKEY = "clearkey"


@strawberry.enum(description="Whether a title has a film.")
class MediaStatus(Enum):
    """Owned by titles; here as an input of canPlay."""

    NONE = "NONE"
    PROCESSING = "PROCESSING"
    READY = "READY"


@strawberry.federation.type(shareable=True)
class Certificate:
    """Owned by titles; here as an input of canPlay."""

    minimum_age: int


@strawberry.federation.type(shareable=True)
class Availability:
    """Owned by titles; here as an input of canPlay."""

    is_available: bool


@strawberry.type(description="May this viewer press play now, and if not, why.")
class PlayDecision:
    """`refusal` is null exactly when `allowed`."""

    allowed: bool
    refusal: PlayRefusal | None


@strawberry.type(description="Why not; reason is what a client branches on.")
class PlaybackRefused:
    """An expected failure of startPlayback."""

    reason: PlayRefusal
    message: str
    max_streams: int | None = strawberry.field(default=None, description="TOO_MANY_STREAMS: what the plan allows.")
    retry_after_seconds: int | None = strawberry.field(
        default=None, description="TOO_MANY_STREAMS: a slot is free by then unless its player still reports."
    )


@strawberry.type(description="No such session for this viewer, or it has ended.")
class SessionNotFound:
    """The same for unknown, foreign and ended sessions."""

    message: str
    session_id: strawberry.ID


class DownloadRefusalReason(Enum):
    """Play's own reasons, as far as they hold for downloads, and those of downloads alone."""

    NOT_SIGNED_IN = "NOT_SIGNED_IN"
    NO_PROFILE = "NO_PROFILE"
    SUBSCRIPTION_LAPSED = "SUBSCRIPTION_LAPSED"
    NOT_FOUND = "NOT_FOUND"
    NOT_READY = "NOT_READY"
    TOO_MANY_DOWNLOAD_DEVICES = "TOO_MANY_DOWNLOAD_DEVICES"
    TOO_MANY_DOWNLOADS = "TOO_MANY_DOWNLOADS"
    OTHER_DEVICE = "OTHER_DEVICE"


strawberry.enum(DownloadRefusalReason, description="Why a title can't be downloaded; the first reason that holds.")


@strawberry.type(description="Why not; reason is what a client branches on.")
class DownloadRefused:
    """An expected failure of the download mutations."""

    reason: DownloadRefusalReason
    message: str
    limit: int | None = strawberry.field(default=None, description="TOO_MANY_…: how many there may be.")


@strawberry.type(description="No such download of this profile.")
class DownloadNotFound:
    """The same for unknown and foreign downloads."""

    message: str
    download_id: strawberry.ID


@strawberry.type(description="One way to play the film.")
class Manifest:
    """An address with what a player must know before it asks."""

    protocol: StreamingProtocol
    url: str
    encryption: MediaEncryption
    mime_type: str


@strawberry.type(description="A stretch of the film that a player may offer to skip.")
class Marker:
    """In seconds from the film's start."""

    kind: MarkerKind
    start_seconds: float
    end_seconds: float


@strawberry.type(description="An audio or subtitle track.")
class TrackInfo:
    """`language` is a BCP 47 tag, `label` its own name for people."""

    language: str
    label: str


@strawberry.type(description="A delivery pathway in its place; 0 is the best.")
class Pathway:
    """What steering manifests call it."""

    id: strawberry.ID
    priority: int
