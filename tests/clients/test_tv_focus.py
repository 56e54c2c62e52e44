"""The TV page under a remote control: where the focus goes, what it remembers, what Back does."""

from playwright.sync_api import Page

from tests.clients.contract_backend import ContractBackend
from tests.clients.page_driver import at_home, come_in, focus, press


def test_each_row_remembers_its_card(tv: Page, site: str, backend: ContractBackend) -> None:
    """Leaving a row and coming back lands on the card that was left."""
    at_home(tv, site, backend)
    press(tv, "ArrowDown", "ArrowRight", "ArrowRight")
    left = focus(tv)
    press(tv, "ArrowDown", "ArrowRight")
    other = focus(tv)
    press(tv, "ArrowUp")
    assert focus(tv) == left
    assert left["row"] == "TRENDING"
    press(tv, "ArrowDown")
    assert focus(tv) == other


def test_the_focus_stays_at_the_edges(tv: Page, site: str, backend: ContractBackend) -> None:
    """Left on the first card of a row goes nowhere."""
    at_home(tv, site, backend)
    press(tv, "ArrowDown")
    first = focus(tv)
    press(tv, "ArrowLeft", "ArrowLeft")
    assert focus(tv) == first


def test_enter_opens_details_and_back_returns_to_the_same_card(tv: Page, site: str, backend: ContractBackend) -> None:
    """The way back ends where it began."""
    at_home(tv, site, backend)
    press(tv, "ArrowDown", "ArrowDown", "ArrowRight")
    card = focus(tv)
    press(tv, "Enter")
    tv.wait_for_selector(".details[data-state=ready]")
    assert tv.locator(".details h1").inner_text() == backend.titles[card["title"]]["displayName"]
    press(tv, "Backspace")
    tv.wait_for_selector(".details", state="detached")
    assert focus(tv) == card


def test_a_focused_card_is_always_inside_the_safe_area(tv: Page, site: str, backend: ContractBackend) -> None:
    """However far one goes along a row, the card is on screen and its picture keeps clear of the sides."""
    at_home(tv, site, backend)
    press(tv, "ArrowDown", "ArrowDown", "ArrowDown")
    for _ in range(13):
        press(tv, "ArrowRight")
        tv.wait_for_timeout(40)
        box = tv.locator(".card:focus .card-picture").bounding_box()
        assert box is not None
        assert box["x"] >= 70
        assert box["x"] + box["width"] <= 1920 - 48
        assert box["y"] + box["height"] <= 1080


def test_a_row_loads_its_further_cards(tv: Page, site: str, backend: ContractBackend) -> None:
    """A row shows ten cards first and fetches more before the viewer reaches the end."""
    at_home(tv, site, backend)
    row = tv.locator('[data-row="TOP_PICKS"] .card')
    assert row.count() == 10
    tv.locator('[data-row="TOP_PICKS"] .card').nth(8).dispatch_event("pointerdown")
    tv.wait_for_function("document.querySelectorAll('[data-row=\"TOP_PICKS\"] .card').length === 14")


def test_a_grid_keeps_the_column(tv: Page, site: str, backend: ContractBackend) -> None:
    """In My List, down goes to the card below, not to the first of the next row."""
    backend.my_list = list(backend.titles)[:8]
    at_home(tv, site, backend)
    press(tv, "ArrowUp", "ArrowRight", "ArrowRight", "ArrowRight", "Enter")
    tv.wait_for_selector(".my-list .card")
    tv.wait_for_function("document.activeElement.closest('.grid-row')")
    press(tv, "ArrowRight")
    columns = tv.evaluate("[...document.querySelectorAll('.grid-row')].map((row) => row.children[1].dataset.title)")
    assert focus(tv)["title"] == columns[0]
    press(tv, "ArrowDown")
    assert focus(tv)["title"] == columns[1]


def test_back_at_home_goes_to_the_places(tv: Page, site: str, backend: ContractBackend) -> None:
    """With nothing to go back to, Back brings the line at the top, and never leaves the page."""
    at_home(tv, site, backend)
    press(tv, "ArrowDown", "ArrowDown", "Escape")
    assert focus(tv)["words"] == "Home"
    press(tv, "Escape")
    assert focus(tv)["words"] == "Home"


def test_seasons_show_their_episodes(tv: Page, site: str, backend: ContractBackend) -> None:
    """A season's tab shows its episodes as soon as it has the focus."""
    at_home(tv, site, backend)
    press(tv, "ArrowUp", "ArrowRight", "ArrowRight", "Enter")
    tv.wait_for_selector('.home[aria-label="Series"][data-state=ready]')
    press(tv, "Enter")
    tv.wait_for_selector(".details[data-state=ready]")
    press(tv, "ArrowDown", "ArrowRight")
    assert focus(tv)["words"] == "Season 2"
    press(tv, "ArrowDown")
    assert focus(tv)["words"].startswith("1. Hypnotic Eyes")


def test_search_follows_the_letters(tv: Page, site: str, backend: ContractBackend) -> None:
    """Letters chosen with the remote control and typed ones find titles; Backspace takes one back."""
    at_home(tv, site, backend)
    press(tv, "ArrowUp", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "Enter")
    tv.wait_for_selector(".letters")
    assert focus(tv)["words"] == "a"
    tv.keyboard.type("nosfx")
    tv.wait_for_selector("text=Nothing found for “nosfx”")
    press(tv, "Backspace")
    tv.wait_for_selector(".grid .card")
    assert tv.locator(".grid .card-name").all_inner_texts() == ["Nosferatu"]


def test_an_address_opens_a_title_above_home(tv: Page, site: str, backend: ContractBackend) -> None:
    """A link to a title lands on its details; Back leads home with the focus on the hero."""
    come_in(tv, site, backend, path="/tv/#/title/mov_nosferatu")
    tv.wait_for_selector(".details[data-state=ready]")
    assert tv.locator(".details h1").inner_text() == "Nosferatu"
    tv.wait_for_selector(".home[data-state=ready]", state="attached")
    press(tv, "Escape")
    tv.wait_for_selector(".details", state="detached")
    assert focus(tv)["row"] == "hero"
