"""Devices as log-ins name them: what streams are counted by, and what a removed one can't do any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.events import Event
from common.tokens import Viewer
from subgraphs.playback.services.end_sessions import client_hash

DOWNLOAD = """mutation ($input: AuthoriseDownloadInput!) { authoriseDownload(input: $input) { __typename
  ... on DownloadSuccess { download { id } } ... on DownloadRefused { reason } } }"""


@pytest.fixture
async def film(subgraph: Any, make_snapshot: Any) -> str:
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    return "mov_1"


async def tell_removed(
    subgraph: Any, viewer: Viewer, *, device: str, client: str, ago: timedelta = timedelta()
) -> None:
    """`device` as tokens name it, `client` as it calls itself."""
    data = {
        "accountId": viewer.account_id,
        "deviceId": device,
        "clientHash": client_hash(viewer.account_id, client),  # type: ignore[arg-type]
    }
    await subgraph.follow.on_accounts(Event("accounts", "device.removed", data, subgraph.clock.now() - ago, "7-7"))


async def download(subgraph: Any, viewer: Viewer, device: str) -> Any:
    values = {"titleId": "mov_1", "deviceId": device}
    return (await subgraph.data(DOWNLOAD, {"input": values}, viewer))["authoriseDownload"]


async def test_streams_are_counted_by_the_device_of_the_log_in(
    subgraph: Any, film: str, play: Any, start: Any, viewer: Viewer
) -> None:
    """A player that calls itself something else each time has one slot all the same; licensing hears the same name."""
    basic = replace(viewer, plan="BASIC", device_id="dev_1")
    await play(film, as_viewer=basic, id="tv-1")
    await play(film, as_viewer=basic, id="tv-1-again", maxHeightPx=480)
    other = await start(film, as_viewer=replace(basic, device_id="dev_2"), id="tv-1")

    assert other["reason"] == "TOO_MANY_STREAMS"
    assert [request.device_id for request in subgraph.licensing.requests] == ["dev_1", "dev_1"]
    assert subgraph.licensing.requests[-1].max_height_px == 480


async def test_a_removed_device_stops_and_starts_nothing_more(
    subgraph: Any, film: str, play: Any, start: Any, viewer: Viewer
) -> None:
    """While its access token is still good; a new log-in of the same device plays, as does every other device."""
    signed_in = replace(viewer, device_id="dev_1")
    player = await play(film, as_viewer=signed_in)
    await tell_removed(subgraph, viewer, device="dev_1", client="tv-1")

    assert (await player.report(60.0))["__typename"] == "SessionNotFound"
    assert (await start(film, as_viewer=signed_in))["reason"] == "NOT_SIGNED_IN"
    assert (await start("mov_unknown", as_viewer=signed_in))["reason"] == "NOT_SIGNED_IN"
    assert (await download(subgraph, signed_in, "tv-1"))["reason"] == "NOT_SIGNED_IN"
    for again in ("dev_2", None):
        assert (await start(film, as_viewer=replace(viewer, device_id=again)))["__typename"] == "StartPlaybackSuccess"


@pytest.mark.parametrize("named", ["dev_2", None])
async def test_a_removal_that_is_heard_late_leaves_the_new_log_in_alone(
    subgraph: Any, film: str, play: Any, viewer: Viewer, named: str | None
) -> None:
    """Events are heard at least once: what the device did after it came back stays."""
    again = replace(viewer, device_id=named)
    subgraph.clock.advance(timedelta(minutes=5))
    player = await play(film, as_viewer=again)
    assert (await download(subgraph, again, "tv-1"))["__typename"] == "DownloadSuccess"

    await tell_removed(subgraph, viewer, device="dev_1", client="tv-1", ago=timedelta(minutes=5))

    assert (await player.report(60.0))["__typename"] == "HeartbeatSuccess"
    assert len((await subgraph.services.downloads.of_viewer(again)).downloads) == 1
