"""What was on the screen and what was opened is told in batches, with the tracking that the page gave for each card."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.clients.contract_backend import ContractBackend
from tests.clients.page_driver import at_home, focus, press

LONG_ENOUGH_MS = 7_000


def pass_time(page: Page, backend: ContractBackend, *, until: int = 1) -> list[dict[str, Any]]:
    """Let cards be looked at and the batch go out; what has come by then, of at least `until` batches."""
    page.wait_for_timeout(150)
    page.clock.run_for(LONG_ENOUGH_MS)
    for _ in range(200):
        if sum(name == "ReportInteractions" for name, _ in backend.calls) >= until:
            break
        page.wait_for_timeout(10)
    return backend.interactions


@pytest.fixture
def watched(tv: Page, site: str, backend: ContractBackend) -> Page:
    tv.clock.install()
    at_home(tv, site, backend)
    return tv


def test_cards_in_sight_are_told_once(watched: Page, backend: ContractBackend) -> None:
    """Those below and beside the screen are not."""
    told = pass_time(watched, backend)
    assert {one["kind"] for one in told} == {"SHOWN"}
    tracked = [one["tracking"] for one in told]
    assert "HERO/Tonight on Marquee/0" in tracked
    assert "TRENDING/Trending now/0" in tracked
    assert "TRENDING/Trending now/9" not in tracked
    assert not any(tracking.startswith("GENRE") for tracking in tracked)
    press(watched, "ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp")
    pass_time(watched, backend, until=2)
    tracked = [one["tracking"] for one in backend.interactions]
    assert len(tracked) == len(set(tracked))


def test_what_is_opened_is_told_with_its_place(watched: Page, backend: ContractBackend) -> None:
    """The click carries the tracking of its card."""
    press(watched, "ArrowDown", "ArrowRight")
    title = focus(watched)["title"]
    press(watched, "Enter")
    watched.wait_for_selector(".details[data-state=ready]")
    opened = [one for one in pass_time(watched, backend) if one["kind"] == "OPENED"]
    assert opened == [{"kind": "OPENED", "titleId": title, "tracking": "TRENDING/Trending now/1"}]


def test_a_batch_that_did_not_get_through_is_sent_again(watched: Page, backend: ContractBackend) -> None:
    """The network was away for a moment."""
    watched.route("**/graphql", lambda route: route.abort())
    watched.wait_for_timeout(150)
    watched.clock.run_for(LONG_ENOUGH_MS)
    watched.wait_for_timeout(100)
    watched.unroute("**/graphql")
    press(watched, "ArrowDown", "ArrowDown")
    told = pass_time(watched, backend)
    assert "HERO/Tonight on Marquee/0" in [one["tracking"] for one in told]


def test_nothing_is_told_of_a_child(tv: Page, site: str, backend: ContractBackend) -> None:
    """A kids profile's screens report nothing at all."""
    tv.clock.install()
    at_home(tv, site, backend, "prof_milo")
    press(tv, "ArrowDown", "Enter")
    tv.wait_for_timeout(150)
    tv.clock.run_for(3 * LONG_ENOUGH_MS)
    tv.wait_for_timeout(100)
    assert backend.interactions == []


def test_the_last_batch_goes_out_as_the_page_closes(phone: Page, site: str, backend: ContractBackend) -> None:
    """What a phone showed is told also when its page is left before the batch was due."""
    at_home(phone, site, backend, path="/phone/")
    phone.wait_for_timeout(1_200)
    phone.goto("about:blank")
    for _ in range(100):
        if backend.interactions:
            break
        phone.wait_for_timeout(10)
    assert "HERO/Tonight on Marquee/0" in [one["tracking"] for one in backend.interactions]


def test_a_hit_that_is_opened_is_told_with_its_search(watched: Page, backend: ContractBackend) -> None:
    """Its place in the search, as the search gave it."""
    watched.click("[data-place=SEARCH]")
    watched.keyboard.type("phant")
    watched.clock.run_for(1_000)
    watched.wait_for_selector(".grid .card")
    watched.locator(".grid .card").nth(1).click()
    watched.wait_for_selector(".details[data-state=ready]")
    opened = [one for one in pass_time(watched, backend) if one["kind"] == "OPENED"]
    assert [one["tracking"] for one in opened] == ["search.phant.2"]
