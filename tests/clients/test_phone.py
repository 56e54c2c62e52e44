"""The phone page under a finger."""

from graphql import GraphQLEnumType
from playwright.sync_api import Page

from tests.clients.contract_backend import ContractBackend
from tests.clients.page_driver import at_home

PATH = "/phone/"


def test_search_suggests_and_finds(phone: Page, site: str, backend: ContractBackend) -> None:
    """Typing brings completions and posters; a completion opens its title, Back returns to the search."""
    at_home(phone, site, backend, path=PATH)
    phone.tap("[data-tab=search]")
    phone.fill("input[type=search]", "phant")
    phone.wait_for_selector(".results .poster")
    phone.wait_for_selector(".suggestion")
    assert phone.locator(".suggestion").all_inner_texts() == ["The Phantom Carriage", "The Phantom of the Opera"]
    phone.tap(".suggestion >> nth=0")
    phone.wait_for_selector(".details[data-state=ready]")
    assert phone.locator(".details h1").inner_text() == "The Phantom Carriage"
    phone.go_back()
    phone.wait_for_selector(".details", state="detached")
    assert phone.input_value("input[type=search]") == "phant"
    assert phone.locator(".results .poster").count() == 2


def test_nothing_found_is_said(phone: Page, site: str, backend: ContractBackend) -> None:
    """An empty result is a sentence with advice."""
    at_home(phone, site, backend, path=PATH)
    phone.tap("[data-tab=search]")
    phone.fill("input[type=search]", "zzzz")
    phone.wait_for_selector("text=Nothing found for “zzzz”")


def test_home_loads_more_rows_as_one_scrolls(phone: Page, site: str, backend: ContractBackend) -> None:
    """The first answer brings some sections, the rest comes near the end of the page."""
    at_home(phone, site, backend, path=PATH)
    rows = phone.locator(".home .row")
    phone.evaluate("document.querySelector('.home').scrollTo(0, 99999)")
    phone.wait_for_selector('.row[aria-label="Science Fiction"]')
    headings = rows.locator("h2").all_inner_texts()
    assert len(headings) == len(set(headings))


def test_nothing_is_wider_than_the_screen(phone: Page, site: str, backend: ContractBackend) -> None:
    """Neither the home page nor a title's sheet scrolls sideways."""
    at_home(phone, site, backend, path=PATH)
    assert phone.evaluate("document.querySelector('.home').scrollWidth") <= 390
    phone.evaluate("location.hash = '#/title/ser_les-vampires'")
    phone.wait_for_selector(".details[data-state=ready]")
    assert phone.evaluate("document.querySelector('.sheet-body').scrollWidth") <= 390


def test_my_list_follows_what_was_added(phone: Page, site: str, backend: ContractBackend) -> None:
    """A title added on its sheet is in the list tab afterwards."""
    at_home(phone, site, backend, path=PATH)
    phone.tap("[data-tab=list]")
    phone.wait_for_selector("text=Your list is empty")
    phone.evaluate("location.hash = '#/title/mov_metropolis'")
    phone.wait_for_selector(".details[data-state=ready]")
    phone.tap(".details .action")
    phone.wait_for_selector(".action[aria-pressed=true]")
    phone.go_back()
    phone.wait_for_selector('.my-list .poster[data-title="mov_metropolis"]')


def test_a_refusal_is_a_sentence_on_the_sheet(phone: Page, site: str, backend: ContractBackend) -> None:
    """What the server refuses stands where Play would be."""
    backend.refusals["mov_metropolis"] = {"reason": "SUBSCRIPTION_LAPSED"}
    at_home(phone, site, backend, path=PATH)
    phone.evaluate("location.hash = '#/title/mov_metropolis'")
    phone.wait_for_selector("text=Your subscription has ended.")
    assert phone.locator(".play-area").count() == 0


def test_every_reason_for_a_refusal_has_its_sentence(phone: Page, site: str, backend: ContractBackend) -> None:
    """No code of the schema reaches the screen, and no two sound the same."""
    refusal = backend.schema.type_map["PlayRefusalReason"]
    assert isinstance(refusal, GraphQLEnumType)
    reasons = list(refusal.values)
    phone.goto(f"{site}{PATH}")
    script = """async (reasons) => {
      const { refusalSentence } = await import('/shared/wording.js');
      return reasons.map((reason) => refusalSentence({ reason, message: 'fallback', maxStreams: 2 }));
    }"""
    sentences = phone.evaluate(script, reasons)
    assert len(set(sentences)) == len(reasons)
    assert not any("fallback" in sentence or "_" in sentence for sentence in sentences)


def test_what_was_seen_to_its_end_is_not_under_way(phone: Page, site: str) -> None:
    """No bar and nothing left of what the server counts as watched."""
    phone.goto(f"{site}{PATH}")
    script = """async () => {
      const { partWatched, remaining } = await import('/shared/wording.js');
      return [0.25, 0.9, 1].map((fraction) => {
        const progress = { fraction, positionSeconds: fraction * 6000, durationSeconds: 6000 };
        return [partWatched(progress), remaining(progress)];
      });
    }"""
    assert phone.evaluate(script) == [[0.25, "1 h 15 min left"], [0, None], [0, None]]


def test_signing_in_by_touch(phone: Page, site: str, backend: ContractBackend) -> None:
    """Account, profile, home."""
    phone.goto(f"{site}{PATH}")
    phone.tap(".account-card >> nth=0")
    phone.tap(".profile-card >> nth=0")
    phone.wait_for_selector(".home[data-state=ready]")
    device = next(variables["device"] for name, variables in backend.calls if name == "PhoneHome")
    assert (device["formFactor"], device["widthPx"], device["pixelRatio"]) == ("PHONE", 390, 2)


def test_home_stays_while_profiles_and_playback_do_not_answer(phone: Page, site: str, backend: ContractBackend) -> None:
    """The home page asks nothing of them that may not be null."""
    backend.broken_fields = {"progress", "inMyList", "rating", "match", "canPlay"}
    at_home(phone, site, backend, path=PATH)
    assert phone.locator(".home .poster").count() > 10


def test_a_profile_with_a_pin_asks_for_it(phone: Page, site: str, backend: ContractBackend) -> None:
    """The fourth digit sends it; a wrong one empties the field and says what is left."""
    backend.pins["prof_ada"] = "2580"
    phone.goto(site + PATH)
    phone.tap(".account-card >> nth=0")
    phone.tap('.profile-card:has-text("Ada")')
    phone.wait_for_selector("text=PIN of Ada")
    phone.keyboard.type("1111")
    phone.wait_for_selector("text=That is not the PIN. 4 tries left.")
    assert phone.input_value(".pin-form input") == ""
    phone.keyboard.type("2580")
    phone.wait_for_selector(".home[data-state=ready]")


def test_a_badly_encoded_address_leads_where_an_unknown_one_leads(
    phone: Page, site: str, backend: ContractBackend
) -> None:
    """Of a title: it is not here. Of a genre: nothing is in it. Also when the page opens with it."""
    at_home(phone, site, backend, path=PATH + "#/genre/%/%zz")
    phone.wait_for_selector("text=Nothing here yet")
    phone.evaluate("location.hash = '#/title/%C3'")
    phone.wait_for_selector("text=This title is not here")
