"""WebVTT that tells a player which part of which sprite shows which five seconds."""

from __future__ import annotations

from media_pipeline.transcoding.encode import EncodedTracks
from media_pipeline.transcoding.plan_encode import (
    SPRITE_COLUMNS,
    SPRITE_ROWS,
    THUMBNAIL_INTERVAL_S,
    THUMBNAIL_WIDTH_PX,
)

__all__ = ["write_thumbnails"]


def write_thumbnails(tracks: EncodedTracks, duration_s: float) -> str:
    """The file for a film of this length; sprite addresses are relative to it."""
    lowest = tracks.plan.video[0]
    height_px = round(THUMBNAIL_WIDTH_PX * lowest.height_px / lowest.width_px / 2) * 2
    per_sprite = SPRITE_COLUMNS * SPRITE_ROWS
    blocks = ["WEBVTT"]
    start_s = 0.0
    while start_s < duration_s:
        number = int(start_s // THUMBNAIL_INTERVAL_S)
        sprite_number, place = divmod(number, per_sprite)
        if sprite_number >= len(tracks.sprites):
            break
        row, column = divmod(place, SPRITE_COLUMNS)
        end_s = min(start_s + THUMBNAIL_INTERVAL_S, duration_s)
        area = f"{column * THUMBNAIL_WIDTH_PX},{row * height_px},{THUMBNAIL_WIDTH_PX},{height_px}"
        sprite = tracks.sprites[sprite_number].name
        blocks.append(f"{_timestamp(start_s)} --> {_timestamp(end_s)}\n{sprite}#xywh={area}")
        start_s += THUMBNAIL_INTERVAL_S
    return "\n\n".join(blocks) + "\n"


def _timestamp(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"
