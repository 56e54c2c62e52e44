"""The TV and phone pages on the real product: sign in, move, play the protected film, come back to where it stopped."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.clients.page_driver import focus, press
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.browser

PLAYS = "document.querySelector('video')?.currentTime > {seconds} && !document.querySelector('video').paused"
LOOK_MS = 20_000


def sign_in(page: Page, stack: RunningStack) -> None:
    page.goto(f"{stack.gateway_url}/tv/")
    page.get_by_text("Premium").first.wait_for()
    page.get_by_text("Premium").first.click()
    page.get_by_text("Grace").first.click()
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
    row = "[data-row=POPULAR_IN_COUNTRY] [data-title]"
    before = tv.locator(row).count()

    downs = 1 + kinds.index("POPULAR_IN_COUNTRY")
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


def test_the_phone_page_shows_its_home(phone: Page, stack: RunningStack) -> None:
    """The same account on a phone: posters in rows, nothing wider than the screen."""
    phone.goto(f"{stack.gateway_url}/phone/")
    phone.get_by_text("Premium").first.click()
    phone.get_by_text("Ada").first.click()
    phone.wait_for_selector(".home[data-state=ready]")

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
