"""One running stack for all end-to-end tests: one worker runs them all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import browser, phone, tv  # noqa: F401  # fixtures
from tests.support.running_stack import GENEROUS, RunningStack
from tests.support.viewers import Viewers


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    running = RunningStack.start(tmp_path_factory.mktemp("stack") / "state", extra_env=GENEROUS)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def film(stack: RunningStack) -> dict[str, Any]:
    """The demo film once it is playable."""
    stack.wait_for_console("First Light is playable", 240)
    return {"id": "mov_marquee-demo", "displayName": "First Light"}


@pytest.fixture(scope="session")
def viewers(stack: RunningStack) -> Viewers:
    return Viewers(stack)
