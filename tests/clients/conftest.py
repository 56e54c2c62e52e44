"""A real Chromium on pages that a contract server serves; skipped with a word where one of the two is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.clients.contract_backend import ContractBackend
from tests.clients.contract_server import CLIENTS, running
from tests.clients.demo_media import make_media, offered

CHROMIUM = Path(os.environ.get("MARQUEE_TEST_CHROMIUM", "/usr/bin/chromium"))
BROWSER_TESTS = {
    "test_accessibility.py",
    "test_tv_details.py",
    "test_tv_focus.py",
    "test_tv_pin.py",
    "test_tv_states.py",
    "test_interactions.py",
    "test_onboarding.py",
    "test_page_changes.py",
    "test_phone.py",
    "test_player.py",
    "test_search.py",
}
WAIT_MS = 15_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here and item.path.name in BROWSER_TESTS:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the whole session: while Playwright's synchronous interface is open, no asynchronous test can run here.
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}; install Debian's package chromium or set MARQUEE_TEST_CHROMIUM")
    if not (CLIENTS / "node_modules").exists():
        pytest.skip("clients/node_modules is missing; run npm ci in clients")
    arguments = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield launched
        launched.close()


@pytest.fixture
def backend() -> ContractBackend:
    return ContractBackend()


@pytest.fixture
def site(backend: ContractBackend) -> Iterator[str]:
    with running(backend) as url:
        yield url


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    make_media(folder)
    return folder


@pytest.fixture
def cinema(backend: ContractBackend, media: Path) -> Iterator[str]:
    """A site whose titles can really be played."""
    with running(backend, media=media) as url:
        backend.media = offered(url)
        yield url


@pytest.fixture
def tv(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
        reduced_motion="reduce",
    )
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()
