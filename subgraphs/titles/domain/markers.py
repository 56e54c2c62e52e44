"""What markers may say: which stretches there are, where they lie, and that those of one kind do not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from math import isfinite

from subgraphs.titles.domain.title import Marker, Title

__all__ = ["MAX_MARKERS", "MarkerKind", "marker_problems", "ordered_markers", "running_time_s"]

MAX_MARKERS = 50


class MarkerKind(StrEnum):
    """What a marked stretch is."""

    INTRO = "INTRO"
    RECAP = "RECAP"
    CREDITS = "CREDITS"
    PREVIEW = "PREVIEW"


def running_time_s(title: Title) -> float | None:
    """How long a title runs, in seconds: as its film was measured, else as a source said; None when nobody knows."""
    asset = title.media.asset
    return title.duration_seconds if asset is None else asset.duration_seconds


def ordered_markers(markers: Sequence[Marker]) -> tuple[Marker, ...]:
    """By start, then kind."""
    return tuple(sorted(markers, key=lambda marker: (marker.start_seconds, marker.kind)))


def marker_problems(markers: Sequence[Marker], running_s: float | None) -> dict[str, str]:
    """What is wrong, by the field path of the marker in `input.markers`; empty when nothing is."""
    if len(markers) > MAX_MARKERS:
        return {"input.markers": f"has {len(markers)} entries; give at most {MAX_MARKERS}"}
    problems: dict[str, str] = {}
    for place, marker in enumerate(markers):
        if not (isfinite(marker.start_seconds) and isfinite(marker.end_seconds)) or marker.start_seconds < 0:
            problems[f"input.markers.{place}"] = "needs times of 0 seconds or more"
        elif marker.end_seconds <= marker.start_seconds:
            problems[f"input.markers.{place}"] = f"ends at {marker.end_seconds:g} s, not after its start"
        elif running_s is not None and marker.end_seconds > running_s:
            problems[f"input.markers.{place}"] = f"ends at {marker.end_seconds:g} s; the title runs {running_s:g} s"
    in_order = sorted(enumerate(markers), key=lambda each: (each[1].kind, each[1].start_seconds))
    for (_, one), (place, other) in pairwise(in_order):
        if one.kind == other.kind and other.start_seconds < one.end_seconds:
            text = f"begins at {other.start_seconds:g} s, within the {one.kind} that ends at {one.end_seconds:g} s"
            problems.setdefault(f"input.markers.{place}", text)
    return problems
