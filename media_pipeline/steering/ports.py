"""What steering needs from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from media_pipeline.steering.pathway import HealthReport

__all__ = ["HealthStore"]


class HealthStore(Protocol):
    """Pathways' health, shared by all steering processes."""

    async def reports(self) -> Mapping[str, HealthReport]:
        """What was reported, by pathway id. Never raises: without the store, what was last read."""
        ...

    async def report(self, pathway_id: str, report: HealthReport) -> None:
        """Set one pathway's health; raises ServiceError UNAVAILABLE when the store is away."""
        ...
