"""The TV and phone pages on the real product: sign in, move, play the protected film, come back to where it stopped."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.clients.page_driver import focus, press
from tests.support.running_stack import RunningStack
from tests.support.viewers import FRESH_PASSWORD, Viewers

pytestmark = pytest.mark.browser

PLAYS = "document.querySelector('video')?.currentTime > {seconds} && !document.querySelector('video').paused"
LOOK_MS = 20_000


def sign_in(page: Page, stack: RunningStack) -> None:
    page.goto(f"{stack.gateway_url}/tv/")
    page.get_by_text("Premium").first.wait_for()
    page.get_by_text("Premium").first.click()
    page.get_by_text("Grace").first.click()
    come_home(page)


def come_home(page: Page) -> None:
    """To the home page; past the question to a new profile, where the demo's history is not there yet."""
    page.wait_for_selector(".home[data-state=ready], .onboarding .pick")
    if page.locator(".onboarding").count():
        page.get_by_text("Skip").click()
    page.wait_for_selector(".home[data-state=ready]")


def test_the_arrow_keys_move_the_focus(tv: Page, stack: RunningStack) -> None:
    """From the hero down into a row and along it, and the row remembers its card."""
    sign_in(tv, stack)

    press(tv, "ArrowDown", "ArrowRight", "ArrowRight")
    there = focus(tv)
    press(tv, "ArrowUp", "ArrowDown")

    assert there["title"] is not None
    assert focus(tv) == there


def test_a_row_grows_as_the_focus_nears_its_end(tv: Page, stack: RunningStack) -> None:
    """A row comes with a few cards; the rest is asked for by its cursor, each title once."""
    sign_in(tv, stack)
    kinds = tv.eval_on_selector_all(".row-track[data-section]", "rows => rows.map(row => row.dataset.row)")
    kind = next(kind for kind in ("TOP_PICKS", "POPULAR_IN_COUNTRY") if kind in kinds)
    row = f"[data-row={kind}] [data-title]"
    before = tv.locator(row).count()

    downs = 1 + kinds.index(kind)
    press(tv, *["ArrowDown"] * downs, *["ArrowRight"] * (before - 1))
    tv.wait_for_function("([row, before]) => document.querySelectorAll(row).length > before", arg=[row, before])

    titles = tv.eval_on_selector_all(row, "cards => cards.map(card => card.dataset.title)")
    assert len(titles) == len(set(titles))


def test_the_protected_film_plays_on_the_tv_page_and_resumes(
    tv: Page, stack: RunningStack, film: dict[str, Any]
) -> None:
    """Enter on the hero plays; a licence is fetched; afterwards the film leads the row that goes on where one stopped."""
    licences: list[str] = []
    manifests: list[str] = []
    tv.on("request", lambda request: licences.append(request.url) if "/licence/" in request.url else None)
    tv.on("request", lambda request: manifests.append(request.url) if ".mpd" in request.url else None)
    sign_in(tv, stack)

    press(tv, "Enter")
    tv.wait_for_function(PLAYS.format(seconds=6), timeout=LOOK_MS)
    press(tv, "Escape")
    tv.wait_for_selector(".player", state="detached")
    tv.wait_for_selector(f'[data-item][data-title="{film["id"]}"]')
    press(tv, "ArrowDown")
    assert focus(tv)["title"] == film["id"]
    press(tv, "Enter")
    tv.wait_for_selector(".details[data-state=ready]")
    press(tv, "Enter")
    tv.wait_for_function(PLAYS.format(seconds=5), timeout=LOOK_MS)

    assert licences
    assert all("/clearkey/" in url for url in manifests)


def test_a_new_profile_picks_and_hides_and_its_page_follows(tv: Page, stack: RunningStack, viewers: Viewers) -> None:
    """Picks make the first page; a title that is hidden leaves it in place, without the page being loaded again."""
    viewer = viewers.fresh()
    tv.goto(f"{stack.gateway_url}/tv/")
    tv.fill("input[type=email]", viewer.account["email"])
    tv.fill("input[type=password]", FRESH_PASSWORD)
    press(tv, "Enter")
    tv.get_by_text("Me", exact=True).first.click()
    tv.wait_for_selector(".onboarding .pick:focus")
    press(tv, "Enter", "ArrowRight", "Enter", "ArrowUp", "Enter")
    tv.wait_for_selector(".home[data-state=ready]")
    loads: list[str] = []
    tv.on("request", lambda request: loads.append(request.post_data or "") if "/graphql" in request.url else None)

    press(tv, "ArrowDown")
    hidden = focus(tv)["title"]
    press(tv, "Enter")
    tv.wait_for_selector(".details[data-state=ready]")
    tv.click("[data-action=NOT_INTERESTED]")
    tv.wait_for_selector("[data-action=NOT_INTERESTED][aria-pressed=true]")
    press(tv, "Escape")
    tv.wait_for_selector(f'.home .card[data-title="{hidden}"]', state="detached")

    assert focus(tv)["title"] not in {None, hidden}
    assert any("TvRefresh" in body for body in loads)
    assert not any("query TvHome" in body and '"after"' not in body for body in loads)


def test_the_phone_page_shows_its_home(phone: Page, stack: RunningStack) -> None:
    """The same account on a phone: posters in rows, nothing wider than the screen."""
    phone.goto(f"{stack.gateway_url}/phone/")
    phone.get_by_text("Premium").first.click()
    phone.get_by_text("Ada").first.click()
    come_home(phone)

    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert phone.locator("img").count() >= 6


def test_graphiql_answers_offline(tv: Page, stack: RunningStack) -> None:
    """GraphiQL loads from this origin alone and knows the schema."""
    foreign: list[str] = []
    tv.on(
        "request",
        lambda request: (
            foreign.append(request.url) if not request.url.startswith((stack.gateway_url, "data:", "blob:")) else None
        ),
    )

    tv.goto(f"{stack.gateway_url}/graphql")
    tv.wait_for_selector(".graphiql-container .graphiql-execute-button")

    assert foreign == []
