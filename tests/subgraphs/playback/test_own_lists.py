"""What viewers change in their own lists, and what series tell of them, through the whole subgraph."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from common.events import Event
from common.tokens import Viewer
from subgraphs.playback.services.end_sessions import client_hash

LISTS = """query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Profile {
  history { edges { node { title { id } progress { watchCount completed } } } }
  continueWatching { title { id } progress { positionSeconds } } }
  ... on Title { progress { episodesSeen episodesTotal watchCount resumeTitle { id } } } } }"""
CHANGE = """mutation ($id: ID!) { %s(titleId: $id) { __typename ... on HistoryChanged { title { id } } } }"""


async def series(subgraph: Any, make_snapshot: Any, count: int = 3, **changes: Any) -> None:
    """ser_1 with `count` episodes; `changes` by episode id."""
    rows = [
        make_snapshot(
            f"epi_{number}",
            kind="EPISODE",
            seriesId="ser_1",
            seasonNumber=1,
            episodeNumber=number,
            nextEpisodeId=f"epi_{number + 1}" if number < count else None,
            **changes.get(f"epi_{number}", {}),
        )
        for number in range(1, count + 1)
    ]
    await subgraph.tell_titles(make_snapshot("ser_1", kind="SERIES"), *rows)
    for number in range(1, count + 1):
        await subgraph.tell_asset(f"epi_{number}")


async def lists(subgraph: Any, viewer: Viewer) -> tuple[list[str], list[str]]:
    """Titles in the history and in continue watching."""
    variables = {"representations": [{"__typename": "Profile", "id": viewer.profile_id}]}
    found = (await subgraph.data(LISTS, variables, viewer))["_entities"][0]
    return (
        [edge["node"]["title"]["id"] for edge in found["history"]["edges"]],
        [entry["title"]["id"] for entry in found["continueWatching"]],
    )


async def progress(subgraph: Any, viewer: Viewer, title_id: str) -> Any:
    variables = {"representations": [{"__typename": "Title", "id": title_id}]}
    return (await subgraph.data(LISTS, variables, viewer))["_entities"][0]["progress"]


async def change(subgraph: Any, viewer: Viewer | None, mutation: str, title_id: str) -> str:
    answer = (await subgraph.data(CHANGE % mutation, {"id": title_id}, viewer))[mutation]
    name: str = answer["__typename"]
    return name


async def test_a_hidden_title_is_in_no_list_until_it_is_restored_or_watched_again(
    subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer
) -> None:
    """No history, no continue watching, no progress on its card, and it starts at the beginning."""
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    await (await play("mov_1")).stop(600.0)

    assert await change(subgraph, viewer, "hideFromHistory", "mov_1") == "HistoryChanged"
    assert await lists(subgraph, viewer) == ([], [])
    assert await progress(subgraph, viewer, "mov_1") is None
    assert await change(subgraph, viewer, "restoreToHistory", "mov_1") == "HistoryChanged"
    assert await lists(subgraph, viewer) == (["mov_1"], ["mov_1"])
    assert await change(subgraph, viewer, "hideFromHistory", "mov_1") == "HistoryChanged"
    player = await play("mov_1")
    assert player.session["resumePositionSeconds"] == 0.0
    await player.report(120.0)
    assert await lists(subgraph, viewer) == (["mov_1"], ["mov_1"])


async def test_a_dismissed_series_comes_back_when_it_is_watched(
    subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer
) -> None:
    """Also when the row showed an episode that was never begun; the history keeps it."""
    await series(subgraph, make_snapshot)
    await (await play("epi_1")).stop(5900.0)
    before = await lists(subgraph, viewer)

    assert await change(subgraph, viewer, "removeFromContinueWatching", "epi_2") == "HistoryChanged"
    dismissed = await lists(subgraph, viewer)
    assert await change(subgraph, viewer, "restoreToContinueWatching", "epi_2") == "HistoryChanged"
    restored = await lists(subgraph, viewer)
    await change(subgraph, viewer, "removeFromContinueWatching", "ser_1")
    await (await play("epi_2")).report(700.0)

    assert before == restored == (["epi_1"], ["epi_2"])
    assert dismissed == (["epi_1"], [])
    assert await lists(subgraph, viewer) == (["epi_2", "epi_1"], ["epi_2"])


async def test_own_lists_are_changed_by_their_profile_only(
    subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer
) -> None:
    """What was never watched and what another profile watched look alike."""
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    await (await play("mov_1")).stop(600.0)
    sibling = replace(viewer, profile_id="prof_2")

    assert await change(subgraph, sibling, "hideFromHistory", "mov_1") == "TitleNotFound"
    assert await change(subgraph, sibling, "hideFromHistory", "mov_unknown") == "TitleNotFound"
    assert await change(subgraph, None, "hideFromHistory", "mov_1") == "NoProfileSelected"
    assert await lists(subgraph, viewer) == (["mov_1"], ["mov_1"])


async def test_a_rewatch_erases_nothing(subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer) -> None:
    """Watched twice, begun a third time: two watches, seeking to the end again within one session is one."""
    await series(subgraph, make_snapshot, count=2)
    for _ in range(2):
        player = await play("epi_1")
        for position in (5900.0, 100.0, 5900.0):
            await player.report(position)
    await (await play("epi_1")).report(900.0)

    found = await progress(subgraph, viewer, "ser_1")

    assert found == {"episodesSeen": 1, "episodesTotal": 2, "watchCount": 2, "resumeTitle": {"id": "epi_1"}}


async def test_credits_are_the_end_where_they_are_marked(
    subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer
) -> None:
    """Reaching them moves the series on, far before 90 %."""
    marked = {"markers": [{"kind": "CREDITS", "startSeconds": 4000.0, "endSeconds": 6000.0}]}
    await series(subgraph, make_snapshot, epi_1=marked)
    player = await play("epi_1")
    await player.report(3999.0)
    before = await lists(subgraph, viewer)
    await player.report(4000.0)

    assert before[1] == ["epi_1"]
    assert (await lists(subgraph, viewer))[1] == ["epi_2"]


async def test_episodes_that_may_not_be_seen_are_stepped_over(
    subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer, start: Any
) -> None:
    """In continue watching, as the next title of a session, and in the series' count."""
    await series(subgraph, make_snapshot, epi_2={"minimumAge": 18})
    teen = replace(viewer, maturity=16)
    player = await play("epi_1", as_viewer=teen)
    await player.stop(5900.0)

    found = await progress(subgraph, teen, "ser_1")

    assert player.session["nextTitle"] == {"id": "epi_3"}
    assert (await lists(subgraph, teen))[1] == ["epi_3"]
    assert (found["episodesSeen"], found["episodesTotal"]) == (1, 2)


async def test_a_finished_series_comes_back_with_a_new_season(
    subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer
) -> None:
    """With the recency of what was watched."""
    await series(subgraph, make_snapshot, count=1)
    await (await play("epi_1")).stop(5900.0)
    finished = await lists(subgraph, viewer)
    await series(subgraph, make_snapshot, count=2)

    assert finished[1] == []
    assert (await lists(subgraph, viewer))[1] == ["epi_2"]


async def test_an_episode_that_was_withdrawn_while_it_was_watched_is_followed_by_the_next(
    subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer
) -> None:
    """The series stays in the list."""
    await series(subgraph, make_snapshot)
    await (await play("epi_1")).report(900.0)
    await subgraph.follow._catalogue.withdraw(["epi_1"], subgraph.clock.now())

    assert await lists(subgraph, viewer) == ([], ["epi_2"])


@pytest.mark.parametrize("event", ["device.removed", "profile.deleted", "account.erased"])
async def test_what_is_removed_stops_playing(
    subgraph: Any, make_snapshot: Any, play: Any, start: Any, viewer: Viewer, event: str
) -> None:
    """Its next heartbeat finds no session, and its slot is free; other devices and profiles go on."""
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    gone = await play("mov_1", id="tv-1")
    other = await play("mov_1", id="phone", as_viewer=replace(viewer, profile_id="prof_2"))
    data = {
        "accountId": viewer.account_id,
        "profileId": viewer.profile_id,
        "profileIds": [viewer.profile_id],
        "deviceId": "dev_1",
        "clientHash": client_hash(viewer.account_id, "tv-1"),  # type: ignore[arg-type]
    }

    await subgraph.follow.on_accounts(Event("accounts", event, data, subgraph.clock.now(), "7-7"))

    assert (await gone.report(60.0))["__typename"] == "SessionNotFound"
    expected = "SessionNotFound" if event == "account.erased" else "HeartbeatSuccess"
    assert (await other.report(60.0))["__typename"] == expected
    again = replace(viewer, profile_id="prof_2")
    assert (await start("mov_1", id="tablet", as_viewer=again))["__typename"] == "StartPlaybackSuccess"


async def test_how_playing_goes_is_told_without_names(
    subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer
) -> None:
    """Reports are told by events that have sessions and no account or profile."""
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    player = await play("mov_1")
    for position in (10.0, 20.0, 30.0):
        await player.report(position)

    await subgraph.services.record._quality.publish_waiting()
    entries = await subgraph.redis.xrange("marquee:events:quality")

    # One event or more: the subgraph publishes by its own clock too.
    told = b"".join(fields[b"data"] for _, fields in entries)
    assert told.count(player.session["id"].encode()) == 3
    assert b"prof_1" not in told
    assert b"acc_1" not in told
