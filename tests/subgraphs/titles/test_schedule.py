"""Wall clocks of zones as instants: hours that a clock skips, hours that it shows twice, and what is no time at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.kernel.policy import Window
from subgraphs.titles.domain.schedule import Edge, read_country, read_edge, window_problem

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "UTC",
)


@pytest.mark.parametrize(
    ("zone", "wall", "opening", "closing"),
    [
        # Plain.
        ("Europe/Berlin", "2026-11-20T00:00", "2026-11-19T23:00", "2026-11-19T23:00"),
        ("Asia/Kathmandu", "2026-11-20T06:00", "2026-11-20T00:15", "2026-11-20T00:15"),
        # The clock goes from 02:00 to 03:00: 02:30 is never shown, the jump is at 01:00 UTC.
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("America/New_York", "2026-03-08T02:00", "2026-03-08T07:00", "2026-03-08T07:00"),
        # Half an hour in Lord Howe.
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30", "2026-10-03T15:30"),
        # A whole day that Samoa left out.
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00", "2011-12-30T10:00"),
        # 02:30 is shown twice, an hour apart.
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T01:30", "2026-10-25T00:30"),
        ("America/New_York", "2026-11-01T01:00", "2026-11-01T06:00", "2026-11-01T05:00"),
    ],
)
def test_reads_a_wall_clock(zone: str, wall: str, opening: str, closing: str) -> None:
    """An opening is the later reading, a closing the earlier one; a skipped time is the instant of the jump."""
    assert read_edge(wall, zone, Edge.OPENING) == datetime.fromisoformat(opening).replace(tzinfo=UTC)
    assert read_edge(wall, zone, Edge.CLOSING) == datetime.fromisoformat(closing).replace(tzinfo=UTC)


@given(
    zone=st.sampled_from(ZONES),
    wall=st.integers(0, 27 * 365 * 24 * 3600).map(
        lambda seconds: datetime(2010, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(seconds=seconds)
    ),
)
def test_is_what_looking_at_the_clock_all_day_finds(zone: str, wall: datetime) -> None:
    """The last instant at which the clock shows the time opens, the first closes; else when it passes the time."""
    name = ZoneInfo(zone)
    # Offsets are whole minutes: what shows the wall's time is the wall minus one of those in force around it.
    around = [wall.replace(tzinfo=UTC) + timedelta(hours=hours) for hours in range(-30, 31)]
    offsets = {at.astimezone(name).utcoffset() for at in around}
    shown = sorted(
        at
        for offset in offsets
        if offset is not None
        and (at := (wall - offset).replace(tzinfo=UTC)).astimezone(name).replace(tzinfo=None) == wall
    )
    opening, closing = (read_edge(wall.isoformat(), zone, edge) for edge in Edge)
    if shown:
        assert (shown[-1], shown[0]) == (opening, closing)
    else:
        assert opening == closing
        assert (opening - timedelta(seconds=1)).astimezone(name).replace(tzinfo=None) < wall
        assert opening.astimezone(name).replace(tzinfo=None) > wall


def test_takes_an_offset_instead_of_a_zone() -> None:
    """An instant that needs no zone."""
    assert read_edge("2026-11-20T21:00+05:30", None, Edge.OPENING) == datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
    assert read_edge("2026-11-20T21:00Z", None, Edge.CLOSING) == datetime(2026, 11, 20, 21, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("tomorrow", "UTC", "send a time as"),
        ("2026-11-20T21:00", None, "which no zone belongs to"),
        ("2026-11-20T21:00+01:00", "Europe/Berlin", "send one of them"),
        ("2026-11-20T21:00", "Mars/Olympus", "has the zone 'Mars/Olympus', which is not known"),
        ("2026-11-20T21:00", "../../etc/passwd", "which is not known"),
        ("1203-11-20T21:00", "UTC", "in the year 1203"),
    ],
)
def test_refuses_what_is_no_time(text: str, zone: str | None, words: str) -> None:
    """Saying what was seen and what to send."""
    with pytest.raises(ValueError, match=words):
        read_edge(text, zone, Edge.OPENING)


def test_knows_countries_and_windows_that_can_not_be() -> None:
    """Two capitals or the star; a window closes after it opens."""
    assert read_country("*") == "*"
    for text in ("us", "USA", "", "ÜS"):
        with pytest.raises(ValueError, match="two capital letters"):
            read_country(text)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert window_problem(Window("US", at, at)) is not None
    assert window_problem(Window("US", at, None)) is None
