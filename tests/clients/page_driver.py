"""What the pages' tests do again and again: come in as a profile, press keys, see where the focus is."""

from contextlib import AbstractContextManager
from typing import Any

from playwright.sync_api import Page

from tests.clients.contract_backend import ContractBackend

REPORTS = {"ReportInteractions"}
"""Operations that go out whenever their batch is due, between or behind any others."""

FOCUS = """() => {
  const item = document.activeElement?.closest('[data-item]');
  const row = item?.closest('[data-row]');
  return item && {row: row.dataset.row, title: item.dataset.title ?? null, words: item.innerText.trim()};
}"""


def come_in(page: Page, url: str, backend: ContractBackend, profile: str = "prof_ada", path: str = "/tv/") -> None:
    """Open a page as a profile that signed in before."""
    session = backend.open_session(profile)
    page.add_init_script(
        f"sessionStorage.opened || localStorage.setItem('marquee.session', {as_script(session)}); sessionStorage.opened = 1"
    )
    page.goto(url + path)


def as_script(session: dict[str, Any]) -> str:
    import json

    profile = {key: value for key, value in session["profile"].items() if not callable(value)}
    return f"JSON.stringify({json.dumps({**session, 'profile': profile})})"


def at_home(page: Page, url: str, backend: ContractBackend, profile: str = "prof_ada", path: str = "/tv/") -> None:
    come_in(page, url, backend, profile, path)
    page.wait_for_selector(".home[data-state=ready]")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def focus(page: Page) -> dict[str, Any]:
    """Row, title and words of the item that has the focus."""
    found: dict[str, Any] | None = page.evaluate(FOCUS)
    assert found is not None, "nothing on the page has the focus"
    return found


def operations(backend: ContractBackend) -> list[str]:
    """Names of the operations that the viewer's steps led to, in the order in which they came."""
    return [name for name, _ in backend.calls if name not in REPORTS]


def answer_to(page: Page, operation: str) -> AbstractContextManager[Any]:
    """Waits, where the context ends, until this operation has its answer; any other may come before."""
    return page.expect_response(lambda response: f"query {operation}" in (response.request.post_data or ""))
