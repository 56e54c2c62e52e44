"""Which markers may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.titles.domain.markers import MAX_MARKERS, MarkerKind, marker_problems, ordered_markers
from subgraphs.titles.domain.title import Marker

times = st.integers(0, 20).map(float)
markers = st.builds(Marker, st.sampled_from([kind.value for kind in MarkerKind]), times, times)


@given(given=st.lists(markers, max_size=6))
def test_takes_exactly_markers_that_lie_apart_inside_the_title(given: list[Marker]) -> None:
    """Nothing is taken that overlaps its kind, ends before it begins or after the title, and nothing else is refused."""
    inside = all(marker.start_seconds < marker.end_seconds <= 15.0 for marker in given)
    apart = not any(
        one.kind == other.kind and one.start_seconds < other.end_seconds and other.start_seconds < one.end_seconds
        for place, one in enumerate(given)
        for other in given[place + 1 :]
    )
    problems = marker_problems(given, 15.0)
    assert (problems == {}) == (inside and apart)
    starts = [marker.start_seconds for marker in ordered_markers(given)]
    assert starts == sorted(starts)


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -0.5])
def test_refuses_times_that_are_none(time: float) -> None:
    """Naming the marker."""
    assert "input.markers.0" in marker_problems([Marker("INTRO", time, 10.0)], None)
    assert "input.markers.0" in marker_problems([Marker("INTRO", 0.0, time)], None)


def test_an_unknown_running_time_bounds_nothing() -> None:
    """And more than so many markers are refused whole."""
    assert marker_problems([Marker("CREDITS", 5_000.0, 5_300.0)], None) == {}
    assert "at most" in marker_problems([Marker("INTRO", 0.0, 1.0)] * (MAX_MARKERS + 1), None)["input.markers"]
