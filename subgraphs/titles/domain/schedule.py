"""From what a clock on the wall shows somewhere to an instant, for the edges of availability windows.

A wall clock is put forward and back. An hour that it skips never happens, and one that it shows twice happens at two
instants. Both are decided against the longer window, as availability is denied by default: what opens in a skipped
hour opens when the clock goes on, and what closes in it closes when the clock stops; of an hour shown twice, the second
opens and the first closes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from subgraphs.kernel.policy import EVERYWHERE, Window

__all__ = ["Edge", "read_country", "read_edge", "window_problem"]

EARLIEST_YEAR, LATEST_YEAR = 1990, 2200


class Edge(StrEnum):
    """Which end of a window an instant is."""

    OPENING = "OPENING"
    CLOSING = "CLOSING"


def read_edge(text: str, zone: str | None, edge: Edge) -> datetime:
    """The instant, in UTC, of `2026-03-29T02:30` in an IANA zone, or of a time with an offset and no zone.

    Raises ValueError that says what is wrong and what to send.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"is {text[:40]!r}; send a time as 2026-03-29T21:00 with a zone, or with an offset") from None
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise ValueError(f"is in the year {moment.year}; windows lie in {EARLIEST_YEAR} to {LATEST_YEAR}")
    if moment.tzinfo is not None:
        if zone is not None:
            raise ValueError(f"has an offset in {text[:40]!r} and the zone {zone[:40]!r}; send one of them")
        return moment.astimezone(UTC)
    if zone is None:
        raise ValueError(f"is {text[:40]!r}, which no zone belongs to; send a zone as Europe/Berlin, or an offset")
    return _of_wall_clock(moment, _zone(zone), edge)


def read_country(text: str) -> str:
    """An ISO 3166 code or EVERYWHERE; raises ValueError."""
    if text == EVERYWHERE or (len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()):
        return text
    raise ValueError(f"is {text[:20]!r}; send two capital letters as US, or {EVERYWHERE} for every country")


def window_problem(window: Window) -> str | None:
    """Why a window can't be: it closes before it opens, or as it opens."""
    if window.opens_at is None or window.closes_at is None or window.opens_at < window.closes_at:
        return None
    return f"closes at {window.closes_at.isoformat()}, not after it opens at {window.opens_at.isoformat()}"


def _of_wall_clock(moment: datetime, zone: ZoneInfo, edge: Edge) -> datetime:
    first = moment.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = moment.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first > second:
        # Skipped: with the offset of before the instant lies behind the jump, with the one of after before it.
        return _jump(second, first, zone)
    return second if edge is Edge.OPENING else first


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant between the two at which the zone's offset changes, to the second."""
    old_offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == old_offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"has the zone {name[:40]!r}, which is not known; send an IANA name as Europe/Berlin"
        ) from None
