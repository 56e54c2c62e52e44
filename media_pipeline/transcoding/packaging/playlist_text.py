"""HLS playlists as lines: attribute lists and segments. Only what our packager writes is understood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["MediaPlaylist", "PlaylistSegment", "read_attributes", "read_media_playlist", "write_attributes"]

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')


@dataclass(frozen=True, slots=True)
class PlaylistSegment:
    """One segment as its playlist names it."""

    uri: str
    duration_s: float
    duration_text: str


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """One rendition's playlist. `init_uri` is None for WebVTT."""

    init_uri: str | None
    segments: tuple[PlaylistSegment, ...]


def read_attributes(line: str) -> dict[str, str]:
    """The attribute list after the tag's colon; quotation marks are kept, as they are part of the type."""
    return dict(_ATTRIBUTE.findall(line.partition(":")[2]))


def write_attributes(tag: str, attributes: Mapping[str, str]) -> str:
    """A tag line in the mapping's order."""
    return f"{tag}:{','.join(f'{name}={value}' for name, value in attributes.items())}"


def read_media_playlist(text: str) -> MediaPlaylist:
    """Segments in order; raises ValueError when a segment has no duration."""
    init_uri: str | None = None
    duration_text: str | None = None
    segments: list[PlaylistSegment] = []
    for line in text.splitlines():
        if line.startswith("#EXT-X-MAP:"):
            init_uri = read_attributes(line)["URI"].strip('"')
        elif line.startswith("#EXTINF:"):
            duration_text = line.removeprefix("#EXTINF:").partition(",")[0]
        elif line and not line.startswith("#"):
            if duration_text is None:
                raise ValueError(f"segment {line} has no EXTINF before it")
            segments.append(PlaylistSegment(line, float(duration_text), duration_text))
            duration_text = None
    return MediaPlaylist(init_uri, tuple(segments))
