"""From pressing play to continue watching, with a film that was really uploaded, transcoded, packaged and encrypted."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.devices import TV, cards_of, sections_of
from tests.support.media_tools import draw_test_clip, ffprobe
from tests.support.running_stack import RunningStack
from tests.support.viewers import SignedIn, Viewers


def device(**overrides: Any) -> dict[str, Any]:
    return {"id": "device-1", "formFactor": "TV", "supportsClearKey": True, **overrides}


def start(stack: RunningStack, viewer: SignedIn, title_id: str, **overrides: Any) -> dict[str, Any]:
    variables = {"input": {"titleId": title_id, "device": device(**overrides)}}
    result: dict[str, Any] = stack.operation("shared/start_playback", variables, token=viewer.token).data[
        "startPlayback"
    ]
    return result


def stop(stack: RunningStack, viewer: SignedIn, session_id: str, position_s: float, sequence: int) -> dict[str, Any]:
    variables = {"input": {"sessionId": session_id, "positionSeconds": position_s, "sequence": sequence}}
    result: dict[str, Any] = stack.operation("shared/stop_playback", variables, token=viewer.token).data["stopPlayback"]
    return result


@pytest.mark.parametrize("protocol", ["HLS", "DASH"])
def test_both_manifests_of_the_clear_version_play(
    stack: RunningStack, viewers: Viewers, film: dict[str, Any], protocol: str
) -> None:
    """ffprobe opens the manifest by its signed address and finds every rung and the sound."""
    viewer = viewers.fresh(plan="PREMIUM")
    session = start(stack, viewer, film["id"], supportsClearKey=False)["session"]
    manifest = next(item for item in session["manifests"] if item["protocol"] == protocol)

    assert manifest["encryption"] == "CLEAR"
    streams = ffprobe(manifest["url"])["streams"]
    heights = {stream["height"] for stream in streams if stream["codec_type"] == "video"}
    assert len(heights) >= 3
    assert any(stream["codec_type"] == "audio" for stream in streams)


def test_the_encrypted_version_needs_the_licence(stack: RunningStack, viewers: Viewers, film: dict[str, Any]) -> None:
    """The licence endpoint gives keys to the holder of the playback token, in the form that EME asks for."""
    viewer = viewers.fresh(plan="PREMIUM")
    session = start(stack, viewer, film["id"])["session"]
    manifest = next(item for item in session["manifests"] if item["protocol"] == "DASH")
    assert manifest["encryption"] == "CLEARKEY"
    text = stack.client.get(manifest["url"]).text
    kids = sorted({part.split('"')[1].replace("-", "") for part in text.split("default_KID=")[1:]})
    request = {
        "kids": [base64.urlsafe_b64encode(bytes.fromhex(kid)).decode().rstrip("=") for kid in kids],
        "type": "temporary",
    }

    licence = stack.client.post(
        session["licenceUrl"], json=request, headers={"authorization": f"Bearer {session['playbackToken']}"}
    )
    without = stack.client.post(session["licenceUrl"], json=request)
    forged = stack.client.post(session["licenceUrl"], json=request, headers={"authorization": f"Bearer {viewer.token}"})

    assert licence.status_code == 200
    keys = licence.json()["keys"]
    assert {key["kid"] for key in keys} == set(request["kids"])
    assert all(len(base64.urlsafe_b64decode(key["k"] + "==")) == 16 for key in keys)
    assert without.status_code in {401, 403}
    assert forged.status_code in {401, 403}
    assert "k" not in json.loads(without.content)


def test_a_basic_plan_gets_no_key_above_its_height(stack: RunningStack, viewers: Viewers, film: dict[str, Any]) -> None:
    """The plan caps the picture at the licence, not only in the manifest."""
    session = start(stack, viewers.fresh(plan="BASIC"), film["id"])["session"]
    premium = start(stack, viewers.fresh(plan="PREMIUM"), film["id"])["session"]

    assert session["maxHeightPx"] <= 480
    assert premium["maxHeightPx"] > session["maxHeightPx"]


def test_heartbeats_make_the_title_continue_where_it_stopped(
    stack: RunningStack, viewers: Viewers, film: dict[str, Any]
) -> None:
    """A position is acknowledged, shown as progress, offered as resume point and as a card on the home page."""
    viewer = viewers.fresh()
    session = start(stack, viewer, film["id"])["session"]
    beat = {"sessionId": session["id"], "positionSeconds": 9.0, "sequence": 2}
    late = {"sessionId": session["id"], "positionSeconds": 3.0, "sequence": 1}

    accepted = stack.operation("shared/heartbeat", {"input": beat}, token=viewer.token).data["heartbeat"]
    stack.operation("shared/heartbeat", {"input": late}, token=viewer.token)
    stop(stack, viewer, session["id"], 10.0, 3)

    assert accepted["acceptedPositionSeconds"] == 9.0
    again = start(stack, viewer, film["id"])["session"]
    assert again["resumePositionSeconds"] == 10.0
    stop(stack, viewer, again["id"], 10.0, 1)
    page = stack.operation("tv/home", {"device": TV}, token=viewer.token).data["page"]
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        rows = [section for section in sections_of(page) if section["kind"] == "CONTINUE_WATCHING"]
        if rows:
            break
        time.sleep(0.2)
        page = stack.operation("tv/home", {"device": TV}, token=viewer.token).data["page"]
    assert [card["title"]["id"] for card in cards_of(rows[0])] == [film["id"]]


def test_streams_at_once_are_limited_by_the_plan(stack: RunningStack, viewers: Viewers, film: dict[str, Any]) -> None:
    """BASIC plays on one device at a time; when it stops, the next may start."""
    viewer = viewers.fresh(plan="BASIC")
    first = start(stack, viewer, film["id"], id="living-room")["session"]

    second = start(stack, viewer, film["id"], id="bedroom")
    stop(stack, viewer, first["id"], 1.0, 1)
    third = start(stack, viewer, film["id"], id="bedroom")

    assert second["__typename"] == "PlaybackRefused"
    assert second["reason"] == "TOO_MANY_STREAMS"
    assert second["maxStreams"] == 1
    assert third["__typename"] == "StartPlaybackSuccess"


def test_each_refusal_has_its_reason(stack: RunningStack, viewers: Viewers, film: dict[str, Any]) -> None:
    """Nobody, no profile, a lapsed subscription, an unknown title, one without media: each says which."""
    operation = "shared/start_playback"
    variables = {"input": {"titleId": film["id"], "device": device()}}
    viewer = viewers.fresh()

    def reason(token: str | None, **overrides: Any) -> str:
        changed = {"input": {**variables["input"], **overrides}}
        return str(stack.operation(operation, changed, token=token).data["startPlayback"]["reason"])

    metadata_only = stack.graphql('{ search(query: "Metropolis", first: 1) { edges { node { id } } } }').data
    without_media = metadata_only["search"]["edges"][0]["node"]["id"]
    assert reason(None) == "NOT_SIGNED_IN"
    assert reason(viewer.account_token) == "NO_PROFILE"
    assert reason(viewers.lapsed.token) == "SUBSCRIPTION_LAPSED"
    assert reason(viewer.token, titleId="mov_that-is-not-there") == "NOT_FOUND"
    assert reason(viewer.token, titleId=without_media) == "NOT_READY"


def test_a_signed_address_can_not_be_changed(stack: RunningStack, viewers: Viewers, film: dict[str, Any]) -> None:
    """Media addresses carry their right; another path or a changed token opens nothing."""
    session = start(stack, viewers.fresh(), film["id"], supportsClearKey=False)["session"]
    url = session["manifests"][0]["url"]
    prefix, _, rest = url.partition("/media/")
    token, _, path = rest.partition("/")
    changed = token[:-2] + ("AA" if not token.endswith("AA") else "BB")

    assert stack.client.get(url).status_code == 200
    assert stack.client.get(f"{prefix}/media/{changed}/{path}").status_code in {401, 403}
    assert stack.client.get(f"{prefix}/media/{token}/../../keys/master.key").status_code in {400, 401, 403, 404}


def test_ingest_brings_in_a_film_and_refuses_a_text(stack: RunningStack, tmp_path: Path) -> None:
    """`marquee ingest` publishes a real clip; a text file named .mp4 is refused with the reason, nothing half-made."""
    clip = tmp_path / "clip.mp4"
    draw_test_clip(clip)
    text = tmp_path / "letter.mp4"
    text.write_text("Dear studio, this is not a film.\n" * 50)

    good = stack.run_marquee("ingest", str(clip), "--title", "Test Card")
    bad = stack.run_marquee("ingest", str(text), "--title", "A Letter")

    assert good.returncode == 0, good.stdout + good.stderr
    assert "published" in good.stdout
    assert bad.returncode == 1
    assert "not published" in bad.stdout
    found = stack.graphql(
        '{ search(query: "Test Card", first: 1) { edges { node { displayName mediaStatus } } } }'
    ).data
    assert found["search"]["edges"][0]["node"] == {"displayName": "Test Card", "mediaStatus": "READY"}
