"""One encoded version of one track, as a plan (before) and as a measured fact (after packaging)."""

from __future__ import annotations

from dataclasses import dataclass

from media_pipeline.media.protection import KeyClass, key_class_of_lines

__all__ = ["AudioRendition", "Rendition", "TextRendition", "VideoRendition"]


@dataclass(frozen=True, slots=True)
class VideoRendition:
    """A rung of this film. `lines` names the rung (and its limits); the picture itself is width_px by height_px."""

    lines: int
    width_px: int
    height_px: int
    max_video_bps: int

    @property
    def name(self) -> str:
        """Folder of its segments."""
        return f"video-{self.lines}"

    @property
    def key_class(self) -> KeyClass:
        """Which content key protects it."""
        return key_class_of_lines(self.lines)


@dataclass(frozen=True, slots=True)
class AudioRendition:
    """One sound track. `source_index` counts the source's sound tracks from 0; `language` is a BCP 47 tag or "und"."""

    source_index: int
    language: str
    channels: int
    audio_bps: int
    label: str
    is_default: bool = False

    @property
    def name(self) -> str:
        """Folder of its segments."""
        return f"audio-{self.source_index}"

    @property
    def key_class(self) -> KeyClass:
        """Which content key protects it."""
        return KeyClass.AUDIO


@dataclass(frozen=True, slots=True)
class TextRendition:
    """One subtitle track as WebVTT, never encrypted. `source_index` counts the source's subtitle tracks from 0."""

    source_index: int
    language: str
    label: str
    is_forced: bool = False

    @property
    def name(self) -> str:
        """Folder of its segments."""
        return f"text-{self.source_index}"


Rendition = VideoRendition | AudioRendition | TextRendition
