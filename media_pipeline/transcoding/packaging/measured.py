"""A packaged version as it lies on disk: which segments there are, how long and how large."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from media_pipeline.media.asset_layout import HLS_MASTER, HLS_PLAYLIST
from media_pipeline.media.rendition import AudioRendition, Rendition, TextRendition, VideoRendition
from media_pipeline.media.segment import Segment, average_bps, peak_bps
from media_pipeline.transcoding.packaging.playlist_text import MediaPlaylist, read_attributes, read_media_playlist

__all__ = ["MeasuredPackage", "MeasuredRendition", "measure_package"]


@dataclass(frozen=True, slots=True)
class MeasuredRendition:
    """One rendition with what was measured of it. `codecs` is the packager's reading of the track (RFC 6381)."""

    rendition: Rendition
    playlist: MediaPlaylist
    segments: tuple[Segment, ...]
    codecs: str = ""
    frame_rate: str = ""

    @property
    def peak_bps(self) -> int:
        """Largest rate of any segment."""
        return peak_bps(self.segments)

    @property
    def average_bps(self) -> int:
        """Rate over the whole film."""
        return average_bps(self.segments)

    @property
    def duration_s(self) -> float:
        """Sum of its segments."""
        return sum(segment.duration_s for segment in self.segments)


@dataclass(frozen=True, slots=True)
class MeasuredPackage:
    """One version. Each tuple keeps the plan's order (video from the lowest rung up)."""

    video: tuple[MeasuredRendition, ...]
    audio: tuple[MeasuredRendition, ...]
    text: tuple[MeasuredRendition, ...]

    @property
    def all(self) -> tuple[MeasuredRendition, ...]:
        """Every rendition."""
        return (*self.video, *self.audio, *self.text)


def measure_package(folder: Path, renditions: Iterable[Rendition]) -> MeasuredPackage:
    """Read the packager's playlists and the sizes of the segments they name; raises FileNotFoundError or ValueError."""
    stream_attributes = _stream_attributes(folder / HLS_MASTER)
    measured = [_measure(folder, rendition, stream_attributes) for rendition in renditions]
    return MeasuredPackage(
        video=tuple(item for item in measured if isinstance(item.rendition, VideoRendition)),
        audio=tuple(item for item in measured if isinstance(item.rendition, AudioRendition)),
        text=tuple(item for item in measured if isinstance(item.rendition, TextRendition)),
    )


def _measure(folder: Path, rendition: Rendition, stream_attributes: dict[str, dict[str, str]]) -> MeasuredRendition:
    rendition_folder = folder / rendition.name
    playlist = read_media_playlist((rendition_folder / HLS_PLAYLIST).read_text())
    segments = tuple(
        Segment(segment.uri, segment.duration_s, (rendition_folder / segment.uri).stat().st_size)
        for segment in playlist.segments
    )
    attributes = stream_attributes.get(f"{rendition.name}/{HLS_PLAYLIST}", {})
    return MeasuredRendition(
        rendition, playlist, segments, attributes.get("CODECS", "").strip('"'), attributes.get("FRAME-RATE", "")
    )


def _stream_attributes(master: Path) -> dict[str, dict[str, str]]:
    """STREAM-INF attributes by the playlist that they describe."""
    attributes_by_uri: dict[str, dict[str, str]] = {}
    attributes: dict[str, str] | None = None
    for line in master.read_text().splitlines():
        if line.startswith("#EXT-X-STREAM-INF:"):
            attributes = read_attributes(line)
        elif line and not line.startswith("#") and attributes is not None:
            attributes_by_uri[line] = attributes
            attributes = None
    return attributes_by_uri
