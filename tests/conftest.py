"""For every test: real servers where there are any, workers that run whole files, and generated examples judged by result.

Never by how long a busy machine took for one. And logs that nobody configured, whatever ran before.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

pytest_plugins = ["tests.support.servers"]

settings.register_profile("marquee", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("marquee")

WITH_ONE_STACK = "tests/e2e/"
LONGEST_FIRST = (
    WITH_ONE_STACK,
    "tests/contracts/authorization/",
    "tests/properties/gateway_answer_test.py",
    "tests/subgraphs/titles/test_imports.py",
    "tests/contracts/test_query_counts.py",
    "tests/media_pipeline/transcoding/test_robustness.py",
    "tests/subgraphs/recommendations/test_subgraph.py",
    "tests/subgraphs/profiles/test_payment_saga.py",
    "tests/subgraphs/profiles/test_erasing.py",
    "tests/stack/test_run_alone.py",
    "tests/media_pipeline/test_players.py",
    "tests/subgraphs/recommendations/evaluation/test_compare.py",
    "tests/conformance/test_random_faults.py",
)
"""The longest of what a worker runs in one go: begun last, each would leave the others with nothing to do."""
NEW_OBJECTS = 20_000
"""Between two collections of young ones. With Python's 700, and nothing frozen, the planner's tests take 6 % more
processor time, and those of execution a fifth more."""


class WholeFiles(LoadFileScheduling):
    """One worker runs a file's tests, so that what they share is set up once; end-to-end tests share a stack."""

    def _split_scope(self, nodeid: str) -> str:
        return WITH_ONE_STACK if nodeid.startswith(WITH_ONE_STACK) else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WholeFiles:
    return WholeFiles(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Workers begin with what is longest; whoever runs tests alone has them in their usual order."""
    if hasattr(config, "workerinput"):
        items.sort(
            key=lambda item: next((n for n, path in enumerate(LONGEST_FIRST) if item.nodeid.startswith(path)), 99)
        )


def pytest_collection_finish() -> None:
    """What is there before the first test, which is most of what there is, need not be looked through again."""
    gc.set_threshold(NEW_OBJECTS)
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _no_logger_keeps_a_configuration() -> Iterator[None]:
    """A module's logger that was used once would write as it was configured then, for the rest of the run."""
    configure = structlog.configure

    def configure_without_caching(**options: Any) -> None:
        configure(**{**options, "cache_logger_on_first_use": False})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", configure_without_caching)
        yield


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """What a process configures where it starts, such as a command that a test calls, ends with the test."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    if structlog.get_config() != before:
        structlog.configure(**before)
        structlog.contextvars.clear_contextvars()
        root.handlers[:] = handlers
        root.setLevel(level)
