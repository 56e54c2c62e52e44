"""Time as a parameter: code that asks what time it is takes a Clock, so that tests can turn it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "FakeClock", "SystemClock"]


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        return datetime.now(UTC)


class FakeClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError(f"a clock needs an aware instant, got {at.isoformat()} without a time zone")
        self._at = at

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        return self._at.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move forward (or back, for a clock that was set)."""
        self._at += by
