"""Pressing play through the whole subgraph: the order of the checks, what is granted, and what goes wrong."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from common.tokens import TokenVerifier, Viewer


async def test_everything_that_a_player_needs_comes_in_one_answer(subgraph: Any, make_snapshot: Any, play: Any) -> None:
    """The encrypted version on the best pathway, DASH first, with licence, steering, tracks, markers and next episode."""
    marker = {"kind": "INTRO", "startSeconds": 10.0, "endSeconds": 40.5}
    episode = {"kind": "EPISODE", "seriesId": "ser_1", "seasonNumber": 1}
    await subgraph.tell_titles(
        make_snapshot("epi_1", **episode, episodeNumber=1, nextEpisodeId="epi_2", markers=[marker]),
        make_snapshot("epi_2", **episode, episodeNumber=2),
    )
    await subgraph.tell_asset("epi_1", thumbnailsObject="assets/ast_epi_1/thumbnails/thumbnails.vtt")

    session = (await play("epi_1", maxHeightPx=2160)).session

    root = "http://a.test/media/m/assets/ast_epi_1"
    assert session["manifests"] == [
        {
            "protocol": "DASH",
            "url": f"{root}/clearkey/manifest.mpd",
            "encryption": "CLEARKEY",
            "mimeType": "application/dash+xml",
        },
        {
            "protocol": "HLS",
            "url": f"{root}/clearkey/master.m3u8",
            "encryption": "CLEARKEY",
            "mimeType": "application/vnd.apple.mpegurl",
        },
    ]
    assert session["licenceUrl"] == "http://media.test/licence/clearkey"
    assert session["playbackToken"] == f"token-{session['id']}"
    assert session["steeringUrl"] == "http://a.test/steering/m/hls.json"
    assert session["pathways"] == [{"id": "edge-a", "priority": 0}, {"id": "edge-b", "priority": 1}]
    assert session["maxHeightPx"] == 720
    assert session["durationSeconds"] == 6000.0
    assert session["markers"] == [marker]
    assert session["audioTracks"] == [{"language": "en", "label": "English"}]
    assert session["subtitles"] == [{"language": "pt-BR", "label": "Português (BR)"}]
    assert session["thumbnailsUrl"] == f"{root}/thumbnails/thumbnails.vtt"
    assert session["nextTitle"] == {"id": "epi_2"}
    assert session["resumePositionSeconds"] == 0.0


async def test_a_device_without_clear_key_gets_the_clear_version(subgraph: Any, make_snapshot: Any, play: Any) -> None:
    """A phone that can't decrypt gets HLS first, in clear, without a licence."""
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")

    session = (await play("mov_1", formFactor="PHONE", supportsClearKey=False)).session

    assert [(item["protocol"], item["encryption"]) for item in session["manifests"]] == [
        ("HLS", "CLEAR"),
        ("DASH", "CLEAR"),
    ]
    assert session["licenceUrl"] is None


async def test_the_media_services_see_the_viewer_context(
    subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer
) -> None:
    """The signed context goes along unchanged, so that they can verify it themselves."""
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")

    await play("mov_1")

    verifier = TokenVerifier.for_viewer(subgraph.settings.shared.viewer_jwks_path, subgraph.clock)
    assert verifier.verify_viewer(subgraph.licensing.viewer_tokens[0]) == viewer
    assert subgraph.steering.requests[0].region == "US"


REFUSALS = [
    ("nobody", {"account_id": None, "profile_id": None}, "mov_adult", "NOT_SIGNED_IN"),
    ("no profile", {"profile_id": None}, "mov_adult", "NO_PROFILE"),
    ("lapsed", {"subscription": "EXPIRED"}, "mov_nowhere", "SUBSCRIPTION_LAPSED"),
    ("suspended", {"subscription": "SUSPENDED"}, "mov_ready", "SUBSCRIPTION_LAPSED"),
    ("unknown title", {}, "mov_nowhere", "NOT_FOUND"),
    ("withdrawn", {}, "mov_withdrawn", "NOT_FOUND"),
    ("series", {}, "ser_1", "NOT_FOUND"),
    ("above the limit and blocked", {"maturity": 12}, "mov_adult_blocked", "RESTRICTED_BY_MATURITY"),
    ("kids", {"is_kids": True, "maturity": 18}, "mov_ready", "RESTRICTED_BY_MATURITY"),
    ("blocked", {}, "mov_adult_blocked", "UNAVAILABLE_IN_COUNTRY"),
    ("no window", {"country": "DE"}, "mov_us_only", "UNAVAILABLE_IN_COUNTRY"),
    ("no film", {}, "mov_adult", "NOT_READY"),
]


@pytest.mark.parametrize(("name", "changes", "title_id", "reason"), REFUSALS, ids=[row[0] for row in REFUSALS])
async def test_the_first_reason_in_the_order_is_named(
    subgraph: Any, make_snapshot: Any, start: Any, viewer: Viewer, name: str, changes: Any, title_id: str, reason: str
) -> None:
    """token, profile, subscription, title, maturity, region, film; and no slot is taken and nobody is called."""
    await subgraph.tell_titles(
        make_snapshot("mov_ready"),
        make_snapshot("mov_adult", minimumAge=18),
        make_snapshot("mov_adult_blocked", minimumAge=18, blockedCountries=["US"]),
        make_snapshot("mov_us_only", windows=[{"country": "US", "from": None, "until": None}]),
        make_snapshot("mov_withdrawn"),
        make_snapshot("ser_1", kind="SERIES"),
    )
    await subgraph.tell_asset("mov_ready")
    await subgraph.follow._catalogue.withdraw(["mov_withdrawn"], subgraph.clock.now())
    asking = None if name == "nobody" else replace(viewer, **changes)

    result = await start(title_id, as_viewer=asking)

    assert (result["__typename"], result["reason"]) == ("PlaybackRefused", reason)
    assert result["message"]
    assert subgraph.licensing.requests == []
    assert await subgraph.redis.keys("marquee:lease*") == []


async def test_the_plan_limits_streams_at_once(subgraph: Any, make_snapshot: Any, play: Any, start: Any) -> None:
    """STANDARD plays on two devices; a third is told when to come back; a stop makes room at once."""
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    first = await play("mov_1", id="tv")
    await play("mov_1", id="phone")

    refused = await start("mov_1", id="tablet")
    await first.stop(10.0)
    granted = await start("mov_1", id="tablet")

    assert (refused["reason"], refused["maxStreams"]) == ("TOO_MANY_STREAMS", 2)
    assert 1 <= refused["retryAfterSeconds"] <= subgraph.settings.lease_life_s
    assert granted["__typename"] == "StartPlaybackSuccess"
    assert subgraph.licensing.revoked == [first.session["id"]]


async def test_one_device_has_one_slot(subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer) -> None:
    """Starting again on a device replaces its session; the old player is told to stop and its position is kept."""
    await subgraph.tell_titles(make_snapshot("mov_1"), make_snapshot("mov_2"))
    await subgraph.tell_asset("mov_1")
    await subgraph.tell_asset("mov_2")
    basic = replace(viewer, plan="BASIC")
    old = await play("mov_1", as_viewer=basic)
    new = await play("mov_2", as_viewer=basic)

    late = await old.report(120.0)
    current = await new.report(5.0)

    assert (late["acceptedPositionSeconds"], late["refusal"]) == (120.0, "TOO_MANY_STREAMS")
    assert current["refusal"] is None


@pytest.mark.parametrize(
    ("service", "status"),
    [("licensing", grpc.StatusCode.UNAVAILABLE), ("steering", grpc.StatusCode.FAILED_PRECONDITION)],
)
async def test_a_media_service_that_fails_gives_the_slot_back(
    subgraph: Any, make_snapshot: Any, start: Any, viewer: Viewer, service: str, status: grpc.StatusCode
) -> None:
    """The client is told; the household's slot is free."""
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    getattr(subgraph, service).failure = status
    values = {"titleId": "mov_1", "device": {"id": "tv-1", "formFactor": "TV"}}

    body = await subgraph.ask(
        "mutation ($input: StartPlaybackInput!) { startPlayback(input: $input) { __typename } }",
        {"input": values},
        viewer,
    )

    assert body["errors"][0]["extensions"]["code"] == status.name
    assert await subgraph.redis.keys("marquee:lease*") == []


async def test_without_steering_the_film_comes_by_the_default_pathway(
    subgraph: Any, make_snapshot: Any, play: Any
) -> None:
    """Licensing's media token opens it; the answer says that nobody steers it, and no steering address is given."""
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    subgraph.steering.failure = grpc.StatusCode.UNAVAILABLE

    session = (await play("mov_1")).session

    root = f"http://127.0.0.1:4010/media/media-{session['id']}/assets/ast_mov_1"
    assert session["manifests"][0]["url"] == f"{root}/clearkey/manifest.mpd"
    assert (session["steeringUrl"], session["isSteered"]) == (None, False)
    assert session["pathways"] == [{"id": "default", "priority": 0}]


async def test_a_failing_service_is_left_alone_and_looked_at_again(
    subgraph: Any, make_snapshot: Any, start: Any, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After five failures in a row it is not called; after the cool-down one call decides. Refusals are answers."""
    from purgatory.domain import model

    at = [1000.0]
    monkeypatch.setattr(model, "time", SimpleNamespace(time=lambda: at[0]))
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    steering = subgraph.steering
    premium = replace(viewer, plan="PREMIUM")

    async def is_steered() -> bool:
        return bool((await start("mov_1", as_viewer=premium))["session"]["isSteered"])

    assert await is_steered()
    steering.failure = grpc.StatusCode.UNAVAILABLE
    assert not any([await is_steered() for _ in range(8)])
    asked_while_failing = len(steering.requests)
    steering.failure = None
    still_open = await is_steered()
    at[0] += subgraph.settings.breaker_cool_down_s + 1
    recovered = [await is_steered() for _ in range(2)]

    assert asked_while_failing == 1 + 5
    assert not still_open
    assert recovered == [True, True]


async def test_refusals_do_not_open_the_breaker(subgraph: Any, make_snapshot: Any, viewer: Viewer) -> None:
    """A service that says no is well."""
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    subgraph.licensing.failure = grpc.StatusCode.PERMISSION_DENIED
    values = {"titleId": "mov_1", "device": {"id": "tv-1", "formFactor": "TV"}}
    query = "mutation ($input: StartPlaybackInput!) { startPlayback(input: $input) { __typename } }"

    answers = [await subgraph.ask(query, {"input": values}, viewer) for _ in range(8)]

    assert {answer["errors"][0]["extensions"]["code"] for answer in answers} == {"PERMISSION_DENIED"}
    assert len(subgraph.licensing.requests) == 8


async def test_a_slow_media_service_is_not_waited_for_for_ever(
    subgraph: Any, make_snapshot: Any, viewer: Viewer
) -> None:
    """The deadline goes with the call; past it the answer is UNAVAILABLE and the slot is free."""
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    never = asyncio.Event()
    subgraph.licensing.delay = never.wait
    subgraph.services.start._call_timeout_s = 0.05
    values = {"titleId": "mov_1", "device": {"id": "tv-1", "formFactor": "TV"}}

    body = await subgraph.ask(
        "mutation ($input: StartPlaybackInput!) { startPlayback(input: $input) { __typename } }",
        {"input": values},
        viewer,
    )

    assert body["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert await subgraph.redis.keys("marquee:lease*") == []


@pytest.mark.parametrize("device", [{"id": ""}, {"id": "x" * 129}, {"maxHeightPx": 0}])
async def test_a_device_that_can_not_be_is_refused_by_name(subgraph: Any, viewer: Viewer, device: Any) -> None:
    """The field, the value and what is wanted."""
    values = {"titleId": "mov_1", "device": {"id": "tv-1", "formFactor": "TV", **device}}

    body = await subgraph.ask(
        "mutation ($input: StartPlaybackInput!) { startPlayback(input: $input) { __typename } }",
        {"input": values},
        viewer,
    )

    assert body["errors"][0]["extensions"]["code"] == "INVALID_ARGUMENT"
    assert "device." in body["errors"][0]["message"]


async def test_a_session_is_shown_to_its_own_profile_only(
    subgraph: Any, make_snapshot: Any, play: Any, viewer: Viewer
) -> None:
    """Another profile of the same account sees nothing."""
    await subgraph.tell_titles(make_snapshot("mov_1"))
    await subgraph.tell_asset("mov_1")
    player = await play("mov_1")
    query, variables = "query ($id: ID!) { playbackSession(id: $id) { id } }", {"id": player.session["id"]}

    own = await subgraph.data(query, variables, viewer)
    other = await subgraph.data(query, variables, replace(viewer, profile_id="prof_2"))

    assert own == {"playbackSession": {"id": player.session["id"]}}
    assert other == {"playbackSession": None}


async def test_a_forged_viewer_is_refused(subgraph: Any, make_snapshot: Any) -> None:
    """A header that the gateway did not sign opens nothing."""
    answer = await subgraph.client.post(
        "/graphql", json={"query": "{ __typename }"}, headers={"x-marquee-viewer": "e30.e30.e30"}
    )

    assert answer.status_code == 401


async def test_each_refusal_wins_over_all_later_ones(
    subgraph: Any, make_snapshot: Any, play: Any, start: Any, viewer: Viewer
) -> None:
    """All 256 combinations of what can be wrong: the answer is the first in the order, whatever else holds."""
    order = [
        "NOT_SIGNED_IN",
        "NO_PROFILE",
        "SUBSCRIPTION_LAPSED",
        "NOT_FOUND",
        "RESTRICTED_BY_MATURITY",
        "UNAVAILABLE_IN_COUNTRY",
        "NOT_READY",
        "TOO_MANY_STREAMS",
    ]
    for maturity, region, film in itertools.product([False, True], repeat=3):
        title_id = f"mov_{maturity:d}{region:d}{film:d}"
        blocked = ["US"] if region else []
        await subgraph.tell_titles(make_snapshot(title_id, minimumAge=18 if maturity else 0, blockedCountries=blocked))
        if not film:
            await subgraph.tell_asset(title_id)
    teen = replace(viewer, maturity=12, plan="BASIC")
    await play("mov_000", as_viewer=teen, id="other-device")
    wrong_answers = []
    for flags in itertools.product([False, True], repeat=len(order)):
        signed_out, no_profile, lapsed, unknown, maturity, region, film, full = flags
        asking = replace(
            teen,
            account_id=None if signed_out else "acc_1" if full else "acc_free",
            profile_id=None if signed_out or no_profile else "prof_1",
            subscription="EXPIRED" if lapsed else "ACTIVE",
        )
        title_id = "mov_nowhere" if unknown else f"mov_{maturity:d}{region:d}{film:d}"
        answer = await start(title_id, as_viewer=None if signed_out else asking)
        expected = next((reason for reason, is_wrong in zip(order, flags, strict=True) if is_wrong), None)
        if answer.get("reason") != expected:
            wrong_answers.append((flags, expected, answer))

    assert wrong_answers == []
