"""A page on screen takes over what changed: in place, without another look at what stays, and with the viewer where they were."""

from typing import Any

from playwright.sync_api import Page

from tests.clients.contract_backend import ContractBackend
from tests.clients.page_driver import answer_to, at_home, focus, operations, press

PHONE = "/phone/"
MARK = "document.querySelectorAll('.home .card-picture').forEach((picture) => { picture.seen = true; })"
STRANGERS = "[...document.querySelectorAll('[data-row=TRENDING] .card-picture')].filter((one) => !one.seen).length"


def add_to_list_and_return(tv: Page, *, meanwhile: Any = lambda: None) -> None:
    """From a focused card: open it, keep it in My List, which changes the page, and come back."""
    press(tv, "Enter")
    tv.wait_for_selector(".details[data-state=ready]")
    tv.click("[data-action=list]")
    tv.wait_for_selector("text=Added to My List.")
    meanwhile()
    press(tv, "Backspace")
    tv.wait_for_selector(".details", state="detached")


def test_a_title_that_is_gone_leaves_the_focus_to_the_next(tv: Page, site: str, backend: ContractBackend) -> None:
    """All other pictures stay the same elements; nothing is loaded anew."""
    at_home(tv, site, backend)
    press(tv, "ArrowDown", "ArrowRight", "ArrowRight")
    before = tv.eval_on_selector_all("[data-row=TRENDING] .card", "cards => cards.map((card) => card.dataset.title)")
    gone = focus(tv)["title"]
    tv.evaluate(MARK)
    add_to_list_and_return(tv, meanwhile=lambda: backend.thumbs.update({gone: "NOT_INTERESTED"}))
    tv.wait_for_selector(f'.home .card[data-title="{gone}"]', state="detached")
    assert focus(tv)["title"] == before[3]
    # The row had more than it showed, and one of them moved up; no other picture fades in again.
    assert tv.evaluate(STRANGERS) == 1
    assert operations(backend).count("TvHome") == 1
    assert operations(backend).count("TvRefresh") == 1


def test_a_row_that_comes_above_moves_nothing_under_the_focus(tv: Page, site: str, backend: ContractBackend) -> None:
    """The row that the viewer is in stays where it is on the screen, with the same card in focus."""
    at_home(tv, site, backend)
    press(tv, "ArrowDown", "ArrowDown", "ArrowRight")
    card = focus(tv)
    top = tv.locator(".card:focus").bounding_box()
    add_to_list_and_return(tv, meanwhile=lambda: backend.positions.update({"mov_nosferatu": 900.0}))
    tv.wait_for_selector("[data-row=CONTINUE_WATCHING]", state="attached")
    assert focus(tv) == card
    there = tv.locator(".card:focus").bounding_box()
    assert top is not None
    assert there is not None
    assert there["x"] == top["x"]
    assert abs(there["y"] - top["y"]) <= 1
    assert tv.eval_on_selector_all(".home .row", "rows => rows.map((row) => row.ariaLabel)")[:2] == [
        "Continue watching",
        "Trending now",
    ]


def test_a_row_that_is_gone_leaves_the_focus_to_the_one_in_its_place(
    tv: Page, site: str, backend: ContractBackend
) -> None:
    """Never nowhere."""
    backend.positions["mov_nosferatu"] = 900.0
    at_home(tv, site, backend)
    press(tv, "ArrowDown")
    assert focus(tv)["row"] == "CONTINUE_WATCHING"
    add_to_list_and_return(tv, meanwhile=backend.positions.clear)
    tv.wait_for_selector("[data-row=CONTINUE_WATCHING]", state="detached")
    assert focus(tv)["row"] == "TRENDING"


def test_a_page_that_is_too_old_comes_anew_with_the_focus_kept(tv: Page, site: str, backend: ContractBackend) -> None:
    """Also on a card that only going along the row had brought."""
    at_home(tv, site, backend)
    press(tv, "ArrowDown", "ArrowDown", "ArrowDown")
    tv.locator("[data-row=TOP_PICKS] .card").nth(8).dispatch_event("pointerdown")
    tv.wait_for_function("document.querySelectorAll('[data-row=TOP_PICKS] .card').length === 14")
    tv.locator("[data-row=TOP_PICKS] .card").nth(12).dispatch_event("pointerdown")
    card = focus(tv)

    def begin_and_forget() -> None:
        backend.positions["mov_nosferatu"] = 900.0
        backend.pages.forget()

    add_to_list_and_return(tv, meanwhile=begin_and_forget)
    # Only the page that came anew has it.
    tv.wait_for_selector("[data-row=CONTINUE_WATCHING]", state="attached")
    tv.wait_for_function("document.querySelectorAll('[data-row=TOP_PICKS] .card').length === 14")
    assert focus(tv) == card
    assert operations(backend)[-2:] == ["TvRefresh", "TvHome"]


def test_going_along_a_row_of_a_page_that_is_too_old_loads_the_page(
    tv: Page, site: str, backend: ContractBackend
) -> None:
    """A cursor that leads nowhere is no dead end."""
    at_home(tv, site, backend)
    backend.pages.forget()
    with answer_to(tv, "TvHome"):
        tv.locator("[data-row=TOP_PICKS] .card").nth(8).dispatch_event("pointerdown")
    tv.wait_for_function("document.querySelector('.card:focus') !== null")
    card = focus(tv)
    tv.wait_for_selector(".home[data-state=ready]")
    press(tv, "ArrowLeft", "ArrowRight")
    assert focus(tv) == card
    tv.wait_for_function("document.querySelectorAll('[data-row=TOP_PICKS] .card').length === 14")


def test_the_phone_keeps_the_rows_under_the_eye(phone: Page, site: str, backend: ContractBackend) -> None:
    """A row comes in above; what the viewer reads does not jump, and a row that was pushed stays pushed."""
    at_home(phone, site, backend, path=PHONE)
    row = '.row[aria-label="Top picks for you"]'
    phone.evaluate(f"document.querySelector('{row}').scrollIntoView()")
    phone.evaluate(f"document.querySelector('{row} .row-track').scrollLeft = 240")
    top = phone.evaluate(f"document.querySelector('{row}').getBoundingClientRect().top")
    phone.evaluate("location.hash = '#/title/mov_metropolis'")
    phone.wait_for_selector(".details[data-state=ready]")
    phone.tap(".details .action")
    phone.wait_for_selector(".action[aria-pressed=true]")
    backend.positions["mov_nosferatu"] = 900.0
    phone.go_back()
    phone.wait_for_selector(".row.is-continue_watching", state="attached")
    assert abs(phone.evaluate(f"document.querySelector('{row}').getBoundingClientRect().top") - top) < 2
    assert phone.evaluate(f"document.querySelector('{row} .row-track').scrollLeft") > 200
    from_the_top = [
        variables for name, variables in backend.calls if name == "PhoneHome" and not variables.get("after")
    ]
    assert len(from_the_top) == 1
    assert "PhoneRefresh" in operations(backend)


def test_a_row_of_the_phone_goes_on_sideways(phone: Page, site: str, backend: ContractBackend) -> None:
    """The first answer brings eight cards; pushing the row brings the rest, each once."""
    at_home(phone, site, backend, path=PHONE)
    cards = '.row[aria-label="Top picks for you"] .card'
    assert phone.locator(cards).count() == 8
    phone.evaluate("document.querySelector('.row[aria-label=\"Top picks for you\"] .row-track').scrollLeft = 700")
    phone.wait_for_function(f"document.querySelectorAll('{cards}').length === 14")
    ids = phone.eval_on_selector_all(cards, "cards => cards.map((card) => card.dataset.title)")
    assert len(ids) == len(set(ids))
