"""A profile with a PIN on the TV page: the keypad under a remote control, and what is said when the PIN is not right."""

import pytest
from playwright.sync_api import Page

from tests.clients.contract_backend import ContractBackend
from tests.clients.page_driver import focus, press


@pytest.fixture
def asked(tv: Page, site: str, backend: ContractBackend) -> Page:
    """Signed in, and Grace, whose PIN is 2580, was chosen."""
    backend.pins["prof_grace"] = "2580"
    tv.goto(f"{site}/tv/")
    tv.wait_for_selector(".account-card:focus")
    press(tv, "Enter")
    tv.wait_for_selector(".profile-card:focus")
    press(tv, "ArrowRight")
    assert "PIN" in focus(tv)["words"]
    press(tv, "Enter")
    tv.wait_for_selector(".pin-key:focus")
    return tv


def test_the_keypad_is_driven_by_arrows_and_keeps_the_column(asked: Page, backend: ContractBackend) -> None:
    """2, 5, 8 and 0 lie below each other; the last digit sends them, and none is ever on the screen."""
    assert focus(asked)["words"] == "1"
    press(asked, "ArrowRight", "Enter")
    for _ in range(2):
        press(asked, "ArrowDown", "Enter")
    assert focus(asked)["words"] == "8"
    assert asked.locator(".pin-dots .is-given").count() == 3
    assert asked.locator(".pin-dots").inner_text() == ""
    press(asked, "ArrowDown", "Enter")
    asked.wait_for_selector(".home[data-state=ready]")
    assert asked.locator(".who-name").inner_text() == "Grace"
    assert [name for name, _ in backend.calls].count("SelectProfile") == 1


def test_a_wrong_pin_is_said_with_the_tries_that_are_left(asked: Page, backend: ContractBackend) -> None:
    """The dots are empty again, and the focus stays on the keypad; in the end it says how long to wait."""
    backend.pin_tries = 2
    asked.keyboard.type("1111")
    asked.wait_for_selector("text=That is not the PIN. 1 try left.")
    assert asked.locator(".pin-dots .is-given").count() == 0
    assert focus(asked)["row"] == "grid"
    asked.keyboard.type("2222")
    asked.wait_for_selector("text=Try again in 15 min")
    assert asked.locator(".home").count() == 0


def test_back_takes_a_digit_back_and_then_leads_to_the_profiles(asked: Page) -> None:
    """As in search; the profile that was chosen has the focus again."""
    asked.keyboard.type("25")
    press(asked, "Backspace")
    assert asked.locator(".pin-dots .is-given").count() == 1
    press(asked, "Backspace", "Backspace")
    asked.wait_for_selector(".pin", state="detached")
    assert "Grace" in focus(asked)["words"]


def test_a_pin_that_is_new_is_asked_for(tv: Page, site: str, backend: ContractBackend) -> None:
    """The list of profiles is older than the PIN: the answer opens the keypad."""
    tv.goto(f"{site}/tv/")
    tv.wait_for_selector(".account-card:focus")
    press(tv, "Enter")
    tv.wait_for_selector(".profile-card:focus")
    backend.pins["prof_ada"] = "1234"
    press(tv, "Enter")
    tv.wait_for_selector("text=PIN of Ada")
    tv.keyboard.type("1234")
    tv.wait_for_selector(".home[data-state=ready]")
