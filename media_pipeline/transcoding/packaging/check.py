"""Proof before publication: everything the manifests name is there, and the tracks belong together."""

from __future__ import annotations

from pathlib import Path

from media_pipeline.transcoding.packaging.measured import MeasuredPackage, MeasuredRendition

__all__ = ["check_package"]

MAX_RUNG_DIFFERENCE_S = 0.001


def check_package(folder: Path, package: MeasuredPackage) -> list[str]:
    """Problems, one sentence each; empty when the package may be published."""
    problems: list[str] = []
    if not package.video:
        problems.append("no video rendition was packaged")
    for measured in package.all:
        name = measured.rendition.name
        if not measured.segments:
            problems.append(f"{name} has no segments")
        empty = [segment.uri for segment in measured.segments if segment.size_bytes == 0]
        problems += [f"{name}/{uri} is empty" for uri in empty]
        if measured.playlist.init_uri is not None and not (folder / name / measured.playlist.init_uri).exists():
            problems.append(f"{name} has no init segment")
    for measured in package.video:
        if not measured.codecs:
            problems.append(f"{measured.rendition.name} has no codec string")
        problems += _boundary_problems(package.video[0], measured)
    return problems


def _boundary_problems(reference: MeasuredRendition, measured: MeasuredRendition) -> list[str]:
    """A player that switches rungs at a segment boundary must find the same boundary in the other one."""
    name = measured.rendition.name
    if len(measured.segments) != len(reference.segments):
        return [f"{name} has {len(measured.segments)} segments, {reference.rendition.name} {len(reference.segments)}"]
    return [
        f"{name}/{segment.uri} lasts {segment.duration_s} s, in {reference.rendition.name} {other.duration_s} s"
        for segment, other in zip(measured.segments, reference.segments, strict=True)
        if abs(segment.duration_s - other.duration_s) > MAX_RUNG_DIFFERENCE_S
    ]
