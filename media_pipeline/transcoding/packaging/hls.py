"""HLS playlists (RFC 8216bis) from a measured package. Pure: text in, text out.

The packager's own are replaced because ours carry measured rates, a sensible order, default renditions and Clear Key's
key tags. Rules held: BANDWIDTH is the largest playable combination's peak, sound and subtitles included;
TARGETDURATION is the largest rounded EXTINF; variants share groups.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from media_pipeline.media.asset_layout import HLS_PLAYLIST
from media_pipeline.media.protection import KeyClass
from media_pipeline.media.rendition import AudioRendition, TextRendition, VideoRendition
from media_pipeline.transcoding.packaging.measured import MeasuredPackage, MeasuredRendition
from media_pipeline.transcoding.packaging.package_plan import AUDIO_GROUP, TEXT_GROUP
from media_pipeline.transcoding.packaging.playlist_text import write_attributes

__all__ = ["write_master", "write_media_playlist"]

VERSION_OF_MASTER = 6
VERSION_OF_MEDIA = 6
"""6 is what EXT-X-MAP in a playlist with ordinary segments asks for."""
FIRST_VARIANT_LINES = 480
"""Native players begin with the first variant listed: the largest that almost any line carries."""
CLEAR_KEY_FORMAT = "org.w3.clearkey"


def write_master(package: MeasuredPackage) -> str:
    """The multivariant playlist, addresses relative to it."""
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION_OF_MASTER}", "#EXT-X-INDEPENDENT-SEGMENTS", ""]
    lines += [_audio_line(measured) for measured in package.audio]
    lines += [_text_line(measured) for measured in package.text]
    lines += [""] if package.audio or package.text else []
    for measured in _in_listed_order(package.video):
        lines += [_stream_line(package, measured), f"{measured.rendition.name}/{HLS_PLAYLIST}"]
    return "\n".join(lines) + "\n"


def write_media_playlist(measured: MeasuredRendition, key_ids: Mapping[KeyClass, bytes]) -> str:
    """One rendition's playlist; `key_ids` is empty for the clear version."""
    playlist = measured.playlist
    target_s = max(int(segment.duration_s + 0.5) for segment in playlist.segments)
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION_OF_MEDIA}",
        f"#EXT-X-TARGETDURATION:{max(1, target_s)}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]
    if not isinstance(measured.rendition, TextRendition):
        lines += ["#EXT-X-INDEPENDENT-SEGMENTS"] if isinstance(measured.rendition, VideoRendition) else []
        key_id = key_ids.get(measured.rendition.key_class)
        lines += [_key_line(key_id)] if key_id is not None else []
    if playlist.init_uri is not None:
        lines.append(f'#EXT-X-MAP:URI="{playlist.init_uri}"')
    for segment in playlist.segments:
        lines += [f"#EXTINF:{segment.duration_text},", segment.uri]
    return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"


def _key_line(key_id: bytes) -> str:
    """The key tag. Clear Key has no registered form in HLS: its key format is the key system's name."""
    return write_attributes(
        "#EXT-X-KEY",
        {
            "METHOD": "SAMPLE-AES-CTR",
            "URI": f'"data:text/plain;base64,{base64.b64encode(key_id).decode()}"',
            "KEYID": f"0x{key_id.hex().upper()}",
            "KEYFORMAT": f'"{CLEAR_KEY_FORMAT}"',
            "KEYFORMATVERSIONS": '"1"',
        },
    )


def _in_listed_order(video: tuple[MeasuredRendition, ...]) -> list[MeasuredRendition]:
    descending = list(reversed(video))
    first = next((item for item in descending if _video(item).lines <= FIRST_VARIANT_LINES), descending[-1])
    return [first, *(item for item in descending if item is not first)]


def _stream_line(package: MeasuredPackage, measured: MeasuredRendition) -> str:
    rendition = _video(measured)
    beside = (package.audio, package.text)
    peak_bps = measured.peak_bps + sum(max((item.peak_bps for item in group), default=0) for group in beside)
    mean_bps = measured.average_bps + sum(max((item.average_bps for item in group), default=0) for group in beside)
    attributes = {
        "BANDWIDTH": str(peak_bps),
        "AVERAGE-BANDWIDTH": str(mean_bps),
        "CODECS": f'"{measured.codecs}"',
        "RESOLUTION": f"{rendition.width_px}x{rendition.height_px}",
        "FRAME-RATE": measured.frame_rate,
    }
    if package.audio:
        attributes["AUDIO"] = f'"{AUDIO_GROUP}"'
    if package.text:
        attributes["SUBTITLES"] = f'"{TEXT_GROUP}"'
    return write_attributes("#EXT-X-STREAM-INF", attributes | {"CLOSED-CAPTIONS": "NONE"})


def _audio_line(measured: MeasuredRendition) -> str:
    rendition = measured.rendition
    assert isinstance(rendition, AudioRendition)
    attributes = {"TYPE": "AUDIO", "GROUP-ID": f'"{AUDIO_GROUP}"', "NAME": f'"{rendition.label}"'}
    if rendition.language != "und":
        attributes["LANGUAGE"] = f'"{rendition.language}"'
    attributes |= {
        "DEFAULT": "YES" if rendition.is_default else "NO",
        "AUTOSELECT": "YES",
        "CHANNELS": f'"{rendition.channels}"',
        "URI": f'"{rendition.name}/{HLS_PLAYLIST}"',
    }
    return write_attributes("#EXT-X-MEDIA", attributes)


def _text_line(measured: MeasuredRendition) -> str:
    rendition = measured.rendition
    assert isinstance(rendition, TextRendition)
    attributes = {"TYPE": "SUBTITLES", "GROUP-ID": f'"{TEXT_GROUP}"', "NAME": f'"{rendition.label}"'}
    if rendition.language != "und":
        attributes["LANGUAGE"] = f'"{rendition.language}"'
    attributes |= {
        "DEFAULT": "NO",
        "AUTOSELECT": "YES",
        "FORCED": "YES" if rendition.is_forced else "NO",
        "URI": f'"{rendition.name}/{HLS_PLAYLIST}"',
    }
    return write_attributes("#EXT-X-MEDIA", attributes)


def _video(measured: MeasuredRendition) -> VideoRendition:
    assert isinstance(measured.rendition, VideoRendition)
    return measured.rendition
