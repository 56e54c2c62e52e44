"""The whole graph with the viewers of the authorization table, once for each test module."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.authorization_probe import Probe
from tests.support.households import settle_in
from tests.support.valkey_server import valkey_server
from tests.support.whole_graph import WholeGraph, whole_graph


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and item.path.name != "test_table.py":
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def graph(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> AsyncIterator[WholeGraph]:
    async with whole_graph(tmp_path_factory.mktemp("state"), valkey_url) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def probe(graph: WholeGraph) -> Probe:
    return Probe(graph, await settle_in(graph))
