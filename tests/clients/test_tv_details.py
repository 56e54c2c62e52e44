"""What a title's own screen on the TV leads to besides the film: trailers, and the people who made it."""

from playwright.sync_api import Page

from tests.clients.catalogue import add_trailer
from tests.clients.contract_backend import ContractBackend
from tests.clients.page_driver import come_in, focus, press


def open_title(page: Page, url: str, backend: ContractBackend, title_id: str) -> None:
    come_in(page, url, backend, path=f"/tv/#/title/{title_id}")
    page.wait_for_selector(".details[data-state=ready]")
    page.wait_for_selector(".home[data-state=ready]", state="attached")


def test_a_trailer_plays_from_the_details(tv: Page, site: str, backend: ContractBackend) -> None:
    """Those with a film only; it is the trailer that is asked for, not what it is of."""
    trailer = add_trailer(backend.titles, "mov_metropolis")
    add_trailer(backend.titles, "mov_metropolis", media_status="NONE")
    backend.refusals[trailer["id"]] = {"reason": "NOT_READY", "maxStreams": None, "retryAfterSeconds": None}
    open_title(tv, site, backend, "mov_metropolis")
    press(tv, "ArrowDown")
    assert focus(tv)["row"] == "trailers"
    assert tv.locator("[data-row=trailers] .card").count() == 1
    press(tv, "Enter")
    tv.wait_for_selector(".player-notice .statement")
    assert [each["input"]["titleId"] for name, each in backend.calls if name == "StartPlayback"] == [trailer["id"]]


def test_a_person_leads_to_their_work_and_back(tv: Page, site: str, backend: ContractBackend) -> None:
    """The director first, then the cast; somebody in both parts stands there once; the way back ends where it began."""
    open_title(tv, site, backend, "mov_the-kid")
    press(tv, "ArrowDown")
    people = tv.locator("[data-row=people] .person-name").all_inner_texts()
    assert people == ["Charlie Chaplin", "Jackie Coogan"]
    person = focus(tv)
    press(tv, "Enter")
    tv.wait_for_selector(".person-page .card:focus")
    assert tv.locator(".person-page h1").inner_text() == "Charlie Chaplin"
    assert set(tv.locator(".person-page .card-name").all_inner_texts()) >= {"The Kid", "The Gold Rush", "The Immigrant"}
    press(tv, "Enter")
    tv.wait_for_selector(".details[data-state=ready] >> nth=1")
    press(tv, "Escape", "Escape")
    tv.wait_for_selector(".person-page", state="detached")
    assert focus(tv) == person


def test_a_person_with_nothing_for_this_profile_leads_back(tv: Page, site: str, backend: ContractBackend) -> None:
    """No titles and no such person are one and the same sentence; a service that is away can be asked again."""
    open_title(tv, site, backend, "mov_the-kid")
    press(tv, "ArrowDown")
    backend.broken_fields = {"person"}
    press(tv, "Enter")
    tv.wait_for_selector(".person-page .statement")
    assert focus(tv)["words"] == "Try again"
    backend.broken_fields = set()
    for title_id in [one["id"] for one in backend.visible()]:
        del backend.titles[title_id]
    press(tv, "Enter")
    tv.wait_for_selector("text=Nothing to see here")
    assert focus(tv)["words"] == "Go back"
