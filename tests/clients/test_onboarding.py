"""A new profile is asked what it likes before its first home page, once, and may say nothing."""

from playwright.sync_api import Page

from tests.clients.contract_backend import ContractBackend
from tests.clients.page_driver import focus, press


def choose_new_profile(tv: Page, site: str, backend: ContractBackend) -> None:
    backend.is_new = True
    tv.goto(f"{site}/tv/")
    tv.wait_for_selector(".account-card:focus")
    press(tv, "Enter")
    tv.wait_for_selector(".profile-card:focus")
    press(tv, "Enter")


def test_picks_are_made_with_the_remote_control(tv: Page, site: str, backend: ContractBackend) -> None:
    """Enter picks and takes back; the way up leads to the button that says how many; then comes home."""
    choose_new_profile(tv, site, backend)
    tv.wait_for_selector(".onboarding .pick:focus")
    assert tv.locator("[data-action=done]").is_hidden()
    press(tv, "Enter", "ArrowRight", "Enter", "ArrowDown", "Enter")
    below = focus(tv)["title"]
    press(tv, "ArrowUp", "Enter", "ArrowUp")
    assert focus(tv)["words"] == "Continue with 2 titles"
    press(tv, "Enter")
    tv.wait_for_selector(".home[data-state=ready]")
    first = backend.visible()[0]["id"]
    assert backend.picks == [first, below]


def test_skipping_is_told_and_not_asked_again(tv: Page, site: str, backend: ContractBackend) -> None:
    """Ten picks are enough, and none is fine. Afterwards the same profile comes home at once, without a question."""
    choose_new_profile(tv, site, backend)
    tv.wait_for_selector(".onboarding .pick:focus")
    tv.evaluate("[...document.querySelectorAll('.pick')].slice(0, 11).forEach((card) => card.click())")
    tv.wait_for_selector("text=10 are enough to begin with.")
    assert tv.locator(".pick[aria-pressed=true]").count() == 10
    press(tv, "ArrowUp", "ArrowRight", "Enter")
    tv.wait_for_selector(".home[data-state=ready]")
    assert backend.picks == []
    backend.is_new = True
    tv.click(".place.who")
    tv.wait_for_selector(".profile-card:focus")
    press(tv, "Enter")
    tv.wait_for_selector(".home[data-state=ready]")
    assert [name for name, _ in backend.calls].count("Onboarding") == 1


def test_home_does_not_wait_for_a_question_that_fails(tv: Page, site: str, backend: ContractBackend) -> None:
    """Nobody is kept from home by recommendations that are away."""
    backend.broken_fields = {"onboarding"}
    choose_new_profile(tv, site, backend)
    tv.wait_for_selector(".home[data-state=ready]")
    assert backend.picks is None


def test_picks_are_made_by_touch(phone: Page, site: str, backend: ContractBackend) -> None:
    """Posters to touch, a button that stays in sight, then home."""
    backend.is_new = True
    phone.goto(f"{site}/phone/")
    phone.tap(".account-card >> nth=0")
    phone.tap(".profile-card >> nth=0")
    phone.tap(".pick >> nth=1")
    assert phone.locator(".onboarding .button.is-primary").inner_text() == "Continue with 1 title"
    assert phone.evaluate("document.querySelector('.onboarding').scrollWidth") <= 390
    phone.tap(".onboarding .button.is-primary")
    phone.wait_for_selector(".home[data-state=ready]")
    assert backend.picks == [backend.visible()[1]["id"]]
