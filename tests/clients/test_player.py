"""Real media in a real browser: Clear Key through the licence server, resume, reports, the next episode."""

import json

from playwright.sync_api import Page, Request

from tests.clients.contract_backend import ContractBackend
from tests.clients.page_driver import at_home, focus, press

PLAYS = "document.querySelector('video')?.currentTime > {seconds} && !document.querySelector('video').paused"
FILM = "mov_metropolis"


def open_film(page: Page, url: str, backend: ContractBackend) -> None:
    backend.titles[FILM]["mediaStatus"] = "READY"
    backend.titles[FILM]["durationSeconds"] = 20
    at_home(page, url, backend)
    press(page, "Enter")


def reports(backend: ContractBackend, name: str) -> list[dict[str, object]]:
    return [variables["input"] for called, variables in backend.calls if called == name]


def test_the_protected_film_plays_through_the_licence_server(tv: Page, cinema: str, backend: ContractBackend) -> None:
    """Shaka Player gets the key by EME Clear Key, with the playback token, and the picture moves."""
    manifests: list[str] = []
    tv.on("request", lambda request: manifests.append(request.url) if ".mpd" in request.url else None)
    open_film(tv, cinema, backend)
    tv.wait_for_function(PLAYS.format(seconds=0.5))
    licences = [variables for name, variables in backend.calls if name == "licence"]
    assert licences
    assert licences[0]["authorization"] == "Bearer playback-token"
    assert licences[0]["kids"] == ["ABEiM0RVZneImaq7zN3u_w"]
    assert all("/media/clearkey/stream.mpd" in url for url in manifests)
    assert tv.evaluate("document.querySelector('video').videoHeight") == 180
    asked = reports(backend, "StartPlayback")[0]
    assert asked["device"]["supportsClearKey"] is True  # type: ignore[index]


def test_a_film_goes_on_where_it_was_left(tv: Page, cinema: str, backend: ContractBackend) -> None:
    """The resume point is where playing starts; leaving says the new one, with a later sequence than any report."""
    backend.positions[FILM] = 12.0
    open_film(tv, cinema, backend)
    tv.wait_for_function(PLAYS.format(seconds=12.3))
    press(tv, " ")
    tv.wait_for_function("document.querySelector('video').paused")
    press(tv, "Escape")
    tv.wait_for_selector(".player", state="detached")
    tv.wait_for_function("document.activeElement.closest('[data-row=\"hero\"]')")
    stop = reports(backend, "StopPlayback")
    assert len(stop) == 1
    assert 12.3 <= float(str(stop[0]["positionSeconds"])) < 20
    sequences = [report["sequence"] for report in reports(backend, "Heartbeat")] + [stop[0]["sequence"]]
    assert sequences == list(range(1, len(sequences) + 1))


def is_report_from_beyond_10_s(request: Request) -> bool:
    if "mutation Heartbeat" not in (request.post_data or ""):
        return False
    position: float = json.loads(request.post_data or "")["variables"]["input"]["positionSeconds"]
    return 10 <= position < 19


def test_seeking_with_the_remote_control(tv: Page, cinema: str, backend: ContractBackend) -> None:
    """Right on the bar jumps ten seconds, and the server hears where that was."""
    open_film(tv, cinema, backend)
    tv.wait_for_function(PLAYS.format(seconds=0.2))
    tv.wait_for_selector(".control:focus")
    press(tv, "ArrowUp")
    with tv.expect_request_finished(is_report_from_beyond_10_s):
        press(tv, "ArrowRight")
    assert str(tv.locator(".seek").get_attribute("aria-valuetext")).startswith("0:1")
    assert float(str(reports(backend, "Heartbeat")[-1]["positionSeconds"])) >= 10


def test_too_many_screens_is_said_with_the_way_out(tv: Page, cinema: str, backend: ContractBackend) -> None:
    """A refusal at the start is a sentence with the plan's number; Back returns to where Play was pressed."""
    backend.refusals[FILM] = {"reason": "TOO_MANY_STREAMS", "maxStreams": 2}
    open_film(tv, cinema, backend)
    tv.wait_for_selector(".player[data-state=failed]")
    text = tv.locator(".player-notice").inner_text()
    assert "2 screens at once" in text
    assert "Stop watching on another device" in text
    press(tv, "Enter")
    tv.wait_for_selector(".player", state="detached")
    assert focus(tv)["words"] == "Play"


def test_another_device_takes_the_screen(tv: Page, cinema: str, backend: ContractBackend) -> None:
    """When a report is answered with a refusal, playing ends with the reason in words; the position was kept."""
    open_film(tv, cinema, backend)
    tv.wait_for_function(PLAYS.format(seconds=0.3))
    backend.heartbeat_refusal = "TOO_MANY_STREAMS"
    press(tv, " ")
    tv.wait_for_selector(".player[data-state=failed]")
    assert "another device" in tv.locator(".player-notice").inner_text()
    assert backend.positions[FILM] > 0


def test_a_missing_manifest_is_said_and_the_session_is_ended(tv: Page, cinema: str, backend: ContractBackend) -> None:
    """When the media cannot be had, the viewer hears it and the stream's place is given back."""
    tv.route("**/media/**", lambda route: route.fulfill(status=404))
    open_film(tv, cinema, backend)
    tv.wait_for_selector("text=The film cannot be loaded right now.")
    assert len(reports(backend, "StopPlayback")) == 1
    assert focus(tv)["words"] == "Go back"


def test_the_intro_can_be_skipped(tv: Page, cinema: str, backend: ContractBackend) -> None:
    """Within the intro a button is offered; pressing it goes to the intro's end."""
    assert backend.media is not None
    backend.media["markers"] = [{"kind": "INTRO", "startSeconds": 0.0, "endSeconds": 9.0}]
    open_film(tv, cinema, backend)
    tv.wait_for_selector(".offer >> text=Skip intro")
    tv.click(".offer .button")
    tv.wait_for_function(PLAYS.format(seconds=8.9))
    tv.wait_for_selector(".offer .button", state="detached")


def test_the_phone_plays_hls_in_the_clear(phone: Page, cinema: str, backend: ContractBackend) -> None:
    """hls.js plays the clear version where the server offers it, and asks for no key."""
    at_home(phone, cinema, backend, path="/phone/")
    phone.evaluate(f"location.hash = '#/play/{FILM}'")
    phone.wait_for_function(PLAYS.format(seconds=0.5))
    assert not [name for name, _ in backend.calls if name == "licence"]
    phone.evaluate("history.back()")
    phone.wait_for_selector(".player", state="detached")
    phone.wait_for_function("true")
    phone.wait_for_selector(".home")


def test_the_next_episode_begins_after_the_last_one_ended(tv: Page, cinema: str, backend: ContractBackend) -> None:
    """The stream of one episode is given back before the next one is asked for, so one stream is enough."""
    at_home(tv, cinema, backend)
    tv.evaluate("location.hash = '#/title/ser_les-vampires'")
    tv.wait_for_selector(".details[data-state=ready]")
    press(tv, "Enter")
    tv.wait_for_function(PLAYS.format(seconds=0.2))
    assert "The Severed Head" in tv.locator(".player-heading").inner_text()
    tv.click('[aria-label="Next episode"]')
    tv.wait_for_selector(".player-heading >> text=The Ring That Kills")
    tv.wait_for_function(PLAYS.format(seconds=0.2))
    order = [name for name, _ in backend.calls if name in {"StartPlayback", "StopPlayback"}]
    assert order == ["StartPlayback", "StopPlayback", "StartPlayback"]
