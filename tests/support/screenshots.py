"""Screens of real viewers in a real browser, as images to look at, and the sizes of their first answers."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.devices import PHONE, TV
from tests.support.screen_viewers import Signed

__all__ = ["first_answer_bytes", "take_screens"]

OPERATIONS = Path(__file__).resolve().parents[2] / "schema" / "operations"
TV_VIEWPORT = {"viewport": {"width": 1920, "height": 1080}}
PHONE_VIEWPORT = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
WAIT_MS = 30_000
DRAWN = """[...document.images].every((image) => {
  const { top, bottom, left, right } = image.getBoundingClientRect();
  const isSeen = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
  return !isSeen || (image.complete && image.naturalWidth > 0);
})"""
QUERY = "the gre"
MAX_SCROLLS = 6
"""Rows come a few at a time, some two dozen in all."""
MAX_BYTES = 200_000
QUALITIES = (86, 78, 70, 60, 50)


def take_screens(gateway_url: str, viewers: Sequence[Signed], folder: Path, *, more: bool, chromium: str) -> list[Path]:
    """One TV and one phone image of each viewer's home; with `more`, the other screens of each as well."""
    folder.mkdir(parents=True, exist_ok=True)
    taken: list[Path] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for signed in viewers:
            for form, shots in (("tv", TV_SHOTS), ("phone", PHONE_SHOTS)):
                with _page(browser, gateway_url, form, signed) as page:
                    for name, go in shots.items():
                        if name != "home" and not more:
                            continue
                        go(page, signed)
                        path = (
                            folder / f"{signed.viewer.name.lower()}_{form}{'' if name == 'home' else f'_{name}'}.webp"
                        )
                        _save(_settled(page), path)
                        taken.append(path)
        browser.close()
    return taken


def first_answer_bytes(gateway_url: str, signed: Signed) -> dict[str, int]:
    """By form factor: gzip of the first answer of home, as it comes for this viewer."""
    sizes = {}
    for form, device in (("tv", TV), ("phone", PHONE)):
        query = (OPERATIONS / form / "home.graphql").read_text()
        body = {"query": query, "variables": {"device": device}}
        headers = {"authorization": f"Bearer {signed.token}"}
        answer = httpx.post(f"{gateway_url}/graphql", json=body, headers=headers, timeout=30)
        sizes[form] = len(gzip.compress(answer.content, 6))
    return sizes


@contextmanager
def _page(browser: Browser, gateway_url: str, form: str, signed: Signed) -> Iterator[Page]:
    settings: dict[str, Any] = dict(TV_VIEWPORT if form == "tv" else PHONE_VIEWPORT)
    context = browser.new_context(**settings, reduced_motion="reduce")
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    session = json.dumps(json.dumps(signed.session))
    page.add_init_script(f"localStorage['marquee.session'] ??= {session}")
    page.goto(f"{gateway_url}/{form}/")
    page.wait_for_selector(".home[data-state=ready]")
    yield page
    context.close()


def _settled(page: Page) -> bytes:
    """After pictures have come: artwork is drawn when it is first asked for."""
    page.wait_for_timeout(700)
    page.wait_for_function(DRAWN)
    page.wait_for_timeout(300)
    return page.screenshot()


def _save(png: bytes, path: Path) -> None:
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in QUALITIES:
        image.save(path, "WEBP", quality=quality, method=6)
        if path.stat().st_size <= MAX_BYTES:
            return


def _press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(120)


def _tv_home(page: Page, signed: Signed) -> None:
    """The row that says most of this viewer in focus, or else the page as it came."""
    wanted = signed.viewer.tv_row
    kinds = page.eval_on_selector_all(".home .row-track", "rows => rows.map((row) => row.dataset.row)")
    if wanted in kinds:
        _press(page, *["ArrowDown"] * (1 + kinds.index(wanted)))


def _tv_further(page: Page, _signed: Signed) -> None:
    _press(page, *["ArrowDown"] * 2, "ArrowRight")


def _tv_details(page: Page, _signed: Signed) -> None:
    _press(page, "Enter")
    page.wait_for_selector(".details[data-state=ready]")


def _tv_search(page: Page, _signed: Signed) -> None:
    _press(page, "Escape")
    page.click("[data-place=SEARCH]")
    page.wait_for_selector(".letters")
    page.keyboard.type(QUERY)
    page.wait_for_selector(".choice:nth-child(3)")


def _tv_genre(page: Page, _signed: Signed) -> None:
    _press(page, *["Backspace"] * len(QUERY))
    page.locator(".genre").nth(2).click()
    page.wait_for_selector(".home[data-state=ready]:not(.is-below)")


def _phone_home(page: Page, signed: Signed) -> None:
    """Scrolled to the row that says most of this viewer, also where it comes far below; else the page as it came."""
    if not signed.viewer.phone_row:
        return
    wanted = f".home .is-{signed.viewer.phone_row.lower()}"
    for _ in range(MAX_SCROLLS):
        if page.locator(wanted).count():
            break
        page.evaluate("document.querySelector('.home').scrollTop = document.querySelector('.home').scrollHeight")
        page.wait_for_timeout(800)
    for _ in range(2):
        # Once more, for the page is longer after rows below came.
        page.evaluate(
            """(wanted) => {
              const home = document.querySelector('.home'), row = document.querySelector(wanted);
              home.scrollTop = row ? home.scrollTop + row.getBoundingClientRect().top - 28 : 0;
            }""",
            wanted,
        )
        page.wait_for_timeout(800)


def _phone_details(page: Page, _signed: Signed) -> None:
    page.locator(".row .card").first.tap()
    page.wait_for_selector(".details[data-state=ready]")


def _phone_search(page: Page, _signed: Signed) -> None:
    page.go_back()
    page.tap("[data-tab=search]")
    page.wait_for_selector(".genre")
    page.fill("input[type=search]", QUERY)
    page.locator("input[type=search]").press("Enter")
    page.wait_for_selector(".choice:nth-child(3)")


def _phone_genre(page: Page, _signed: Signed) -> None:
    page.tap(".search-clear")
    page.tap(".genre >> nth=2")
    page.wait_for_selector(".home[data-kind=GENRE][data-state=ready]")


def _nothing(_page: Page, _signed: Signed) -> None:
    """As it came."""


TV_SHOTS: dict[str, Callable[[Page, Signed], None]] = {
    "first": _nothing,
    "home": _tv_home,
    "further": _tv_further,
    "details": _tv_details,
    "search": _tv_search,
    "genre": _tv_genre,
}
PHONE_SHOTS: dict[str, Callable[[Page, Signed], None]] = {
    "first": _nothing,
    "home": _phone_home,
    "details": _phone_details,
    "search": _phone_search,
    "genre": _phone_genre,
}
