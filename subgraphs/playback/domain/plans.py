"""How many screens a plan may use at once: a table, so that plans change without code."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["MAX_STREAMS_BY_PLAN", "max_streams"]

MAX_STREAMS_BY_PLAN: Mapping[str, int] = {"BASIC": 1, "STANDARD": 2, "PREMIUM": 4}


def max_streams(plan: str | None) -> int:
    """Streams at once; an unknown plan gets the smallest number, as does none."""
    return MAX_STREAMS_BY_PLAN.get(plan or "", min(MAX_STREAMS_BY_PLAN.values()))
