"""Search engines for the contract's tests: each one opened empty, with a name of its own where it is shared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from common.clock import Clock, FakeClock
from subgraphs.titles.adapters.opensearch import OpenSearchIndex
from subgraphs.titles.adapters.tantivy_index import TantivyIndex
from subgraphs.titles.ports import SearchIndex
from tests.subgraphs.titles.conftest import NOW

ENGINES = ("tantivy", "opensearch")


@asynccontextmanager
async def opened_index(
    engine: str, request: pytest.FixtureRequest, clock: Clock | None = None
) -> AsyncIterator[SearchIndex]:
    """Skips the test when the engine's server is not there."""
    index: SearchIndex
    if engine == "opensearch":
        url, prefix = request.getfixturevalue("opensearch_url"), request.getfixturevalue("opensearch_prefix")
        index = OpenSearchIndex(url, f"{prefix}titles", clock or FakeClock(NOW))
    else:
        index = TantivyIndex(None)
    try:
        await index.prepare()
        yield index
    finally:
        await index.aclose()


async def empty(index: SearchIndex) -> None:
    """Whatever is in it is gone."""
    await (await index.begin_build()).publish()
