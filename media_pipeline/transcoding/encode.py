"""Encodes all tracks of a plan, lowest rung first, with one progress over all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from media_pipeline.media.rendition import AudioRendition, Rendition, TextRendition, VideoRendition
from media_pipeline.transcoding.domain import MediaRejected
from media_pipeline.transcoding.plan_encode import (
    THUMBNAIL_INTERVAL_S,
    EncodePlan,
    EncoderChoices,
    audio_arguments,
    poster_arguments,
    subtitle_arguments,
    thumbnail_arguments,
    video_arguments,
)
from media_pipeline.transcoding.ports import Encoder, EncoderFailed

__all__ = ["EncodedTracks", "encode_tracks"]

log = structlog.get_logger(__name__)

MIN_TIMEOUT_S = 120.0
TIMEOUT_PER_SECOND = 60.0
"""An encode slower than a sixtieth of real time is not encoding."""
MISSING_SHARE, MISSING_FLOOR_S = 0.02, 1.0
"""A film shorter than announced by more than this was cut off; less is how containers round."""
AUDIO_WEIGHT_PX = 40_000
"""Sound in the progress, as the pixels that cost about as much."""


@dataclass(frozen=True, slots=True)
class EncodedTracks:
    """Intermediate files by rendition, without tracks that turned out to be empty. `duration_s` is the picture's."""

    plan: EncodePlan
    path_by_rendition: Mapping[Rendition, Path]
    duration_s: float
    poster: Path
    sprites: tuple[Path, ...]

    @property
    def video(self) -> tuple[VideoRendition, ...]:
        """From the lowest rung up."""
        return tuple(item for item in self.path_by_rendition if isinstance(item, VideoRendition))

    @property
    def audio(self) -> tuple[AudioRendition, ...]:
        """In the source's order."""
        return tuple(item for item in self.path_by_rendition if isinstance(item, AudioRendition))

    @property
    def text(self) -> tuple[TextRendition, ...]:
        """In the source's order."""
        return tuple(item for item in self.path_by_rendition if isinstance(item, TextRendition))


class _Progress:
    """Seconds of single encodes as one ratio over all, weighted by what each costs."""

    def __init__(self, plan: EncodePlan, report: Callable[[float], Awaitable[None]]) -> None:
        self._weights: dict[Rendition, float] = {
            **{item: float(item.width_px * item.height_px) for item in plan.video},
            **dict.fromkeys(plan.audio, float(AUDIO_WEIGHT_PX)),
        }
        self._total = sum(self._weights.values())
        self._duration_s = plan.facts.duration_s
        self._done = 0.0
        self._report = report
        self.last_s = 0.0

    def start(self) -> None:
        self.last_s = 0.0

    async def track(self, rendition: Rendition, seconds: float) -> None:
        self.last_s = seconds
        share = min(1.0, seconds / self._duration_s) * self._weights[rendition]
        await self._report((self._done + share) / self._total)

    def finish(self, rendition: Rendition) -> None:
        self._done += self._weights[rendition]


async def encode_tracks(
    encoder: Encoder,
    plan: EncodePlan,
    source: Path,
    folder: Path,
    *,
    choices: EncoderChoices,
    report: Callable[[float], Awaitable[None]],
) -> EncodedTracks:
    """All tracks as files in the folder; `report` gets 0 to 1.

    Raises MediaRejected, EncoderFailed, and what `report` raises.
    """
    progress = _Progress(plan, report)
    paths: dict[Rendition, Path] = {}
    duration_s = 0.0
    for video in plan.video:
        paths[video] = folder / f"{video.name}.mp4"
        arguments = video_arguments(plan, video, source, paths[video], choices)
        seconds = await _encode(encoder, plan, video, arguments, progress)
        # ffmpeg tells when the last frame begins; it ends one frame later
        duration_s = duration_s or _checked_duration(plan, seconds + float(1 / plan.timeline.frame_rate))
    for audio in plan.audio:
        path = folder / f"{audio.name}.mp4"
        if await _encode(encoder, plan, audio, audio_arguments(plan, audio, source, path), progress) > 0:
            paths[audio] = path
    for text in plan.text:
        path = folder / f"{text.name}.vtt"
        if await _extract_subtitles(encoder, plan, text, source, path):
            paths[text] = path
    poster = folder / "poster.jpg"
    await encoder.run(poster_arguments(plan, paths[plan.video[-1]], poster), report=None, timeout_s=MIN_TIMEOUT_S)
    sprites = await _draw_sprites(encoder, paths[plan.video[0]], folder, duration_s)
    return EncodedTracks(plan, paths, duration_s, poster, sprites)


async def _encode(
    encoder: Encoder,
    plan: EncodePlan,
    rendition: VideoRendition | AudioRendition,
    arguments: list[str],
    progress: _Progress,
) -> float:
    """Seconds encoded; raises MediaRejected when ffmpeg blames the file."""
    progress.start()

    async def report(seconds: float) -> None:
        await progress.track(rendition, seconds)

    timeout_s = MIN_TIMEOUT_S + plan.facts.duration_s * TIMEOUT_PER_SECOND
    try:
        await encoder.run(arguments, report=report, timeout_s=timeout_s)
    except EncoderFailed as error:
        if not error.blames_input:
            raise
        log.info("encode.refused_by_ffmpeg", rendition=rendition.name, said=str(error)[-500:])
        track = "picture" if isinstance(rendition, VideoRendition) else f"sound track {rendition.source_index + 1}"
        raise MediaRejected(
            "UNDECODABLE", f"the {track} can't be decoded; export the film with common codecs"
        ) from error
    progress.finish(rendition)
    return progress.last_s


def _checked_duration(plan: EncodePlan, seconds: float) -> float:
    """The picture's true length; raises MediaRejected when there is none or the film was cut off."""
    announced_s = plan.facts.duration_s
    if seconds <= 0:
        raise MediaRejected("NO_FRAMES", "no picture could be decoded; the file is damaged or was cut off")
    if announced_s - seconds > max(MISSING_FLOOR_S, announced_s * MISSING_SHARE):
        raise MediaRejected(
            "TRUNCATED",
            f"the picture ends after {seconds:.1f} of {announced_s:.1f} seconds; the file was cut off, upload it again",
        )
    return seconds


async def _extract_subtitles(encoder: Encoder, plan: EncodePlan, text: TextRendition, source: Path, path: Path) -> bool:
    """Whether the track gave any cue. A film is not refused for its subtitles; what is missing is logged."""
    timeout_s = MIN_TIMEOUT_S + plan.facts.duration_s
    try:
        await encoder.run(subtitle_arguments(plan, text, source, path), report=None, timeout_s=timeout_s)
    except EncoderFailed as error:
        log.warning("encode.subtitles_skipped", track=text.source_index, said=str(error)[-500:])
        return False
    return await asyncio.to_thread(_has_cues, path)


def _has_cues(path: Path) -> bool:
    return path.exists() and "-->" in path.read_text(errors="replace")


async def _draw_sprites(encoder: Encoder, encoded: Path, folder: Path, duration_s: float) -> tuple[Path, ...]:
    count = max(1, -(-int(duration_s) // THUMBNAIL_INTERVAL_S))
    pattern = folder / "sprite-%03d.jpg"
    await encoder.run(thumbnail_arguments(encoded, pattern, count), report=None, timeout_s=MIN_TIMEOUT_S + duration_s)
    return await asyncio.to_thread(lambda: tuple(sorted(folder.glob("sprite-*.jpg"))))
