"""The catalogue of events: shapes are held where events are made and read, and the page about them is the code's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from common.event_catalogue import (
    EVENT_KINDS,
    PERSONAL_TOPICS,
    TOPICS,
    EventInvalid,
    check_published,
    check_received,
    write_event_reference,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "events.md"
WATCHED: dict[str, Any] = {
    "profileId": "prof_1",
    "accountId": "acc_1",
    "titleId": "mov_1",
    "positionSeconds": 12,
    "durationSeconds": 100.5,
    "completed": False,
    "occurredAt": "2026-11-20T08:00:00+00:00",
    "seriesId": None,
}


def test_the_document_is_the_codes() -> None:
    """Print it anew: marquee events catalogue."""
    assert DOCUMENT.read_text().endswith(f"## The kinds\n\n{write_event_reference()}")


def test_kinds_are_unique() -> None:
    """A kind belongs to one topic."""
    assert len({row.kind for row in EVENT_KINDS}) == len(EVENT_KINDS)
    assert set(PERSONAL_TOPICS) < set(TOPICS)


def test_an_event_of_its_shape_passes() -> None:
    """Members that nobody knows yet, too."""
    check_published("viewing", "title.watched", {**WATCHED, "mood": "good"})
    check_received("viewing", "title.watched", {**WATCHED, "mood": "good"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"positionSeconds": "12"}, "positionSeconds"),
        ({"positionSeconds": -1}, "positionSeconds"),
        ({"completed": None}, "completed"),
        ({"occurredAt": "2026-11-20T08:00:00"}, "occurredAt"),
        ({"profileId": ""}, "profileId"),
    ],
)
def test_an_event_of_another_shape_is_refused_by_name(change: dict[str, Any], said: str) -> None:
    """Where it is made and where it is read; the value is not told, which may be somebody's."""
    for check in (check_published, check_received):
        with pytest.raises(EventInvalid, match=said):
            check("viewing", "title.watched", {**WATCHED, **change})


def test_what_is_not_in_the_catalogue_is_not_published() -> None:
    """A reader meets it all the same: a newer service may know it."""
    for topic, kind in (("viewing", "title.liked"), ("nowhere", "title.watched")):
        with pytest.raises(EventInvalid, match="event_catalogue"):
            check_published(topic, kind, {})
        check_received(topic, kind, {})


def test_one_bad_snapshot_spoils_no_event_for_readers() -> None:
    """They leave it out; who makes such an event is told."""
    data = {"titles": [{"id": "mov_1"}]}
    check_received("titles", "title.changed", data)
    with pytest.raises(EventInvalid, match=r"displayName|kind"):
        check_published("titles", "title.changed", data)
