"""What is known when a decision is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from media_pipeline.steering.pathway import PathwayHealth

__all__ = ["SteeringSignals"]


@dataclass(frozen=True, slots=True)
class SteeringSignals:
    """One session's situation.

    `health_by_id` lacks pathways that nobody reported on: those count as healthy. `throughput_bps_by_id` holds the
    pathways that the player uses now, with the rate it measured, or None where it does not know; empty at the start.
    """

    session_id: str
    region: str | None = None
    health_by_id: Mapping[str, PathwayHealth] = field(default_factory=dict)
    throughput_bps_by_id: Mapping[str, int | None] = field(default_factory=dict)
