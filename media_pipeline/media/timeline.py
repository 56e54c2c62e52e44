"""Frames, groups of pictures and segments of one film, as exact numbers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

__all__ = ["GOPS_PER_SEGMENT", "GOP_TARGET_S", "Timeline"]

GOP_TARGET_S = 2
GOPS_PER_SEGMENT = 2


@dataclass(frozen=True, slots=True)
class Timeline:
    """A constant frame rate cut into closed groups of pictures.

    Groups are counted in frames, so that all rungs have their keyframes at the same frames also at 30000/1001 fps,
    where two seconds are no whole number of frames.
    """

    frame_rate: Fraction

    @property
    def gop_frames(self) -> int:
        """Frames per group of pictures: two seconds, at least one frame."""
        return max(1, round(self.frame_rate * GOP_TARGET_S))

    @property
    def segment_s(self) -> Fraction:
        """Seconds per segment: exactly two groups of pictures."""
        return Fraction(self.gop_frames * GOPS_PER_SEGMENT) / self.frame_rate
