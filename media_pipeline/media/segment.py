"""Media segments as they were written, and the rates that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

__all__ = ["Segment", "average_bps", "peak_bps"]

MIN_RATED_SHARE = 0.5
"""A last segment shorter than this share of the longest is no measure of a rate that anybody must sustain; RFC 8216
counts segments between 0.5 and 1.5 of the target duration."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of one rendition. `uri` is relative to the rendition's playlist."""

    uri: str
    duration_s: float
    size_bytes: int


def peak_bps(segments: Sequence[Segment]) -> int:
    """The largest bit rate of any segment, rounded up; 0 without segments.

    Segments shorter than half the longest are left out, as RFC 8216 §4.1 does, unless there are no others.
    """
    longest_s = max((segment.duration_s for segment in segments), default=0.0)
    if longest_s <= 0:
        return 0
    rated = [segment for segment in segments if segment.duration_s >= longest_s * MIN_RATED_SHARE]
    return max(ceil(segment.size_bytes * 8 / segment.duration_s) for segment in rated)


def average_bps(segments: Sequence[Segment]) -> int:
    """All bits over all time, rounded up; 0 without segments."""
    total_s = sum(segment.duration_s for segment in segments)
    return ceil(sum(segment.size_bytes for segment in segments) * 8 / total_s) if total_s > 0 else 0
