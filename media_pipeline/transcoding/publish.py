"""Puts a packaged asset where viewers find it: segments first, manifests last, so that none names what is missing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_pipeline.media.asset_layout import DASH_MANIFEST, HLS_MASTER, AssetLayout
from media_pipeline.transcoding.domain import Job, PublishedVariant
from media_pipeline.transcoding.encode import EncodedTracks
from media_pipeline.transcoding.package import PackagedVersion
from media_pipeline.transcoding.packaging.thumbnails import write_thumbnails
from media_pipeline.transcoding.ports import ObjectAccess

__all__ = ["PublishedAsset", "published_event_data", "store_asset"]

UPLOAD_BATCH = 64


@dataclass(frozen=True, slots=True)
class PublishedAsset:
    """An asset with everything that belongs to it."""

    layout: AssetLayout
    tracks: EncodedTracks
    versions: tuple[PackagedVersion, ...]

    @property
    def duration_s(self) -> float:
        """Length of the picture as it was packaged."""
        return self.versions[0].package.video[0].duration_s

    @property
    def variants(self) -> tuple[PublishedVariant, ...]:
        """Manifests by version."""
        return tuple(
            PublishedVariant(
                version.encryption, self.layout.hls(version.encryption), self.layout.dash(version.encryption)
            )
            for version in self.versions
        )


async def store_asset(
    objects: ObjectAccess, asset: PublishedAsset, folder: Path, report: Callable[[float], Awaitable[None]]
) -> None:
    """Store all objects; `report` gets 0 to 1. Raises what the store raises."""
    await _store_pictures(objects, asset, folder)
    total = sum(len(_object_names(version.folder)) for version in asset.versions)
    done = 0
    for version in asset.versions:
        prefix = asset.layout.variant(version.encryption)
        names = _object_names(version.folder)
        for start in range(0, len(names), UPLOAD_BATCH):
            await objects.upload(version.folder, prefix, names[start : start + UPLOAD_BATCH])
            done += len(names[start : start + UPLOAD_BATCH])
            await report(done / total)
    for version in asset.versions:
        await objects.upload(version.folder, asset.layout.variant(version.encryption), [DASH_MANIFEST, HLS_MASTER])


def published_event_data(job: Job, asset: PublishedAsset) -> dict[str, Any]:
    """The data of `asset.published`; paths are object paths, `heightPx` is the rung's name in lines."""
    clear = asset.versions[0].package
    return {
        "titleId": job.title_id,
        "assetId": job.asset_id,
        "uploadId": job.upload_id,
        "variants": {
            variant.encryption.value: {"hls": variant.hls_path, "dash": variant.dash_path} for variant in asset.variants
        },
        "durationSeconds": round(asset.duration_s, 3),
        "maxHeightPx": max(rendition.lines for rendition in asset.tracks.video),
        "renditions": [
            {"heightPx": rendition.lines, "bitrateBps": measured.peak_bps}
            for rendition, measured in zip(asset.tracks.video, clear.video, strict=True)
        ],
        "posterFrameObject": asset.layout.poster,
        "thumbnailsObject": asset.layout.thumbnails,
        "audioLanguages": [rendition.language for rendition in asset.tracks.audio],
        "subtitleLanguages": [rendition.language for rendition in asset.tracks.text],
    }


async def _store_pictures(objects: ObjectAccess, asset: PublishedAsset, folder: Path) -> None:
    await objects.upload(folder, asset.layout.root, [asset.tracks.poster.name])
    names = [sprite.name for sprite in asset.tracks.sprites]
    thumbnails_path = folder / Path(asset.layout.thumbnails).name
    thumbnails_path.write_text(write_thumbnails(asset.tracks, asset.duration_s))
    prefix = str(Path(asset.layout.thumbnails).parent)
    await objects.upload(folder, prefix, [*names, thumbnails_path.name])


def _object_names(folder: Path) -> list[str]:
    """Everything but the two manifests, in a stable order."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return [name for name in names if name not in {DASH_MANIFEST, HLS_MASTER}]
