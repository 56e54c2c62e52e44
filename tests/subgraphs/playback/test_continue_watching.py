"""What to go on with: a table of situations, each a household scene."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.kernel.policy import TitleFacts
from subgraphs.playback.domain.bookmarks import Bookmark, BookmarkKey
from subgraphs.playback.domain.continue_watching import merge_continue_watching
from subgraphs.playback.domain.titles import PlayableTitle, TitleKind

START = datetime(2026, 3, 1, tzinfo=UTC)


def title(title_id: str, series: str | None = None, following: str | None = None) -> PlayableTitle:
    return PlayableTitle(
        id=TitleId(title_id),
        kind=TitleKind.MOVIE if series is None else TitleKind.EPISODE,
        facts=TitleFacts(minimum_age=0, is_kids=True),
        display_name=title_id,
        duration_s=1000.0,
        series_id=None if series is None else TitleId(series),
        season_number=None,
        episode_number=None,
        next_episode_id=None if following is None else TitleId(following),
        markers=(),
    )


TITLES = {
    known.id: known
    for known in [
        title("m1"),
        title("m2"),
        *[title(f"e{number}", "s", f"e{number + 1}" if number < 5 else None) for number in range(1, 6)],
    ]
}


def watched(title_id: str, fraction: float, at: int) -> Bookmark:
    series = TITLES[TitleId(title_id)].series_id
    instant = START + timedelta(hours=at)
    done = fraction >= 0.9
    return Bookmark(
        BookmarkKey(ProfileId("p"), TitleId(title_id)),
        AccountId("a"),
        series,
        fraction * 1000,
        1000.0,
        done,
        instant if done else None,
        instant,
        None,
    )


SCENES = {
    "nothing watched": ([], [], []),
    "in progress, latest first": ([("m1", 0.5, 1), ("m2", 0.2, 2)], [], ["m2", "m1"]),
    "a finished film is gone": ([("m1", 0.95, 1)], [], []),
    "a glance is no start": ([("m1", 0.001, 1)], [], []),
    "an episode in progress": ([("e1", 0.95, 1), ("e2", 0.4, 2)], ["e1"], ["e2"]),
    "the next episode comes up": ([("e1", 0.95, 1)], ["e1"], ["e2"]),
    "a finished series is gone": ([("e4", 0.95, 1), ("e5", 0.95, 2)], ["e4", "e5"], []),
    "next-up and films share one clock": (
        [("m1", 0.5, 1), ("e1", 0.95, 2), ("m2", 0.5, 3)],
        ["e1"],
        ["m2", "e2", "m1"],
    ),
    "an older episode in progress does not hide the latest": ([("e2", 0.5, 1), ("e4", 0.95, 2)], ["e4"], ["e5"]),
    "the pilot again with a friend": (
        [("e1", 0.95, 9), ("e2", 0.95, 2), ("e3", 0.95, 3)],
        ["e1", "e2", "e3"],
        ["e4"],
    ),
    "the whole series again": ([("e1", 0.95, 9)], ["e1", "e2", "e3", "e4", "e5"], ["e2"]),
    "an episode begun again": ([("e2", 0.3, 9), ("e5", 0.95, 5)], ["e1", "e2", "e3", "e4", "e5"], ["e2"]),
}


@pytest.mark.parametrize("name", SCENES)
def test_scene(name: str) -> None:
    """The expected titles in the expected order."""
    rows, seen, expected = SCENES[name]
    recent = sorted((watched(*row) for row in rows), key=lambda bookmark: bookmark.last_watched_at, reverse=True)

    entries = merge_continue_watching(recent, TITLES, {TitleId(title_id) for title_id in seen})

    assert expected == [entry.title_id for entry in entries]
    assert [entry.last_watched_at for entry in entries] == sorted(
        (entry.last_watched_at for entry in entries), reverse=True
    )


def test_what_may_not_be_seen_is_left_out() -> None:
    """A hidden next episode ends the chain; a hidden film is not there."""
    hidden = {title_id: known for title_id, known in TITLES.items() if title_id not in {"m1", "e2"}}
    recent = [watched("m1", 0.5, 3), watched("e1", 0.95, 1)]

    assert merge_continue_watching(recent, hidden, {TitleId("e1")}) == []
