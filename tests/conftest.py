"""For every test: real servers where there are any, workers that run whole files, and generated examples judged by result.

Never by how long a busy machine took for one.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

pytest_plugins = ["tests.support.servers"]

settings.register_profile("marquee", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("marquee")

WITH_ONE_STACK = "tests/e2e/"


class WholeFiles(LoadFileScheduling):
    """One worker runs a file's tests, so that what they share is set up once; end-to-end tests share a stack."""

    def _split_scope(self, nodeid: str) -> str:
        return WITH_ONE_STACK if nodeid.startswith(WITH_ONE_STACK) else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WholeFiles:
    return WholeFiles(config, log)
