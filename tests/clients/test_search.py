"""Searching on both pages: what is offered while one types, how results are narrowed, and what is said when there are none."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.clients.contract_backend import ContractBackend
from tests.clients.page_driver import at_home, focus, press


@pytest.fixture
def searching(tv: Page, site: str, backend: ContractBackend) -> Page:
    """The TV's search, nothing typed."""
    at_home(tv, site, backend)
    tv.click("[data-place=SEARCH]")
    tv.wait_for_selector(".genre")
    return tv


def searches(backend: ContractBackend) -> list[dict[str, Any]]:
    return [variables for name, variables in backend.calls if name == "Search"]


def go_to(page: Page, key: str, words: str) -> None:
    """Press the key until the focus is on these words."""
    for _ in range(40):
        if words in focus(page)["words"]:
            return
        press(page, key)
    raise AssertionError(f"{words!r} was not reached by {key}")


def test_choices_narrow_the_results_and_are_taken_back(searching: Page, backend: ContractBackend) -> None:
    """A decade, with the remote control: the focus stays on it, pressing it again takes it back. So with the order."""
    searching.keyboard.type("the")
    choice = '.choice:has-text("1910s")'
    searching.wait_for_selector(choice)
    every = searching.locator(".grid .card").count()
    press(searching, "ArrowDown", "ArrowDown")
    go_to(searching, "ArrowRight", "1910s")
    press(searching, "Enter")
    searching.wait_for_selector(f"{choice}[aria-pressed=true]")
    searching.wait_for_function(
        f"document.querySelectorAll('.grid .card').length < {every} && !document.querySelector('.is-busy')"
    )
    assert searches(backend)[-1]["filter"] == {"decade": 1910}
    assert "1910s" in focus(searching)["words"]
    press(searching, "Enter")
    searching.wait_for_function(f"document.querySelectorAll('.grid .card').length === {every}")
    assert searches(backend)[-1]["filter"] == {}
    go_to(searching, "ArrowLeft", "Best match")
    press(searching, "Enter")
    searching.wait_for_selector('.choice.is-order:focus:has-text("Most popular")')
    press(searching, "Enter")
    searching.wait_for_selector('.choice.is-order:has-text("Newest")')
    searching.wait_for_function("!document.querySelector('.is-busy')")
    assert [one["sort"] for one in searches(backend)[-2:]] == ["POPULARITY", "RELEASE_YEAR"]


def test_people_and_genres_lead_to_their_pages(searching: Page, backend: ContractBackend) -> None:
    """A person's work, a genre's page; Back returns to the search as it was."""
    searching.keyboard.type("fantasy")
    searching.click('.suggestion:has-text("Fantasy")')
    searching.wait_for_selector('.home[aria-label="Fantasy"][data-state=ready]')
    assert (
        next(variables for name, variables in backend.calls if name == "TvHome" and variables["genreId"])["kind"]
        == "GENRE"
    )
    press(searching, "Escape")
    searching.wait_for_selector(".home", state="detached")
    press(searching, "ArrowUp", *["Backspace"] * 7)
    searching.keyboard.type("keaton")
    searching.click('.suggestion:has-text("Keaton")')
    searching.wait_for_selector(".person-page .card")
    press(searching, "Escape")
    searching.wait_for_selector(".person-page", state="detached")
    assert searching.locator(".query").inner_text() == "keaton"


def test_only_the_last_text_is_asked_for(searching: Page, backend: ContractBackend) -> None:
    """Typing without a pause is one search, and one that took too long does not overwrite a later one."""
    searching.keyboard.type("the kid ")
    searching.wait_for_selector(".grid .card")
    # A typed space is a space, also while a letter of the strip has the focus.
    assert [one["query"] for one in searches(backend)] == ["the kid"]
    held: list[Any] = []

    def hold(route: Any) -> None:
        is_search = "query Search(" in (route.request.post_data or "") and '"query":"metro"' in (
            route.request.post_data or ""
        )
        held.append(route) if is_search else route.continue_()

    searching.route("**/graphql", hold)
    for _ in range(8):
        searching.keyboard.press("Backspace")
    searching.keyboard.type("metro")
    for _ in range(200):
        if held:
            break
        searching.wait_for_timeout(10)
    searching.keyboard.type("polis")
    searching.wait_for_function("document.querySelector('.grid .card-name')?.innerText === 'Metropolis'")
    assert held[0].request.failure is not None or searching.locator(".query").inner_text() == "metropolis"


def test_a_search_that_fails_can_be_tried_again(searching: Page, backend: ContractBackend) -> None:
    """The text stays, and the button has the focus's way."""
    backend.down = True
    searching.keyboard.type("kid")
    searching.wait_for_selector(".grid .statement")
    backend.down = False
    searching.click(".grid .statement .button")
    searching.wait_for_selector(".grid .card")


def test_the_phone_narrows_and_orders(phone: Page, site: str, backend: ContractBackend) -> None:
    """Choices as chips, the order as a list of the phone's own; the way to a genre and back."""
    at_home(phone, site, backend, path="/phone/")
    phone.tap("[data-tab=search]")
    phone.tap(".genre >> nth=0")
    phone.wait_for_selector(".home[data-kind=GENRE][data-state=ready]")
    phone.tap(".header-back")
    phone.fill("input[type=search]", "the")
    phone.wait_for_selector('.choice:has-text("1910s")')
    phone.tap('.choice:has-text("1910s")')
    phone.wait_for_selector('.choice[aria-pressed=true]:has-text("1910s")')
    phone.select_option("select.choice", "RELEASE_YEAR")
    phone.wait_for_function("!document.querySelector('.search.is-busy')")
    assert searches(backend)[-1]["filter"] == {"decade": 1910}
    assert searches(backend)[-1]["sort"] == "RELEASE_YEAR"
    assert phone.evaluate("document.querySelector('.search').scrollWidth") <= 390
