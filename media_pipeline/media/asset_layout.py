"""Where an asset's objects lie, below the object store's root and below a media URL alike.

assets/<asset id>/<clear|clearkey>/master.m3u8, manifest.mpd
assets/<asset id>/<clear|clearkey>/<rendition>/playlist.m3u8, init.mp4, 00001.m4s …
assets/<asset id>/poster.jpg, thumbnails/…
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from media_pipeline.media.protection import Encryption

__all__ = [
    "DASH_MANIFEST",
    "HLS_MASTER",
    "HLS_PLAYLIST",
    "AssetLayout",
    "rendition_lines",
]

HLS_MASTER = "master.m3u8"
HLS_PLAYLIST = "playlist.m3u8"
DASH_MANIFEST = "manifest.mpd"

_VIDEO_FOLDER = re.compile(r"^video-(\d{1,5})$")


@dataclass(frozen=True, slots=True)
class AssetLayout:
    """The object paths of one asset."""

    asset_id: str

    @property
    def root(self) -> str:
        """Prefix of everything, without a slash at the end."""
        return f"assets/{self.asset_id}"

    @property
    def poster(self) -> str:
        """A frame of the film as JPEG."""
        return f"{self.root}/poster.jpg"

    @property
    def thumbnails(self) -> str:
        """WebVTT that points into the sprites beside it."""
        return f"{self.root}/thumbnails/thumbnails.vtt"

    def variant(self, encryption: Encryption) -> str:
        """Folder of one packaged version."""
        return f"{self.root}/{encryption.value}"

    def hls(self, encryption: Encryption) -> str:
        """The multivariant playlist of one version."""
        return f"{self.variant(encryption)}/{HLS_MASTER}"

    def dash(self, encryption: Encryption) -> str:
        """The MPD of one version."""
        return f"{self.variant(encryption)}/{DASH_MANIFEST}"


def rendition_lines(object_path: str) -> int:
    """Which rung an object belongs to, from its folder; 0 for anything but video."""
    for element in object_path.split("/"):
        if match := _VIDEO_FOLDER.match(element):
            return int(match.group(1))
    return 0
