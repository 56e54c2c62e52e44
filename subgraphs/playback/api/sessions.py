"""The playback session as players read it."""

import strawberry

from subgraphs.playback.api.titles import Title, title_reference
from subgraphs.playback.api.types import Manifest, Marker, MediaEncryption, Pathway, TrackInfo
from subgraphs.playback.domain.languages import language_label
from subgraphs.playback.domain.sessions import PlaybackSession as Session

__all__ = ["PlaybackSession", "session_of"]


@strawberry.type(description="One device plays one title.")
class PlaybackSession:
    """All that a player needs, in one answer."""

    id: strawberry.ID
    title: Title | None
    started_at: str
    manifests: list[Manifest] = strawberry.field(description="Best for this device first.")
    licence_url: str | None
    playback_token: str = strawberry.field(description="Send it to licenceUrl as Authorization: Bearer.")
    steering_url: str | None
    resume_position_seconds: float
    duration_seconds: float
    max_height_px: int
    heartbeat_interval_seconds: int
    markers: list[Marker]
    subtitles: list[TrackInfo]
    audio_tracks: list[TrackInfo]
    thumbnails_url: str | None
    next_title: Title | None
    pathways: list[Pathway]
    is_steered: bool = strawberry.field(
        description="false: steering did not answer at the start; the film comes by the default pathway."
    )


def session_of(session: Session, heartbeat_interval_s: int) -> PlaybackSession:
    """The GraphQL object."""
    grant = session.grant
    return PlaybackSession(
        id=strawberry.ID(session.id),
        title=title_reference(session.title_id),
        started_at=session.started_at.isoformat(),
        manifests=[
            Manifest(
                protocol=manifest.protocol,
                url=manifest.url,
                encryption=MediaEncryption(manifest.encryption.value),
                mime_type=manifest.mime_type,
            )
            for manifest in grant.manifests
        ],
        licence_url=grant.licence_url,
        playback_token=grant.playback_token,
        steering_url=grant.steering_url,
        resume_position_seconds=session.resume_position_s,
        duration_seconds=session.duration_s,
        max_height_px=grant.max_height_px,
        heartbeat_interval_seconds=heartbeat_interval_s,
        markers=[
            Marker(kind=marker.kind, start_seconds=marker.start_s, end_seconds=marker.end_s)
            for marker in session.markers
        ],
        subtitles=_tracks(grant.subtitle_languages),
        audio_tracks=_tracks(grant.audio_languages),
        thumbnails_url=grant.thumbnails_url,
        next_title=None if session.next_title_id is None else title_reference(session.next_title_id),
        pathways=[Pathway(id=strawberry.ID(pathway.id), priority=pathway.priority) for pathway in grant.pathways],
        is_steered=grant.is_steered,
    )


def _tracks(languages: tuple[str, ...]) -> list[TrackInfo]:
    return [TrackInfo(language=language, label=language_label(language)) for language in languages]
