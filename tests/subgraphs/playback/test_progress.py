"""Positions through the whole subgraph: heartbeats, stops, progress, history, continue watching."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from common.events import Event
from common.tokens import Viewer
from subgraphs.playback.domain.bookmarks import Bookmark, PositionReport

PROGRESS = """query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Title { id
  progress { positionSeconds durationSeconds fraction completed resumeTitle { id } } } } }"""
PROFILE = """query ($representations: [_Any!]!, $after: String) { _entities(representations: $representations) { ... on Profile {
  history(first: 2, after: $after) { edges { cursor node { title { id } progress { positionSeconds } } }
    pageInfo { hasNextPage endCursor } }
  continueWatching { title { id } progress { positionSeconds } } } } }"""
CAN_PLAY = """query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Title { id
  canPlay { allowed refusal } } } }"""


async def three_films(subgraph: Any, make_snapshot: Any) -> None:
    ids = ["mov_1", "mov_2", "mov_3"]
    await subgraph.tell_titles(*[make_snapshot(title_id) for title_id in ids])
    for title_id in ids:
        await subgraph.tell_asset(title_id)


async def a_series(subgraph: Any, make_snapshot: Any) -> None:
    await subgraph.tell_titles(
        make_snapshot("ser_1", kind="SERIES"),
        *[
            make_snapshot(
                f"epi_{number}",
                kind="EPISODE",
                seriesId="ser_1",
                seasonNumber=1,
                episodeNumber=number,
                nextEpisodeId=f"epi_{number + 1}" if number < 3 else None,
            )
            for number in (1, 2, 3)
        ],
    )
    for number in (1, 2, 3):
        await subgraph.tell_asset(f"epi_{number}")


async def titles(subgraph: Any, viewer: Viewer | None, *ids: str) -> list[Any]:
    representations = [{"__typename": "Title", "id": title_id} for title_id in ids]
    return (await subgraph.data(PROGRESS, {"representations": representations}, viewer))["_entities"]


async def profile(subgraph: Any, viewer: Viewer, after: str | None = None) -> Any:
    representations = [{"__typename": "Profile", "id": viewer.profile_id}]
    variables = {"representations": representations, "after": after}
    return (await subgraph.data(PROFILE, variables, viewer))["_entities"][0]


async def test_late_and_repeated_heartbeats_never_win(subgraph: Any, make_snapshot: Any, play: Any) -> None:
    """They are acknowledged with the newer position."""
    await three_films(subgraph, make_snapshot)
    player = await play("mov_1")

    answers = [await player.report(position, sequence) for position, sequence in [(60.0, 5), (10.0, 2), (99.0, 5)]]

    assert [answer["acceptedPositionSeconds"] for answer in answers] == [60.0, 60.0, 60.0]


async def test_a_new_session_may_count_from_the_start_again(subgraph: Any, make_snapshot: Any, play: Any) -> None:
    """Numbers count within a session; a later session's first report is newer than all of an earlier one."""
    await three_films(subgraph, make_snapshot)
    first = await play("mov_1")
    await first.report(600.0, 50)
    second = await play("mov_1")

    newer = await second.report(700.0, 1)
    late = await first.report(650.0, 51)

    assert second.session["resumePositionSeconds"] == 600.0
    assert newer["acceptedPositionSeconds"] == 700.0
    assert late["acceptedPositionSeconds"] == 700.0


async def test_the_last_position_of_a_stop_is_where_playing_goes_on(
    subgraph: Any, make_snapshot: Any, play: Any
) -> None:
    """Stopping twice changes nothing; heartbeats after it find no session; starting over starts over."""
    await three_films(subgraph, make_snapshot)
    player = await play("mov_1")
    await player.report(100.0)

    stopped = await player.stop(123.0)
    again = await player.stop(50.0)
    after = await player.report(200.0)

    assert stopped == {
        "__typename": "StopPlaybackSuccess",
        "title": {"id": "mov_1", "progress": {"positionSeconds": 123, "completed": False}},
    }
    assert again == stopped
    assert after["__typename"] == "SessionNotFound"
    assert (await play("mov_1")).session["resumePositionSeconds"] == 123.0
    assert (await play("mov_1", start_over=True)).session["resumePositionSeconds"] == 0.0


async def test_a_finished_film_starts_from_the_beginning(subgraph: Any, make_snapshot: Any, play: Any) -> None:
    """At 90 % it counts as seen."""
    await three_films(subgraph, make_snapshot)
    player = await play("mov_1")
    await player.report(5399.0)
    before = (await titles(subgraph, player.viewer, "mov_1"))[0]["progress"]
    await player.report(5400.0)
    after = (await titles(subgraph, player.viewer, "mov_1"))[0]["progress"]

    assert (before["completed"], after["completed"], after["fraction"]) == (False, True, 0.9)
    assert (await play("mov_1")).session["resumePositionSeconds"] == 0.0


async def test_nobody_reports_for_another_profile(subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer) -> None:
    """A session of somebody else is an unknown session."""
    await three_films(subgraph, make_snapshot)
    player = await play("mov_1")
    player.viewer = replace(viewer, profile_id="prof_2")

    assert (await player.report(5.0))["__typename"] == "SessionNotFound"
    assert (await player.stop(5.0))["__typename"] == "SessionNotFound"


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"positionSeconds": -1.0}, "input.positionSeconds"),
        ({"positionSeconds": 6_000_000.0}, "input.positionSeconds"),
        ({"sequence": -1}, "input.sequence"),
        ({"rebufferCount": -2}, "input.rebufferCount"),
    ],
)
async def test_bad_reports_name_the_field(subgraph: Any, viewer: Viewer, values: Any, path: str) -> None:
    """As a typed result."""
    query = """mutation ($input: HeartbeatInput!) { heartbeat(input: $input) { ... on InvalidInput { fields { path } } } }"""
    report = {"sessionId": "pbs_1", "positionSeconds": 1.0, "sequence": 1, **values}

    answer = await subgraph.data(query, {"input": report}, viewer)

    assert answer == {"heartbeat": {"fields": [{"path": path}]}}


async def test_progress_of_many_titles_is_one_query(
    subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of cards costs the store as much as one card."""
    await three_films(subgraph, make_snapshot)
    await (await play("mov_1")).report(600.0)
    store, asked = subgraph.services.start._bookmarks, []
    ask = store.bookmarks

    async def count(profile_id: str, title_ids: Any) -> Any:
        asked.append(list(title_ids))
        return await ask(profile_id, title_ids)

    monkeypatch.setattr(store, "bookmarks", count)

    found = await titles(subgraph, viewer, *[f"mov_{number}" for number in range(60)])

    assert len(asked) == 1
    assert [entity["id"] for entity in found if entity["progress"] is not None] == ["mov_1"]


async def test_progress_is_null_without_a_profile(subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer) -> None:
    """Nobody's progress is nobody's."""
    await three_films(subgraph, make_snapshot)
    await (await play("mov_1")).report(600.0)

    assert (await titles(subgraph, None, "mov_1"))[0]["progress"] is None
    assert (await titles(subgraph, replace(viewer, profile_id="prof_2"), "mov_1"))[0]["progress"] is None


async def test_a_series_goes_on_with_the_next_episode(
    subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer
) -> None:
    """In progress: the same episode; finished: the next one, which is in continue watching though it was never begun."""
    await a_series(subgraph, make_snapshot)
    player = await play("epi_1")
    await player.report(900.0)
    in_progress = (await titles(subgraph, viewer, "ser_1"))[0]["progress"]
    await player.stop(5900.0)
    finished = (await titles(subgraph, viewer, "ser_1"))[0]["progress"]

    assert in_progress["resumeTitle"] == {"id": "epi_1"}
    assert in_progress["positionSeconds"] == 900
    assert finished["resumeTitle"] == {"id": "epi_2"}
    assert (await profile(subgraph, viewer))["continueWatching"] == [{"title": {"id": "epi_2"}, "progress": None}]


async def test_history_is_paged_newest_first(subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer) -> None:
    """Cursors neither repeat nor skip; a title watched again moves to the front."""
    await three_films(subgraph, make_snapshot)
    for title_id in ("mov_1", "mov_2", "mov_3", "mov_1"):
        await (await play(title_id)).stop(60.0)

    first = (await profile(subgraph, viewer))["history"]
    second = (await profile(subgraph, viewer, first["pageInfo"]["endCursor"]))["history"]

    assert [edge["node"]["title"]["id"] for edge in first["edges"]] == ["mov_1", "mov_3"]
    assert [edge["node"]["title"]["id"] for edge in second["edges"]] == ["mov_2"]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)


async def test_limits_hold_in_history_too(subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer) -> None:
    """What the profile may not see any more is in no list of it."""
    await three_films(subgraph, make_snapshot)
    for title_id in ("mov_1", "mov_2"):
        await (await play(title_id)).stop(600.0)
    await subgraph.tell_titles(make_snapshot("mov_2", minimumAge=18))
    limited = replace(viewer, maturity=16)

    seen = await profile(subgraph, limited)

    assert [edge["node"]["title"]["id"] for edge in seen["history"]["edges"]] == ["mov_1"]
    assert [entry["title"]["id"] for entry in seen["continueWatching"]] == ["mov_1"]


async def test_history_is_shown_to_its_profile_only(subgraph: Any, viewer: Viewer) -> None:
    """A sibling profile gets an error that says what to do, and nothing of the history."""
    variables = {"representations": [{"__typename": "Profile", "id": "prof_2"}], "after": None}

    body = await subgraph.ask(PROFILE, variables, viewer)

    assert body["data"]["_entities"] == [{"history": None, "continueWatching": None}]
    assert {error["extensions"]["code"] for error in body["errors"]} == {"NOT_FOUND"}


@pytest.mark.parametrize(
    ("minimum_age", "is_available", "media_status", "changes", "expected"),
    [
        (12, True, "READY", {}, (True, None)),
        (12, True, "PROCESSING", {}, (False, "NOT_READY")),
        (12, False, "READY", {}, (False, "UNAVAILABLE_IN_COUNTRY")),
        (18, False, "READY", {"maturity": 12}, (False, "RESTRICTED_BY_MATURITY")),
        (0, True, "READY", {"is_kids": True}, (False, "RESTRICTED_BY_MATURITY")),
        (18, False, "NONE", {"subscription": "EXPIRED"}, (False, "SUBSCRIPTION_LAPSED")),
        (18, False, "NONE", {"profile_id": None}, (False, "NO_PROFILE")),
    ],
)
async def test_can_play_follows_from_what_titles_says(
    subgraph: Any, viewer: Viewer, minimum_age: int, is_available: bool, media_status: str, changes: Any, expected: Any
) -> None:
    """From the required fields and the viewer, in the order of pressing play."""
    representation = {
        "__typename": "Title",
        "id": "mov_1",
        "certificate": {"minimumAge": minimum_age},
        "availability": {"isAvailable": is_available},
        "mediaStatus": media_status,
    }

    answer = await subgraph.data(CAN_PLAY, {"representations": [representation]}, replace(viewer, **changes))

    decision = answer["_entities"][0]["canPlay"]
    assert (decision["allowed"], decision["refusal"]) == expected


async def test_watching_is_told_to_others_after_the_commit(
    subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer
) -> None:
    """The first report, then at most one in 30 seconds, the end and the stop; each by the topic viewing."""
    await three_films(subgraph, make_snapshot)
    player = await play("mov_1")
    for position in (10.0, 20.0):
        await player.report(position)
    subgraph.clock.advance(timedelta(seconds=31))
    await player.report(40.0)
    await player.report(5500.0)
    await player.stop(5600.0)

    for _ in range(200):
        entries = await subgraph.redis.xrange("marquee:events:viewing")
        if len(entries) == 4:
            break
        await asyncio.sleep(0.01)

    assert [b'"positionSeconds":%s' % position in entry[1][b"data"] for entry, position in
            zip(entries, (b"10.0", b"40.0", b"5500.0", b"5600.0"), strict=True)] == [True] * 4  # fmt: skip


async def test_a_deleted_profile_leaves_nothing(subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer) -> None:
    """No bookmark, no device cursor."""
    await three_films(subgraph, make_snapshot)
    await (await play("mov_1")).stop(600.0)
    data = {"profileId": viewer.profile_id, "accountId": viewer.account_id}

    await subgraph.follow.on_accounts(Event("accounts", "profile.deleted", data, subgraph.clock.now(), "9-9"))

    assert (await titles(subgraph, viewer, "mov_1"))[0]["progress"] is None


@pytest.mark.parametrize("last_word", ["report", "stop"])
async def test_a_report_under_way_brings_nothing_of_a_deleted_profile_back(
    subgraph: Any,
    make_snapshot: Any,
    play: Any,
    viewer: Viewer,
    monkeypatch: pytest.MonkeyPatch,
    last_word: str,
) -> None:
    """Its session was found, then the profile was erased, then it was written."""
    await three_films(subgraph, make_snapshot)
    player = await play("mov_1")
    await player.report(600.0)
    data = {"profileId": viewer.profile_id, "accountId": viewer.account_id}
    bookmarks = subgraph.services.record._bookmarks
    record = bookmarks.record

    async def record_after_the_erasure(report: PositionReport) -> Bookmark:
        await subgraph.follow.on_accounts(Event("accounts", "profile.deleted", data, subgraph.clock.now(), "9-9"))
        return cast("Bookmark", await record(report))

    monkeypatch.setattr(bookmarks, "record", record_after_the_erasure)
    subgraph.clock.advance(timedelta(seconds=10))

    assert (await getattr(player, last_word)(610.0))["__typename"] == "SessionNotFound"
    assert await bookmarks.history(viewer.profile_id, limit=9) == []


async def test_a_deleted_profile_starts_nothing_more(
    subgraph: Any, make_snapshot: Any, start: Any, viewer: Viewer
) -> None:
    """While its access token is still good; other profiles of the account do."""
    await three_films(subgraph, make_snapshot)
    data = {"profileId": viewer.profile_id, "accountId": viewer.account_id}
    await subgraph.follow.on_accounts(Event("accounts", "profile.deleted", data, subgraph.clock.now(), "9-9"))

    assert (await start("mov_1"))["reason"] == "NO_PROFILE"
    other = replace(viewer, profile_id="prof_2")
    assert (await start("mov_1", as_viewer=other))["__typename"] == "StartPlaybackSuccess"


async def test_a_bad_snapshot_does_not_hold_up_its_neighbours(subgraph: Any, make_snapshot: Any, play: Any) -> None:
    """It is left out; the rest of the event counts."""
    await subgraph.tell_titles({"id": "mov_broken"}, make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")

    assert (await play("mov_1")).session["title"] == {"id": "mov_1"}
