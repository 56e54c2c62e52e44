"""The TV page when things are not as they should be, and when the viewer may not."""

from playwright.sync_api import Page

from tests.clients.contract_backend import PASSWORD, ContractBackend
from tests.clients.page_driver import at_home, come_in, focus, operations, press


def test_signing_in_takes_one_press_and_a_profile(tv: Page, site: str, backend: ContractBackend) -> None:
    """A demo account, then a profile, then home; the tokens of both steps are kept."""
    tv.goto(f"{site}/tv/")
    tv.wait_for_selector(".account-card:focus")
    press(tv, "Enter")
    tv.wait_for_selector(".profile-card:focus")
    press(tv, "ArrowRight", "Enter")
    tv.wait_for_selector(".home[data-state=ready]")
    assert operations(backend) == ["LogIn", "Viewer", "SelectProfile", "Onboarding", "TvHome"]
    kept_id = tv.evaluate("localStorage['marquee.device']")
    assert backend.calls[0][1]["input"] == {
        "email": "premium@marquee.example",
        "password": PASSWORD,
        "deviceName": "TV",
        "device": {"id": kept_id, "name": "TV", "formFactor": "TV"},
    }
    assert tv.locator(".who-name").inner_text() == "Grace"


def test_a_wrong_password_is_said(tv: Page, site: str) -> None:
    """The form stays, with a sentence beside it."""
    tv.goto(f"{site}/tv/")
    tv.fill("input[type=email]", "me@example.org")
    tv.fill("input[type=password]", "not it")
    press(tv, "Enter")
    tv.wait_for_selector("text=That e-mail and password don\u2019t match.")


def test_a_kids_profile_is_visible_and_sees_less(tv: Page, site: str, backend: ContractBackend) -> None:
    """The badge and the colour say so, and what the server leaves out is not there."""
    at_home(tv, site, backend, "prof_milo")
    assert tv.locator(".top-bar .kids-badge").is_visible()
    assert tv.evaluate("document.documentElement.dataset.kids") == "true"
    assert "Nosferatu" not in tv.locator("#stage").inner_text()


def test_an_expired_token_is_renewed_once_for_all_calls(tv: Page, site: str, backend: ContractBackend) -> None:
    """Calls that fail together wait for one refresh and are tried again; nobody is signed out."""
    at_home(tv, site, backend)
    press(tv, "ArrowUp", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "Enter")
    tv.wait_for_selector(".genre")
    backend.calls.clear()
    backend.expire_access_tokens()
    tv.keyboard.type("kid")
    tv.wait_for_selector(".grid .card")
    assert operations(backend).count("RefreshSession") == 1
    assert operations(backend).count("Search") == 2
    assert tv.evaluate("JSON.parse(localStorage['marquee.session']).profile.name") == "Ada"


def test_a_refused_refresh_ends_at_the_sign_in(tv: Page, site: str, backend: ContractBackend) -> None:
    """A refresh token that was used before ends the session, and the screen says so."""
    backend.refresh_tokens.clear()
    come_in(tv, site, backend)
    tv.wait_for_selector(".home[data-state=ready]")
    backend.expire_access_tokens()
    backend.refresh_tokens.clear()
    tv.reload()
    tv.wait_for_selector(".sign-in")
    assert "signed out" in tv.locator(".sign-in-message").inner_text()
    assert tv.evaluate("localStorage['marquee.session']") is None


def test_a_server_that_is_down_can_be_tried_again(tv: Page, site: str, backend: ContractBackend) -> None:
    """The screen says what is the matter; Enter tries again, and the page has the focus from then on."""
    backend.down = True
    come_in(tv, site, backend)
    tv.wait_for_selector(".home[data-state=failed]")
    assert focus(tv)["words"] == "Try again"
    backend.down = False
    press(tv, "Enter")
    tv.wait_for_selector(".home[data-state=ready]")
    tv.wait_for_selector(".billboard .statement", state="detached")
    assert tv.evaluate("document.activeElement.matches('.hero-actions [data-item]')")


def test_a_network_that_is_gone_is_named(tv: Page, site: str, backend: ContractBackend) -> None:
    """No connection is told apart from a server's failure."""
    tv.route("**/graphql", lambda route: route.abort())
    come_in(tv, site, backend)
    tv.wait_for_selector("text=We can\u2019t reach Marquee")


def test_a_page_with_failed_parts_is_shown(tv: Page, site: str, backend: ContractBackend) -> None:
    """Without progress and match the rows stay, and a line says that something is missing."""
    backend.broken_fields = {"progress", "match"}
    at_home(tv, site, backend)
    assert tv.locator(".row .card").count() > 20
    assert tv.locator("#toast.is-shown").inner_text() == "Some parts of this page could not be loaded."


def test_a_title_without_a_film_says_so_and_offers_no_play(tv: Page, site: str, backend: ContractBackend) -> None:
    """The reason stands where Play would be; My List still works."""
    at_home(tv, site, backend)
    press(tv, "ArrowDown", "Enter")
    tv.wait_for_selector(".details[data-state=ready]")
    assert "no film to play here yet" in tv.locator(".details-notice").inner_text()
    assert tv.locator("[data-action=play]").count() == 0
    press(tv, "Enter")
    tv.wait_for_selector("text=Added to My List.")
    assert len(backend.my_list) == 1
    assert focus(tv)["words"] == "In My List"


def test_a_thumb_is_given_and_taken_back_with_the_remote_control(tv: Page, site: str, backend: ContractBackend) -> None:
    """The button says what it means when it has the focus; the same gesture again takes it back."""
    at_home(tv, site, backend)
    press(tv, "ArrowDown")
    title = focus(tv)["title"]
    press(tv, "Enter")
    tv.wait_for_selector(".details[data-state=ready]")
    press(tv, "ArrowRight", "Enter")
    tv.wait_for_selector('[data-action=UP][aria-pressed=true]:focus[aria-label="You like this"]')
    assert backend.thumbs == {title: "UP"}
    press(tv, "Enter")
    tv.wait_for_selector('[data-action=UP][aria-pressed=false]:focus[aria-label="Like"]')
    assert backend.thumbs == {}


def test_a_begun_title_can_be_taken_from_what_to_go_on_with(tv: Page, site: str, backend: ContractBackend) -> None:
    """The row loses it, in place."""
    backend.positions = {"mov_nosferatu": 900.0, "mov_metropolis": 60.0}
    at_home(tv, site, backend)
    press(tv, "ArrowDown", "ArrowRight", "Enter")
    tv.wait_for_selector(".details[data-state=ready]")
    tv.click("[data-action=dismiss]")
    tv.wait_for_selector("[data-action=dismiss]", state="detached")
    press(tv, "Backspace")
    tv.wait_for_selector("[data-row=CONTINUE_WATCHING] [data-title=mov_nosferatu]", state="detached")
    assert focus(tv) == {"row": "CONTINUE_WATCHING", "title": "mov_metropolis", "words": focus(tv)["words"]}


def test_a_title_that_is_not_there_leads_back(tv: Page, site: str, backend: ContractBackend) -> None:
    """A title that left, or that this profile may not see, is one and the same sentence."""
    at_home(tv, site, backend)
    press(tv, "ArrowDown")
    del backend.titles[focus(tv)["title"]]
    press(tv, "Enter")
    tv.wait_for_selector("text=This title is not here")
    assert focus(tv)["words"] == "Go back"


def test_an_address_that_is_badly_encoded_is_a_title_that_is_not_there(
    tv: Page, site: str, backend: ContractBackend
) -> None:
    """Somebody's link was cut within an escape."""
    at_home(tv, site, backend)
    tv.evaluate("location.hash = '#/title/%'")
    tv.wait_for_selector("text=This title is not here")
    press(tv, "Enter")
    tv.wait_for_selector(".details", state="detached")
    assert tv.evaluate("document.activeElement.matches('.home [data-item]')")


def test_an_empty_list_says_how_to_fill_it(tv: Page, site: str, backend: ContractBackend) -> None:
    """No titles is not an error."""
    at_home(tv, site, backend)
    press(tv, "ArrowUp", "ArrowRight", "ArrowRight", "ArrowRight", "Enter")
    tv.wait_for_selector("text=Your list is empty")


def test_a_title_is_shown_while_playback_does_not_answer(tv: Page, site: str, backend: ContractBackend) -> None:
    """What the catalogue knows stays; Play comes back when it can be decided again."""
    at_home(tv, site, backend)
    backend.broken_fields = {"canPlay"}
    tv.evaluate("location.hash = '#/title/ser_les-vampires'")
    tv.wait_for_selector(".details[data-state=ready]")
    assert tv.locator(".details .synopsis").inner_text().startswith("A reporter")
    assert "not possible right now" in tv.locator(".details-notice").inner_text()
    assert focus(tv)["words"] == "Try again"
    backend.broken_fields = set()
    press(tv, "Enter")
    tv.wait_for_selector("[data-action=play]")
    assert focus(tv)["words"] == "Play S1 E1"
