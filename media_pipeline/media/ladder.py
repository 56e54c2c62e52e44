"""The ladder as data: which qualities exist, how large and how fast they may be."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LADDER", "MIN_RATE_STEP", "Rung"]


@dataclass(frozen=True, slots=True)
class Rung:
    """One quality. The picture fits into a 16:9 box of `lines` rows; `max_video_bps` bounds its rate."""

    lines: int
    max_video_bps: int

    @property
    def box_width_px(self) -> int:
        """Width of the 16:9 box, even."""
        return round(self.lines * 16 / 9 / 2) * 2


LADDER: tuple[Rung, ...] = (
    Rung(2160, 12_000_000),
    Rung(1080, 5_000_000),
    Rung(720, 2_500_000),
    Rung(480, 1_000_000),
    Rung(360, 700_000),
    Rung(240, 400_000),
)
"""Largest first. The 2160 rung's rate is meant for HEVC; with H.264 it is the quality that gives way."""

MIN_RATE_STEP = 1.5
"""Two rungs nearer than this ratio of rates cost storage and encoding time and give a player no useful choice."""
