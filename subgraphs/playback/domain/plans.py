"""What a plan allows on how many screens: a table, so that plans change without code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["LIMITS_BY_PLAN", "PlanLimits", "max_download_devices", "max_streams"]


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """Devices that may stream at once, and devices that may hold downloads."""

    streams: int
    download_devices: int


LIMITS_BY_PLAN: Mapping[str, PlanLimits] = {
    "BASIC": PlanLimits(streams=1, download_devices=1),
    "STANDARD": PlanLimits(streams=2, download_devices=2),
    "PREMIUM": PlanLimits(streams=4, download_devices=4),
}


def max_streams(plan: str | None) -> int:
    """Streams at once; an unknown plan gets the smallest number, as does none."""
    return _limits(plan).streams


def max_download_devices(plan: str | None) -> int:
    """Devices with downloads; an unknown plan gets the smallest number, as does none."""
    return _limits(plan).download_devices


def _limits(plan: str | None) -> PlanLimits:
    smallest = min(LIMITS_BY_PLAN.values(), key=lambda limits: limits.streams)
    return LIMITS_BY_PLAN.get(plan or "", smallest)
