"""A title that is closed while somebody watches it: the position counts, and the player is told to stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from subgraphs.playback.services.watched_rights import KNOWN_FOR

CLOSINGS = {
    "blocked in the viewer's country": ({"blockedCountries": ["US"]}, "UNAVAILABLE_IN_COUNTRY"),
    "not offered any more": ({"windows": []}, "UNAVAILABLE_IN_COUNTRY"),
    "certified above the profile's limit": ({"minimumAge": 18}, "RESTRICTED_BY_MATURITY"),
}


@pytest.mark.parametrize("closing", CLOSINGS)
async def test_a_heartbeat_tells_that_a_title_was_closed(
    subgraph: Any, make_snapshot: Any, play: Any, viewer: Any, closing: str
) -> None:
    """Within ten seconds and a heartbeat, by the reason that a start would get."""
    change, reason = CLOSINGS[closing]
    limited = replace(viewer, maturity=16)
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    player = await play("mov_1", as_viewer=limited)
    before = await player.report(60)

    await subgraph.tell_titles(make_snapshot("mov_1", **change))
    subgraph.clock.advance(KNOWN_FOR + timedelta(seconds=1))
    after = await player.report(75)

    assert before["refusal"] is None
    assert (after["refusal"], after["acceptedPositionSeconds"]) == (reason, 75)


async def test_a_lapsed_subscription_ends_no_film(subgraph: Any, make_snapshot: Any, play: Any, viewer: Any) -> None:
    """What was paid for when it was started is watched to its end."""
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    player = await play("mov_1")
    player.viewer = replace(viewer, subscription="EXPIRED")

    subgraph.clock.advance(KNOWN_FOR + timedelta(seconds=1))

    assert (await player.report(60))["refusal"] is None
