"""Packages the encoded tracks, once per encryption, and replaces the packager's manifests by ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from media_pipeline.media.asset_layout import DASH_MANIFEST, HLS_MASTER, HLS_PLAYLIST
from media_pipeline.media.protection import ContentKey, Encryption, KeyClass
from media_pipeline.media.rendition import TextRendition
from media_pipeline.transcoding.encode import EncodedTracks
from media_pipeline.transcoding.packaging.check import check_package
from media_pipeline.transcoding.packaging.dash import write_mpd
from media_pipeline.transcoding.packaging.hls import write_master, write_media_playlist
from media_pipeline.transcoding.packaging.measured import MeasuredPackage, measure_package
from media_pipeline.transcoding.packaging.package_plan import packager_arguments, packager_secret_flags
from media_pipeline.transcoding.ports import AssetKeys, Packager

__all__ = ["PackageUnsound", "PackagedVersion", "package_versions"]

TIMEOUT_S = 120.0


class PackageUnsound(OSError):
    """What was packaged does not hold together; never published. An OSError: another attempt may do better."""


@dataclass(frozen=True, slots=True)
class PackagedVersion:
    """One version in its folder, checked."""

    encryption: Encryption
    folder: Path
    package: MeasuredPackage


async def package_versions(
    packager: Packager, keys: AssetKeys, tracks: EncodedTracks, folder: Path, *, asset_id: str, title_id: str
) -> tuple[PackagedVersion, ...]:
    """Both versions; raises EncoderFailed, ServiceError or PackageUnsound."""
    key_classes = {item.key_class for item in tracks.path_by_rendition if not isinstance(item, TextRendition)}
    content_keys = await keys.ensure(asset_id, title_id, key_classes)
    return (
        await _package(packager, tracks, folder, Encryption.CLEAR, []),
        await _package(packager, tracks, folder, Encryption.CLEARKEY, content_keys),
    )


async def _package(
    packager: Packager, tracks: EncodedTracks, folder: Path, encryption: Encryption, keys: list[ContentKey]
) -> PackagedVersion:
    version_folder = folder / "package" / encryption.value
    version_folder.mkdir(parents=True)
    timeline = tracks.plan.timeline
    await packager.run(
        packager_arguments(tracks.path_by_rendition, timeline, encryption),
        working_folder=version_folder,
        secret_flags=packager_secret_flags(keys),
        timeout_s=TIMEOUT_S + tracks.duration_s,
    )
    package = measure_package(version_folder, tracks.path_by_rendition)
    _write_manifests(version_folder, package, {key.key_class: key.key_id for key in keys}, float(timeline.segment_s))
    problems = check_package(version_folder, package)
    if problems:
        raise PackageUnsound(f"the {encryption.value} version is unsound: {'; '.join(problems[:5])}")
    return PackagedVersion(encryption, version_folder, package)


def _write_manifests(
    folder: Path, package: MeasuredPackage, key_ids: Mapping[KeyClass, bytes], segment_s: float
) -> None:
    (folder / HLS_MASTER).write_text(write_master(package))
    for measured in package.all:
        playlist_path = folder / measured.rendition.name / HLS_PLAYLIST
        playlist_path.write_text(write_media_playlist(measured, key_ids))
    mpd_path = folder / DASH_MANIFEST
    mpd_path.write_bytes(write_mpd(mpd_path.read_text(), package, segment_s))
