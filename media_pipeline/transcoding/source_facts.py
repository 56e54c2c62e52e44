"""What a source file is: container by its first bytes, tracks by ffprobe's answer, and the limits on both.

Files come from people. The container is decided here and told to ffmpeg, never guessed by it: its guesses include
playlists that read other files and addresses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from media_pipeline.media.languages import language_tag
from media_pipeline.transcoding.domain import MediaRejected

__all__ = ["AudioFacts", "SourceFacts", "SourceLimits", "SubtitleFacts", "VideoFacts", "container_of", "read_facts"]

SNIFFED_BYTES = 64
_MOV_ATOMS = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
TEXT_SUBTITLE_CODECS = frozenset({"subrip", "srt", "mov_text", "webvtt", "ass", "ssa", "text"})
HDR_TRANSFERS = frozenset({"smpte2084", "arib-std-b67"})
STANDARD_FRAME_RATES = tuple(
    Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60")
)
MAX_OUTPUT_FPS = 60
FRAME_RATE_TOLERANCE = 0.005
"""Measured averages of variable rates lie this near the rate that was meant."""


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """What is refused as too large; above them lie decompression bombs rather than films."""

    max_long_px: int = 8192
    max_short_px: int = 4320
    max_fps: int = 120
    max_tracks: int = 32
    max_duration_s: float = 6 * 3600.0
    min_duration_s: float = 0.2


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """The picture as it is shown: after rotation and with square pixels. `index` is ffmpeg's stream number."""

    index: int
    codec: str
    width_px: int
    height_px: int
    frame_rate: Fraction
    is_interlaced: bool = False


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """One sound track. `language` is a BCP 47 tag or "und"."""

    index: int
    codec: str
    channels: int
    language: str
    label: str
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class SubtitleFacts:
    """One text subtitle track. Picture subtitles are not listed: they can't become text."""

    index: int
    codec: str
    language: str
    label: str
    is_forced: bool = False


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """All that the encode plan needs to know. `container` is ffmpeg's demuxer name."""

    container: str
    duration_s: float
    video: VideoFacts
    audio: tuple[AudioFacts, ...] = ()
    subtitles: tuple[SubtitleFacts, ...] = ()


def container_of(head: bytes) -> str:
    """The demuxer for a file's first bytes; raises MediaRejected for anything but MP4, MOV, MKV, WebM and AVI."""
    if len(head) >= 8 and head[4:8] in _MOV_ATOMS:
        return "mov"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    raise MediaRejected("NOT_A_VIDEO", "the file is no MP4, MOV, MKV or AVI video; export the film in one of these")


def read_facts(probe: Mapping[str, Any], container: str, limits: SourceLimits) -> SourceFacts:
    """Facts from `ffprobe -show_format -show_streams` as JSON; raises MediaRejected with the first limit broken."""
    streams: Sequence[Mapping[str, Any]] = probe.get("streams") or ()
    if len(streams) > limits.max_tracks:
        raise MediaRejected(
            "TOO_MANY_TRACKS", f"the file has {len(streams)} tracks, at most {limits.max_tracks} are taken"
        )
    video = _read_video(streams, limits)
    return SourceFacts(
        container=container,
        duration_s=_read_duration(probe, streams, video, limits),
        video=video,
        audio=tuple(_read_audio(stream) for stream in streams if _is_usable_audio(stream)),
        subtitles=tuple(_read_subtitle(stream) for stream in streams if _is_text_subtitle(stream)),
    )


def _read_video(streams: Sequence[Mapping[str, Any]], limits: SourceLimits) -> VideoFacts:
    candidates = [
        stream
        for stream in streams
        if stream.get("codec_type") == "video"
        and not _disposition(stream, "attached_pic")
        and not _disposition(stream, "still_image")
    ]
    if not candidates:
        raise MediaRejected("NO_PICTURE", "the file has no video track; a film needs a picture")
    stream = max(candidates, key=lambda stream: (_disposition(stream, "default"), -int(stream["index"])))
    codec = str(stream.get("codec_name") or "unknown")
    width_px, height_px = int(stream.get("width") or 0), int(stream.get("height") or 0)
    if codec in {"unknown", "none"} or width_px < 16 or height_px < 16:
        raise MediaRejected(
            "UNREADABLE_PICTURE", f"the video track can't be read (codec {codec}, {width_px}x{height_px})"
        )
    if max(width_px, height_px) > limits.max_long_px or min(width_px, height_px) > limits.max_short_px:
        raise MediaRejected(
            "PICTURE_TOO_LARGE",
            f"the picture is {width_px}x{height_px}, at most {limits.max_long_px}x{limits.max_short_px} is taken",
        )
    if str(stream.get("color_transfer") or "") in HDR_TRANSFERS:
        raise MediaRejected("HDR_UNSUPPORTED", "the picture is HDR, which is not supported yet; upload an SDR version")
    width_px, height_px = _displayed_size(stream, width_px, height_px)
    return VideoFacts(
        index=int(stream["index"]),
        codec=codec,
        width_px=width_px,
        height_px=height_px,
        frame_rate=_read_frame_rate(stream, limits),
        is_interlaced=str(stream.get("field_order") or "progressive") not in {"progressive", "unknown"},
    )


def _displayed_size(stream: Mapping[str, Any], width_px: int, height_px: int) -> tuple[int, int]:
    """Width and height with square pixels, after the rotation that players apply."""
    sample_aspect = _fraction(stream.get("sample_aspect_ratio"), ":")
    if sample_aspect is not None and Fraction(1, 8) <= sample_aspect <= 8:
        width_px = round(width_px * sample_aspect)
    rotations = [int(float(data["rotation"])) for data in stream.get("side_data_list") or () if "rotation" in data]
    if rotations and abs(rotations[0]) % 180 == 90:
        return height_px, width_px
    return width_px, height_px


def _read_frame_rate(stream: Mapping[str, Any], limits: SourceLimits) -> Fraction:
    """The constant rate to encode at: the measured average, or the standard rate that it nearly is."""
    rate = _fraction(stream.get("avg_frame_rate"), "/") or _fraction(stream.get("r_frame_rate"), "/")
    if rate is None:
        return Fraction(25)
    if rate > limits.max_fps + 1:
        raise MediaRejected(
            "FRAME_RATE_TOO_HIGH",
            f"the timestamps give {float(rate):g} frames per second, at most {limits.max_fps} are taken; "
            "export the film with a constant frame rate",
        )
    near = min(STANDARD_FRAME_RATES, key=lambda standard: abs(rate - standard))
    if abs(rate - near) <= near * Fraction(str(FRAME_RATE_TOLERANCE)):
        return near
    return min(max(rate.limit_denominator(1001), Fraction(1)), Fraction(MAX_OUTPUT_FPS))


def _read_duration(
    probe: Mapping[str, Any], streams: Sequence[Mapping[str, Any]], video: VideoFacts, limits: SourceLimits
) -> float:
    own = next(stream.get("duration") for stream in streams if int(stream["index"]) == video.index)
    texts = (own, (probe.get("format") or {}).get("duration"))
    durations = [seconds for seconds in (_positive(text) for text in texts) if seconds is not None]
    if not durations:
        raise MediaRejected("NO_DURATION", "the file does not say how long it is; it may be cut off, export it again")
    if durations[0] > limits.max_duration_s:
        hours = limits.max_duration_s / 3600
        raise MediaRejected("TOO_LONG", f"the film lasts {durations[0] / 3600:.1f} hours, at most {hours:g} are taken")
    if durations[0] < limits.min_duration_s:
        raise MediaRejected("TOO_SHORT", f"the film lasts {durations[0]:.2f} s, which is no film")
    return durations[0]


def _read_audio(stream: Mapping[str, Any]) -> AudioFacts:
    return AudioFacts(
        index=int(stream["index"]),
        codec=str(stream.get("codec_name")),
        channels=int(stream["channels"]),
        language=_language(stream),
        label=_label(stream),
        is_default=_disposition(stream, "default"),
    )


def _read_subtitle(stream: Mapping[str, Any]) -> SubtitleFacts:
    return SubtitleFacts(
        index=int(stream["index"]),
        codec=str(stream["codec_name"]),
        language=_language(stream),
        label=_label(stream),
        is_forced=_disposition(stream, "forced"),
    )


def _is_usable_audio(stream: Mapping[str, Any]) -> bool:
    return (
        stream.get("codec_type") == "audio"
        and str(stream.get("codec_name") or "unknown") not in {"unknown", "none"}
        and int(stream.get("channels") or 0) > 0
    )


def _is_text_subtitle(stream: Mapping[str, Any]) -> bool:
    return stream.get("codec_type") == "subtitle" and stream.get("codec_name") in TEXT_SUBTITLE_CODECS


def _disposition(stream: Mapping[str, Any], name: str) -> bool:
    return bool((stream.get("disposition") or {}).get(name))


def _language(stream: Mapping[str, Any]) -> str:
    return language_tag(str((stream.get("tags") or {}).get("language") or ""))


def _label(stream: Mapping[str, Any]) -> str:
    """The track's own name, made safe for manifests: it goes between quotation marks."""
    title = str((stream.get("tags") or {}).get("title") or "")
    return "".join(letter for letter in title if letter.isprintable() and letter not in '"\\,=')[:64].strip()


def _fraction(text: Any, separator: str) -> Fraction | None:
    """A positive fraction from "30000/1001" or "16:15"; None for anything else, "0/0" included."""
    numerator, found, denominator = str(text or "").partition(separator)
    if not found or not numerator.isdigit() or not denominator.isdigit() or not int(numerator) or not int(denominator):
        return None
    return Fraction(int(numerator), int(denominator))


def _positive(text: Any) -> float | None:
    try:
        seconds = float(text)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds < float("inf") else None
