"""Instants as stores keep them: whole microseconds since 1970, so that they compare and sort as numbers everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["from_micros", "optional_instant", "optional_micros", "to_micros"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """Whole microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The instant, aware, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def optional_micros(instant: datetime | None) -> int | None:
    """As to_micros; None stays None."""
    return None if instant is None else to_micros(instant)


def optional_instant(micros: int | None) -> datetime | None:
    """As from_micros; None stays None."""
    return None if micros is None else from_micros(micros)
