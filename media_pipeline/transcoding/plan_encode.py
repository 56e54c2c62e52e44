"""The encode plan: source facts in, renditions and ffmpeg arguments out. Pure; nothing is run here.

Which rungs: the ladder's, never larger than the source; where the source lies between two rungs and the lower would
lose much of it, one more at the source's own size. A rung is named by its lines (the 16:9 box the picture fits in),
so that a film of 1920x800 is 1080p. Rungs nearer than MIN_RATE_STEP in rate are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from media_pipeline.media.ladder import LADDER, MIN_RATE_STEP, Rung
from media_pipeline.media.languages import language_name
from media_pipeline.media.rendition import AudioRendition, TextRendition, VideoRendition
from media_pipeline.media.timeline import Timeline
from media_pipeline.transcoding.source_facts import AudioFacts, SourceFacts, SubtitleFacts

__all__ = [
    "EncodePlan",
    "EncoderChoices",
    "audio_arguments",
    "plan_encode",
    "poster_arguments",
    "subtitle_arguments",
    "thumbnail_arguments",
    "video_arguments",
]

MIN_GAIN_OF_OWN_SIZE = 1.3
"""A rung at the source's own size must show this many times the pixels of the rung below to be worth its cost."""
MAX_AUDIO_TRACKS = 8
MAX_SUBTITLE_TRACKS = 32
SAMPLE_RATE_HZ = 48_000
MONO_BPS, STEREO_BPS = 64_000, 128_000
QUALITY_CRF = 21
"""Constant quality below the rung's maximum: about the point where more bits stop being seen at living-room
distance."""
BUFFER_S = 1.5
"""Seconds of maximum rate in the encoder's rate buffer: a 4-s segment then stays within 1.4 times the rung's
maximum."""
POSTER_AT_RATIO = 0.35
POSTER_WIDTH_PX = 1280
THUMBNAIL_INTERVAL_S = 5
THUMBNAIL_WIDTH_PX = 160
SPRITE_COLUMNS, SPRITE_ROWS = 10, 10


@dataclass(frozen=True, slots=True)
class EncoderChoices:
    """What the operator decides. `threads` 0: the encoder chooses."""

    preset: str = "veryfast"
    threads: int = 0


@dataclass(frozen=True, slots=True)
class EncodePlan:
    """What is made from a source. `video` is ordered from the lowest rung up, the order of encoding."""

    facts: SourceFacts
    timeline: Timeline
    video: tuple[VideoRendition, ...]
    audio: tuple[AudioRendition, ...]
    text: tuple[TextRendition, ...]


def plan_encode(facts: SourceFacts, ladder: Sequence[Rung] = LADDER) -> EncodePlan:
    """The renditions for a source; never empty, never larger than the source."""
    return EncodePlan(
        facts=facts,
        timeline=Timeline(facts.video.frame_rate),
        video=_plan_video(facts.video.width_px, facts.video.height_px, ladder),
        audio=_plan_audio(facts.audio[:MAX_AUDIO_TRACKS]),
        text=_plan_text(facts.subtitles[:MAX_SUBTITLE_TRACKS]),
    )


def _plan_video(width_px: int, height_px: int, ladder: Sequence[Rung]) -> tuple[VideoRendition, ...]:
    descending = sorted(ladder, key=lambda rung: rung.lines, reverse=True)
    whole = [rung for rung in descending if _fit_ratio(rung, width_px, height_px) <= 1]
    larger = [rung for rung in descending if _fit_ratio(rung, width_px, height_px) > 1]
    chosen: list[VideoRendition] = []
    if larger and _own_size_is_worth_it(width_px, height_px, whole):
        nearest = larger[-1]
        # Bits follow pixels, a little less than in proportion.
        share = (1 / _fit_ratio(nearest, width_px, height_px)) ** 1.5
        floor_bps = whole[0].max_video_bps if whole else 100_000
        chosen.append(
            VideoRendition(
                nearest.lines,
                _even(width_px, width_px),
                _even(height_px, height_px),
                max(floor_bps, int(nearest.max_video_bps * share)),
            )
        )
    for rung in whole:
        if chosen and chosen[-1].max_video_bps < rung.max_video_bps * MIN_RATE_STEP:
            continue
        ratio = _fit_ratio(rung, width_px, height_px)
        chosen.append(
            VideoRendition(
                rung.lines, _even(width_px * ratio, width_px), _even(height_px * ratio, height_px), rung.max_video_bps
            )
        )
    return tuple(reversed(chosen))


def _fit_ratio(rung: Rung, width_px: int, height_px: int) -> float:
    """How far the picture must be scaled to fit the rung's box; the box stands upright for upright films."""
    long_px, short_px = max(width_px, height_px), min(width_px, height_px)
    return min(rung.box_width_px / long_px, rung.lines / short_px)


def _own_size_is_worth_it(width_px: int, height_px: int, whole: Sequence[Rung]) -> bool:
    if not whole:
        return True
    return 1 / _fit_ratio(whole[0], width_px, height_px) ** 2 >= MIN_GAIN_OF_OWN_SIZE


def _even(size_px: float, source_px: int) -> int:
    """The nearest even size, because 4:2:0 pictures have even sides, and never above the source's."""
    return max(2, min(round(size_px / 2) * 2, source_px // 2 * 2))


def _plan_audio(tracks: Sequence[AudioFacts]) -> tuple[AudioRendition, ...]:
    default = next((number for number, track in enumerate(tracks) if track.is_default), 0)
    labels = _unique_labels([track.label or language_name(track.language) for track in tracks])
    return tuple(
        AudioRendition(
            source_index=number,
            language=track.language,
            channels=min(track.channels, 2),
            audio_bps=MONO_BPS if track.channels == 1 else STEREO_BPS,
            label=labels[number],
            is_default=number == default,
        )
        for number, track in enumerate(tracks)
    )


def _plan_text(tracks: Sequence[SubtitleFacts]) -> tuple[TextRendition, ...]:
    labels = _unique_labels([track.label or language_name(track.language) for track in tracks])
    return tuple(
        TextRendition(number, track.language, labels[number], track.is_forced) for number, track in enumerate(tracks)
    )


def _unique_labels(labels: Sequence[str]) -> list[str]:
    """HLS wants different NAMEs within a group."""
    return [label if labels.count(label) == 1 else f"{label} {number + 1}" for number, label in enumerate(labels)]


def _input_arguments(facts: SourceFacts, source: Path) -> list[str]:
    return [
        # errors only, and never a question on standard input
        *("-nostdin", "-hide_banner", "-v", "error"),
        # a film may not make the demuxer open other files' protocols (playlists in disguise)
        *("-protocol_whitelist", "file"),
        # the container was decided by its first bytes; ffmpeg may not guess
        *("-f", facts.container, "-i", str(source)),
    ]


def _reproducible_arguments() -> list[str]:
    return [
        # nothing of the source's tags goes on: they name people, places and devices
        *("-map_metadata", "-1", "-map_chapters", "-1"),
        # no version strings, so that a repeated attempt gives the same bytes
        *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
    ]


def video_arguments(
    plan: EncodePlan, rendition: VideoRendition, source: Path, output: Path, choices: EncoderChoices
) -> list[str]:
    """Arguments of ffmpeg for one rung: H.264 in an intermediate MP4, no sound."""
    rate, gop = plan.timeline.frame_rate, plan.timeline.gop_frames
    filters = [
        # interlaced fields would shimmer at any other size
        *(["bwdif=mode=send_frame:deint=interlaced"] if plan.facts.video.is_interlaced else []),
        # a constant rate from time zero: variable rates and late starts would part the rungs' keyframes
        f"fps=fps={rate.numerator}/{rate.denominator}:start_time=0",
        # one colour description for all rungs, the one that every player assumes
        f"scale={rendition.width_px}:{rendition.height_px}:flags=bicubic:out_color_matrix=bt709:out_range=tv",
        # and said so in the stream: without it players guess, each in its own way
        "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv",
        # square pixels, or the packager derives another width from the aspect
        "setsar=1",
        # the only pixel format that all H.264 hardware decodes
        "format=yuv420p",
    ]
    return [
        *_input_arguments(plan.facts, source),
        *("-map", f"0:{plan.facts.video.index}", "-an", "-sn", "-dn"),
        *("-vf", ",".join(filters)),
        *("-c:v", "libx264", "-preset", choices.preset, "-profile:v", "high"),
        # constant quality bounded by the rung's maximum: one rate control, not two that fight
        *("-crf", str(QUALITY_CRF)),
        *("-maxrate", str(rendition.max_video_bps), "-bufsize", str(int(rendition.max_video_bps * BUFFER_S))),
        # keyframes at the same frame numbers in every rung: no scene-cut keyframes, no longer or shorter groups
        *("-g", str(gop), "-keyint_min", str(gop), "-sc_threshold", "0"),
        # closed groups: a player may enter at any of them after a switch
        *("-x264-params", "open-gop=0"),
        *("-threads", str(choices.threads)),
        *_reproducible_arguments(),
        # machine-readable progress on standard output, twice a second
        *("-progress", "pipe:1", "-stats_period", "0.5"),
        *("-f", "mp4", "-y", str(output)),
    ]


def audio_arguments(plan: EncodePlan, rendition: AudioRendition, source: Path, output: Path) -> list[str]:
    """Arguments of ffmpeg for one sound track: AAC-LC in an intermediate MP4."""
    return [
        *_input_arguments(plan.facts, source),
        *("-map", f"0:{plan.facts.audio[rendition.source_index].index}", "-vn", "-sn", "-dn"),
        # start at zero like the picture, and fill gaps with silence, so that both stay together
        *("-af", "aresample=async=1:first_pts=0"),
        *("-c:a", "aac", "-b:a", str(rendition.audio_bps)),
        # more channels are mixed down: two is what every device plays
        *("-ac", str(rendition.channels), "-ar", str(SAMPLE_RATE_HZ)),
        *_reproducible_arguments(),
        *("-progress", "pipe:1", "-stats_period", "0.5"),
        *("-f", "mp4", "-y", str(output)),
    ]


def subtitle_arguments(plan: EncodePlan, rendition: TextRendition, source: Path, output: Path) -> list[str]:
    """Arguments of ffmpeg for one subtitle track: WebVTT."""
    return [
        *_input_arguments(plan.facts, source),
        *("-map", f"0:{plan.facts.subtitles[rendition.source_index].index}"),
        *("-c:s", "webvtt", "-f", "webvtt", "-y", str(output)),
    ]


def poster_arguments(plan: EncodePlan, encoded: Path, output: Path) -> list[str]:
    """Arguments of ffmpeg for the poster, taken from our own largest rung: a telling frame a third into the film."""
    at_s = plan.facts.duration_s * POSTER_AT_RATIO
    return [
        *("-nostdin", "-hide_banner", "-v", "error", "-protocol_whitelist", "file"),
        *("-ss", f"{at_s:.3f}", "-f", "mov", "-i", str(encoded), "-an"),
        # the frame nearest to the average of a second: no fade, no flash
        *("-vf", f"thumbnail=n={max(2, round(float(plan.timeline.frame_rate)))},scale='min({POSTER_WIDTH_PX},iw)':-2"),
        *("-frames:v", "1", "-q:v", "3", "-update", "1"),
        *("-f", "image2", "-c:v", "mjpeg", "-y", str(output)),
    ]


def thumbnail_arguments(encoded: Path, output_pattern: Path, thumbnail_count: int) -> list[str]:
    """Arguments of ffmpeg for the scrubbing sprites, from our own lowest rung: one picture per five seconds."""
    rows = min(SPRITE_ROWS, -(-thumbnail_count // SPRITE_COLUMNS))
    filters = [
        f"fps=1/{THUMBNAIL_INTERVAL_S}:start_time=0:round=up",
        f"scale={THUMBNAIL_WIDTH_PX}:-2",
        f"tile={SPRITE_COLUMNS}x{rows}",
    ]
    return [
        *("-nostdin", "-hide_banner", "-v", "error", "-protocol_whitelist", "file"),
        *("-f", "mov", "-i", str(encoded), "-an", "-vf", ",".join(filters)),
        *("-q:v", "5", "-f", "image2", "-c:v", "mjpeg", "-y", str(output_pattern)),
    ]
