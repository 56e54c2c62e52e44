"""What the packager is told, as pure functions: one run per encryption over the same encoded tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from media_pipeline.media.asset_layout import DASH_MANIFEST, HLS_MASTER, HLS_PLAYLIST
from media_pipeline.media.protection import ContentKey, Encryption
from media_pipeline.media.rendition import AudioRendition, Rendition, TextRendition, VideoRendition
from media_pipeline.media.timeline import Timeline

__all__ = ["AUDIO_GROUP", "TEXT_GROUP", "packager_arguments", "packager_secret_flags"]

AUDIO_GROUP = "audio"
TEXT_GROUP = "subtitles"
SEGMENT_NAME = "$Number%05d$"


def packager_arguments(
    encoded_by_rendition: Mapping[Rendition, Path], timeline: Timeline, encryption: Encryption
) -> list[str]:
    """The packager's arguments, keys excepted; it runs in the version's folder."""
    segment_s = f"{float(timeline.segment_s):.6f}"
    arguments = [
        stream for rendition, path in encoded_by_rendition.items() for stream in _stream_descriptors(rendition, path)
    ]
    arguments += [
        # whole groups of pictures per segment; one fragment per segment, which is what CMAF calls a chunkless segment
        *("--segment_duration", segment_s, "--fragment_duration", segment_s),
        *("--hls_master_playlist_output", HLS_MASTER, "--mpd_output", DASH_MANIFEST),
        # segments with a timeline, as a finished presentation
        "--generate_static_live_mpd",
    ]
    if encryption is Encryption.CLEARKEY:
        arguments += [
            "--enable_raw_key_encryption",
            # AES-CTR: the one scheme that Clear Key implementations must know
            *("--protection_scheme", "cenc"),
            # the common PSSH lists the key ids, from which a CDM builds its licence request
            *("--protection_systems", "Common"),
            # from the first frame on
            *("--clear_lead", "0"),
        ]
    return arguments


def packager_secret_flags(keys: Sequence[ContentKey]) -> str:
    """The contents of the private flag file: one key per class."""
    rows = [f"label={key.key_class}:key_id={key.key_id.hex()}:key={key.value.hex()}" for key in keys]
    return f"--keys={','.join(rows)}\n" if rows else ""


def _stream_descriptors(rendition: Rendition, path: Path) -> list[str]:
    match rendition:
        case VideoRendition():
            return [_descriptor(path, "video", rendition.name, {"drm_label": rendition.key_class.value})]
        case AudioRendition():
            fields = {"drm_label": rendition.key_class.value, "hls_group_id": AUDIO_GROUP}
            return [_descriptor(path, "audio", rendition.name, fields | _naming(rendition))]
        case TextRendition():
            return [
                # HLS players read WebVTT as plain segments, DASH players inside MP4
                ",".join(
                    [
                        f"in={path},stream=text,segment_template={rendition.name}/{SEGMENT_NAME}.vtt",
                        f"playlist_name={rendition.name}/{HLS_PLAYLIST},hls_group_id={TEXT_GROUP},hls_only=1",
                        *(f"{name}={value}" for name, value in _naming(rendition).items()),
                    ]
                ),
                _descriptor(
                    path,
                    "text",
                    f"{rendition.name}-mp4",
                    {"dash_only": "1", "skip_encryption": "1", "dash_roles": "subtitle"} | _naming(rendition),
                ),
            ]


def _naming(rendition: AudioRendition | TextRendition) -> dict[str, str]:
    naming = {"hls_name": rendition.label.replace(",", " "), "dash_label": rendition.label.replace(",", " ")}
    return naming if rendition.language == "und" else naming | {"language": rendition.language}


def _descriptor(path: Path, kind: str, folder: str, fields: Mapping[str, str]) -> str:
    parts = [
        f"in={path},stream={kind},init_segment={folder}/init.mp4,segment_template={folder}/{SEGMENT_NAME}.m4s",
        f"playlist_name={folder}/{HLS_PLAYLIST}",
        *(f"{name}={value}" for name, value in fields.items()),
    ]
    return ",".join(parts)
