"""Delivery pathways and their health."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

__all__ = ["HealthReport", "Pathway", "PathwayHealth"]


class PathwayHealth(IntEnum):
    """How well a pathway serves; smaller is better, so that it sorts."""

    HEALTHY = 1
    DEGRADED = 2
    DOWN = 3


@dataclass(frozen=True, slots=True)
class Pathway:
    """One route. `regions` empty: it serves everywhere. Among equals it gets sessions in proportion to `weight`."""

    id: str
    base_url: str
    regions: frozenset[str] = frozenset()
    weight: int = 1


@dataclass(frozen=True, slots=True)
class HealthReport:
    """A pathway's health and since when."""

    health: PathwayHealth
    changed_at: datetime
