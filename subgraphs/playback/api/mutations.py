# strawberry.field with arguments is typed as Any; the resolvers below it are typed in full.
# mypy: disable-error-code="untyped-decorator"

"""Starting, reporting, stopping."""

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry.types import get_object_definition
from strawberry.types.arguments import InputContext
from strawberry.utils.str_converters import to_camel_case

from subgraphs.kernel.ids import SessionId, TitleId
from subgraphs.kernel.results import InvalidInput, invalid_input
from subgraphs.playback.api.context import PlaybackInfo
from subgraphs.playback.api.sessions import PlaybackSession, session_of
from subgraphs.playback.api.titles import Title, title_reference
from subgraphs.playback.api.types import PlaybackRefused, SessionNotFound
from subgraphs.playback.domain.sessions import PlayRefusal, PlayRefused
from subgraphs.playback.services.record_progress import (
    Heartbeat,
    Quality,
    Recorded,
    SessionUnknown,
    check_heartbeat,
)
from subgraphs.playback.services.start_playback import StartRequest, check_start

__all__ = ["PlayMutations"]


@strawberry.enum(description="What kind of screen plays.")
class PlaybackFormFactor(Enum):
    """As the device says."""

    TV = "TV"
    PHONE = "PHONE"
    TABLET = "TABLET"
    BROWSER = "BROWSER"


@strawberry.enum(description="What the player does at the moment of the report.")
class PlaybackState(Enum):
    """The position counts in every state."""

    PLAYING = "PLAYING"
    PAUSED = "PAUSED"
    BUFFERING = "BUFFERING"
    SEEKING = "SEEKING"


@strawberry.input
class PlaybackDeviceInput:
    """The device that will play."""

    id: strawberry.ID
    form_factor: PlaybackFormFactor
    max_height_px: int | None = None
    supports_clear_key: bool = strawberry.field(
        default=True, description="true when the player can decrypt Clear Key through EME"
    )


@strawberry.input
class StartPlaybackInput:
    """A movie or an episode, on a device."""

    title_id: strawberry.ID
    device: PlaybackDeviceInput
    start_over: bool = False


@strawberry.input
class HeartbeatInput:
    """A report of a player."""

    session_id: strawberry.ID
    position_seconds: float
    sequence: int = strawberry.field(description="Counts up on this device; late or repeated heartbeats never win.")
    state: PlaybackState = PlaybackState.PLAYING
    bitrate_bps: int | None = None
    buffer_seconds: float | None = None
    rebuffer_count: int | None = None


def _read_heartbeat(
    heartbeat: type[HeartbeatInput], values: Mapping[str, Any], _context: InputContext
) -> HeartbeatInput:
    """The input from values that graphql-core has coerced.

    strawberry's own way looks up every field's type again in each request, which took a tenth of a heartbeat's time.
    """
    return heartbeat(**{_HEARTBEAT_NAMES[name]: value for name, value in values.items()})


_HEARTBEAT_NAMES = {to_camel_case(each.name): each.name for each in fields(HeartbeatInput)}
get_object_definition(HeartbeatInput, strict=True).from_input = _read_heartbeat


@strawberry.input
class StopPlaybackInput:
    """The last report of a player."""

    session_id: strawberry.ID
    position_seconds: float
    sequence: int


@strawberry.type
class StartPlaybackSuccess:
    """Play."""

    session: PlaybackSession


@strawberry.type
class HeartbeatSuccess:
    """The position is stored for good."""

    title: Title | None
    accepted_position_seconds: float = strawberry.field(
        description="The bookmark after this report; a late report gets that of the newer one."
    )
    refusal: PlayRefusal | None = strawberry.field(
        description="Set when the player must stop: another device has its stream slot, "
        "or the title is closed to the viewer."
    )


@strawberry.type
class StopPlaybackSuccess:
    """The last position is stored for good and the stream slot is free."""

    title: Title | None


StartPlaybackResult = Annotated[StartPlaybackSuccess | PlaybackRefused, strawberry.union("StartPlaybackResult")]
HeartbeatResult = Annotated[HeartbeatSuccess | SessionNotFound | InvalidInput, strawberry.union("HeartbeatResult")]
StopPlaybackResult = Annotated[
    StopPlaybackSuccess | SessionNotFound | InvalidInput, strawberry.union("StopPlaybackResult")
]


@strawberry.type
class PlayMutations:
    """Writes of players."""

    @strawberry.mutation(description="Checks every right, takes a stream slot and grants the film.")
    async def start_playback(self, info: PlaybackInfo, input: StartPlaybackInput) -> StartPlaybackResult:  # noqa: A002
        """The session, or the first reason why not."""
        head, device = info.context.head, input.device
        request = StartRequest(
            viewer=head.viewer,
            viewer_token=head.viewer_token,
            client_address=head.client_address,
            title_id=TitleId(input.title_id),
            device_id=device.id,
            max_height_px=device.max_height_px,
            supports_clearkey=device.supports_clear_key,
            # Handhelds without Clear Key are those whose players read HLS only.
            prefers_hls=not device.supports_clear_key
            and device.form_factor in {PlaybackFormFactor.PHONE, PlaybackFormFactor.TABLET},
            starts_over=input.start_over,
            now=head.now,
        )
        check_start(request)
        outcome = await info.context.services.start.start(request)
        if isinstance(outcome, PlayRefused):
            return PlaybackRefused(
                reason=outcome.reason,
                message=outcome.message,
                max_streams=outcome.max_streams,
                retry_after_seconds=outcome.retry_after_s,
            )
        return StartPlaybackSuccess(session=session_of(outcome, info.context.services.heartbeat_interval_s))

    @strawberry.mutation(description="Report a position; the answer says that it is stored for good.")
    async def heartbeat(self, info: PlaybackInfo, input: HeartbeatInput) -> HeartbeatResult:  # noqa: A002
        """Every 10 to 30 seconds while a film is open."""
        heartbeat = Heartbeat(
            session_id=SessionId(input.session_id),
            position_s=input.position_seconds,
            sequence=input.sequence,
            quality=Quality(input.state.value, input.bitrate_bps, input.buffer_seconds, input.rebuffer_count),
        )
        problems = check_heartbeat(heartbeat)
        if problems:
            return invalid_input(problems)
        outcome = await info.context.services.record.heartbeat(info.context.viewer, heartbeat, info.context.now)
        if isinstance(outcome, SessionUnknown):
            return _session_not_found(outcome)
        return HeartbeatSuccess(
            title=_title(outcome),
            accepted_position_seconds=outcome.bookmark.position_s,
            refusal=outcome.refusal,
        )

    @strawberry.mutation(description="Report the last position and free the stream slot; twice is once.")
    async def stop_playback(self, info: PlaybackInfo, input: StopPlaybackInput) -> StopPlaybackResult:  # noqa: A002
        """The last word of a session."""
        heartbeat = Heartbeat(SessionId(input.session_id), input.position_seconds, input.sequence)
        problems = check_heartbeat(heartbeat)
        if problems:
            return invalid_input(problems)
        head = info.context.head
        outcome = await info.context.services.record.stop(head.viewer, head.viewer_token, heartbeat, head.now)
        if isinstance(outcome, SessionUnknown):
            return _session_not_found(outcome)
        return StopPlaybackSuccess(title=_title(outcome))


def _title(recorded: Recorded) -> Title:
    return title_reference(recorded.session.title_id)


def _session_not_found(unknown: SessionUnknown) -> SessionNotFound:
    shown = unknown.session_id if len(unknown.session_id) <= 80 else f"{unknown.session_id[:80]}…"
    return SessionNotFound(
        message=f"Session {shown!r} is unknown or has ended; start playback again.",
        session_id=strawberry.ID(unknown.session_id),
    )
